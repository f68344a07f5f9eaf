"""Training of the line reader: lines → pool → network → measured, exported reader, in seconds."""

from __future__ import annotations

import errno
import itertools
import json
import os
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from app.alignment import alignments
from app.conversion import flat_buffer
from app.ctc import decoded, log_probabilities
from app.imaging.line import COLUMN_WIDTH, LINE_HEIGHT, LINE_VERSION, STEP_WIDTH, line_image
from training.config import ConfigError, loaded
from training.fonts import Font, find_fonts
from training.lines.__main__ import main
from training.lines.config import LinesConfig, LinesPlaces, ReaderSize
from training.lines.draw import (
    NO_DIGIT,
    fits,
    for_validation,
    labelled,
    packed_arrays,
    served_lines,
    text_of,
    training_lines,
    wordy_lines,
)
from training.lines.figures import (
    digit_answers,
    edit_distance,
    figures,
    fitted_blank_bias,
    fitted_odds,
    fitted_temperature,
    reliable,
)
from training.lines.measure import Reader, parity
from training.lines.network import line_reader, with_blank_bias
from training.lines.pool import LinePools, LineSet, drawn_pools, parted_fonts, pooled_lines
from training.lines.pools import Writers, pooled, read_writers
from training.lines.run import KERAS_FILE, REPORT_FILE, TFLITE_FILE, NotExported, fit_reader, run
from training.lines.signs import Signs, with_signs
from training.lines.stream import LineStream, jittered, reader_input
from training.lines.train import ctc_loss, fitted_reader, keras_ctc_loss
from training.lines.wordless import any_line_without_digits
from training.lines.writers import Hand
from training.resume import NoSpace, TrainingFailed, learning_curves
from training.sources import DataError

TINY = LinesConfig(
    "0.0.7", lines=40, validation_lines=12, evaluation_lines=3, steps=3, epochs=4, calm_epochs=1, batch_width=192
)


@pytest.fixture(scope="module")
def writers(data_dir: Path, fonts_dir: Path) -> Writers:
    """The test's font and MNIST, and hands that are drawn."""
    return read_writers(data_dir, find_fonts(fonts_dir), accept_changed=True)


@pytest.fixture
def line_places(data_dir: Path, fonts_dir: Path, tmp_path: Path) -> LinesPlaces:
    return LinesPlaces(data_dir, fonts_dir, tmp_path / "runs", accept_changed_data=True)


@pytest.fixture(scope="module")
def pools(writers: Writers) -> LinePools:
    drawn = list(training_lines(writers, TINY, TINY.lines, np.random.default_rng(1)))
    return LinePools(*(pooled_lines([packed_arrays(part, TINY.widths)]) for part in (drawn[12:], drawn[:12])))


def test_a_run_leaves_a_reader_that_reads_as_the_network_does(
    line_places: LinesPlaces, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    config = replace(TINY, epochs=1, steps=100)  # after fewer, what it reads hangs by hairs, and rounding changes it
    folder = run(config, line_places, 1)
    said = capsys.readouterr().out
    assert "epoch 1/1: " in said
    assert "val character errors" in said
    assert "| composed, fonts, held out | 3 | " in said
    assert "| composed, MNIST, held out | 3 | " in said
    report = json.loads((folder / REPORT_FILE).read_text())
    assert report["parity"] == 1
    assert {one["count"] for one in report["sets"]} == {3}
    network = keras.saving.load_model(folder / KERAS_FILE, compile=False, safe_mode=True)
    kernels = [
        layer.kernel.numpy().view(np.uint32) for layer in network.layers if isinstance(layer, keras.layers.Conv2D)
    ]
    assert not any((kernel & 0xFFFF).any() for kernel in kernels)  # as short as bfloat16, so that they pack well
    assert (folder / KERAS_FILE).stat().st_size < 0.6 * (folder / "fitted.keras").stat().st_size
    reader = Reader((folder / TFLITE_FILE).read_bytes())
    lines = np.random.default_rng(1).integers(0, 256, (3, LINE_HEIGHT, 68)).astype(np.uint8)
    agreement, difference = parity(network, reader, lines)
    assert agreement == 1
    assert parity(network, Reader(flat_buffer(network)), lines)[1] < 1e-3  # with floats
    logits = reader.logits(lines[0])
    assert logits.shape == (34, 11)
    assert difference < 0.01 * np.ptp(logits)  # weights and activations are rounded to 8 bits
    np.testing.assert_allclose(logits, Reader(flat_buffer(network, dynamic=True)).logits(lines[0]), atol=1e-4)
    assert (folder / TFLITE_FILE).stat().st_size < 0.5 * len(flat_buffer(network))
    assert {path.name for path in folder.iterdir()} == {
        *("lines", "backup", "epochs.csv", "fitted.keras", "fitted.json"),
        *(KERAS_FILE, TFLITE_FILE, REPORT_FILE),
    }

    monkeypatch.setattr("training.lines.pool.drawn_part", None)  # to draw again would fail
    monkeypatch.setattr("keras.Model.fit", None)  # … and there is nothing left to train
    assert run(config, line_places, 1) == folder


def test_what_is_trained_on_another_backend_is_kept_for_tensorflow_to_export(
    line_places: LinesPlaces, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = replace(TINY, epochs=1, steps=100)
    fit_reader(config, line_places, 1)
    folder = line_places.run_dir(config)
    with monkeypatch.context() as elsewhere:
        elsewhere.setattr("keras.backend.backend", lambda: "jax")
        with pytest.raises(NotExported, match="the same command on TensorFlow exports it"):
            run(config, line_places, 1)
    for part in (folder / "lines").glob("training-*.npz"):
        part.unlink()  # a pool that was drawn on the other machine
    monkeypatch.setattr("training.lines.run.fitted_reader", None)  # to train again would fail
    assert run(config, line_places, 1) == folder
    assert not list((folder / "lines").glob("training-*.npz"))
    with pytest.raises(TypeError):  # of another configuration
        fit_reader(replace(config, learning_rate=0.1), line_places, 1)


def test_a_run_goes_on_from_what_another_fitted(line_places: LinesPlaces, monkeypatch: pytest.MonkeyPatch) -> None:
    config = replace(TINY, version="0.0.8", goes_on_from=TINY.version, epochs=1, steps=1)
    with pytest.raises(TrainingFailed, match=r"reader-0\.0\.7.*fitted\.keras is not there.*train 0\.0\.7 first"):
        fit_reader(config, line_places, 1)
    fit_reader(replace(TINY, epochs=1), line_places, 1)
    begun_with = []

    def stop(*given: Any) -> None:
        begun_with.append(given[-1])
        raise TrainingFailed("enough")

    monkeypatch.setattr("training.lines.run.fitted_reader", stop)
    with pytest.raises(TrainingFailed, match="enough"):
        fit_reader(config, line_places, 1)
    fitted = keras.saving.load_model(line_places.run_dir(TINY) / "fitted.keras", compile=False)
    for one, other in zip(begun_with[0].get_weights(), fitted.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    with pytest.raises(ConfigError, match="both named"):
        replace(config, grows_from="1.0.0")


@pytest.mark.parametrize("frozen", [False, True])
def test_frozen_statistics_are_those_that_a_reader_began_with(pools: LinePools, tmp_path: Path, frozen: bool) -> None:
    known = line_reader(TINY.size)
    config = replace(TINY, epochs=1, goes_on_from="0.0.6", frozen_statistics=frozen)
    network, _ = fitted_reader(config, pools, tmp_path, known)
    layers = [
        [layer for layer in one.layers if isinstance(layer, keras.layers.BatchNormalization)]
        for one in (known, network)
    ]
    kept = [
        bool((np.asarray(one.moving_variance) == np.asarray(other.moving_variance)).all())
        for one, other in zip(*layers, strict=True)
    ]
    assert set(kept) == {frozen}
    assert all(layer.trainable for layer in layers[1])
    changed = zip(known.get_weights(), network.get_weights(), strict=True)
    assert any((one != other).any() for one, other in changed)  # it was trained either way


def test_a_reader_trained_in_bfloat16_reads_in_float32(pools: LinePools, tmp_path: Path) -> None:
    trained = []
    for precision in ("float32", "mixed_bfloat16"):
        config = replace(TINY, epochs=1, precision=precision)
        network, _ = fitted_reader(config, pools, tmp_path / precision)
        assert {layer.compute_dtype for layer in network.layers} == {"float32"}
        trained.append(network.get_weights())
    differences = [float(np.abs(one - other).max()) for one, other in zip(*trained, strict=True)]
    assert 0 < max(differences) < 0.1  # it was trained in another precision, and learned the same


def test_only_missing_parts_of_a_pool_are_drawn(line_places: LinesPlaces, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("training.lines.pool._PART", 15)
    config = replace(TINY, lines=40, validation_lines=10)
    first = drawn_pools(config, line_places, 2)
    folder = line_places.run_dir(config) / "lines"
    parts = {path: path.stat().st_mtime_ns for path in folder.glob("*.npz")}
    assert len(parts) == 4
    lost = folder / "training-00001-15.npz"
    lost.unlink()
    again = drawn_pools(replace(config, steps=9, learning_rate=1.0), line_places, 1)
    more = drawn_pools(replace(config, lines=45), line_places, 1)
    assert sum(map(len, more.training.values())) >= sum(map(len, first.training.values()))
    assert len(list(folder.glob("*.npz"))) == 5  # but for the last part, they are those that there were
    assert first.training.keys() == again.training.keys()
    for width, lines in first.training.items():
        np.testing.assert_array_equal(lines.lines, again.training[width].lines)
        np.testing.assert_array_equal(lines.labels, again.training[width].labels)
    assert {path for path, when in parts.items() if path.stat().st_mtime_ns != when} == {lost}

    lost.write_bytes(b"half a fi")
    with pytest.raises(DataError, match=r"training-00001-15\.npz is damaged"):
        drawn_pools(config, line_places, 1)
    monkeypatch.setattr("training.lines.pool._draw", lambda parts, _: drawn.extend(parts))
    monkeypatch.setattr("training.lines.pool._read", lambda _: {})
    drawn: list[object] = []
    drawn_pools(replace(config, seed=2), line_places, 1)  # another pool: all of it is drawn
    assert len(drawn) == 4
    assert not list(folder.glob("*.npz"))


def test_a_full_disk_is_told(line_places: LinesPlaces, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("training.lines.pool._draw", full)
    with pytest.raises(NoSpace, match=r"No space left on device.*make room"):
        drawn_pools(TINY, line_places, 1)


def _small_reader(_: ReaderSize) -> keras.Model:
    """A reader that is compiled in no time, and has no dropout, which is drawn anew where a run goes on."""
    line = keras.Input((LINE_HEIGHT, None, 1))
    x = keras.layers.Conv2D(4, (LINE_HEIGHT, COLUMN_WIDTH), strides=(1, COLUMN_WIDTH), activation="relu")(line)
    x = keras.layers.Conv2D(22, 1)(keras.layers.BatchNormalization()(x))
    return keras.Model(line, keras.layers.Reshape((-1, 11))(x))


Trained = tuple[list[NDArray[np.float32]], dict[str, list[float]]]


def _trained(pools: LinePools, folder: Path) -> Trained:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("training.lines.train.line_reader", _small_reader)
        return fitted_reader(TINY, pools, folder)[0].get_weights(), learning_curves(folder)


@pytest.fixture(scope="module")
def whole(pools: LinePools, tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """Weights and figures of a training that nothing stopped."""
    return _trained(pools, tmp_path_factory.mktemp("whole"))


def _stop() -> None:
    raise KeyboardInterrupt


# Ctrl-C in the middle of the third epoch of three batches, and as its state is written.
@pytest.mark.parametrize(("owner", "method", "when"), [
    (keras.callbacks.TerminateOnNaN, "on_batch_end", 8),
    (keras.Model, "save_weights", 3),
])  # fmt: skip
def test_a_stopped_training_goes_on_as_if_it_had_not_been_stopped(
    owner: type,
    method: str,
    when: int,
    pools: LinePools,
    whole: Trained,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    weights, curves = whole
    assert set(curves) == {"epoch", "loss", "val_exact", "val_character_errors"}
    calls = itertools.count(1)
    original: Callable[..., object] = getattr(owner, method)
    with monkeypatch.context() as patch:
        patch.setattr(owner, method, lambda *a, **k: original(*a, **k) if next(calls) < when else _stop())
        with pytest.raises(TrainingFailed, match="Stopped; the same command goes on"):
            _trained(pools, tmp_path)
    again, other_curves = _trained(pools, tmp_path)
    for one, other in zip(weights, again, strict=True):
        np.testing.assert_allclose(one, other, atol=2e-4)
    assert other_curves["epoch"] == [0, 1, 2, 3]
    assert other_curves["loss"] == pytest.approx(curves["loss"], rel=1e-3)


@settings(max_examples=20, deadline=None)
@given(st.lists(st.text("0123456789", max_size=5), min_size=1, max_size=4), st.integers(0, 1000))
def test_the_loss_is_that_of_the_texts_probabilities(texts: list[str], seed: int) -> None:
    logits = np.random.default_rng(seed).normal(0, 4, (len(texts), 11, 11)).astype(np.float32)
    expected = [-alignments(log_probabilities(own), text).whole for own, text in zip(logits, texts, strict=True)]
    for loss in (ctc_loss, keras_ctc_loss):  # TensorFlow's kernel, and what other backends take
        losses = loss(tf.constant(labelled(texts)), tf.constant(logits)).numpy()
        np.testing.assert_allclose(losses, expected, rtol=1e-4, atol=1e-4)


def test_the_loss_has_a_slope_for_lines_without_digits() -> None:
    logits = tf.Variable(np.zeros((2, 6, 11), np.float32))
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(ctc_loss(tf.constant(labelled(["", "22"])), logits))
    slope = tape.gradient(loss, logits).numpy()
    assert np.isfinite(slope).all()
    assert (slope[0, :, 10] < 0).all()
    assert (slope[0, :, :10] > 0).all()


@pytest.mark.parametrize("width", [4, 68, 160])
def test_a_reader_gives_logits_for_every_second_pixel(width: int) -> None:
    network = line_reader(ReaderSize())
    assert 400_000 <= network.count_params() <= 600_000
    logits = network(reader_input(np.zeros((2, LINE_HEIGHT, width), np.uint8)), training=False)
    assert logits.shape == (2, width // STEP_WIDTH, 11)


def test_lines_to_train_on_fit_their_texts(writers: Writers) -> None:
    config = replace(TINY, without_digits=0.3)
    lines = list(training_lines(writers, config, 120, np.random.default_rng(3)))
    assert 90 <= len(lines) <= 120
    assert 15 <= sum(text == "" for _, text in lines) <= 60
    reversed_lines = training_lines(writers, replace(TINY, reversed_share=1.0), 40, np.random.default_rng(3))
    assert {text for _, text in reversed_lines} == {""}
    for pixels, text in lines:
        assert pixels.shape[0] == LINE_HEIGHT
        assert pixels.shape[1] % COLUMN_WIDTH == 0
        assert pixels.any()
        assert fits(pixels.shape[1], text)
        assert len(text) <= 12


def test_lines_to_validate_on_are_all_there_whatever_is_seen_of_them(writers: Writers) -> None:
    config = replace(TINY, without_digits=0.5)
    assert len(list(served_lines(writers, config, 60, np.random.default_rng(3)))) == 60


def test_lines_without_digits_have_none(writers: Writers) -> None:
    seen = 0
    for seed in range(60):
        line = any_line_without_digits(writers, np.random.default_rng(seed))
        assert (line.text, line.boxes) == ("", ())
        seen += line_image(line.image) is not None
    assert seen > 30
    for seed in range(10):
        assert any_line_without_digits(pooled({}, []), np.random.default_rng(seed)).text == ""


@pytest.mark.parametrize(
    ("width", "text", "fit"), [(4, "12", True), (4, "11", False), (8, "111", False), (8, "", True)]
)
def test_a_repeated_digit_needs_a_step_more(width: int, text: str, fit: bool) -> None:
    assert fits(width, text) is fit


@given(st.lists(st.text("0123456789", max_size=12)))
def test_labels_are_texts(texts: list[str]) -> None:
    labels = labelled(texts)
    assert labels.shape == (len(texts), 12)
    assert [text_of(row) for row in labels] == texts


def test_every_line_is_in_the_least_width_that_it_fits() -> None:
    lines = [(np.full((LINE_HEIGHT, width), 9, np.uint8), str(width)) for width in (4, 48, 52, 384, 388, 1024)]
    pool = pooled_lines([packed_arrays(lines[:3], TINY.widths), packed_arrays(lines[3:], TINY.widths)])
    assert {width: list(own.widths) for width, own in pool.items()} == {
        48: [4, 48],
        72: [52],
        384: [384],
        1024: [388, 1024],
    }
    for width, own in pool.items():
        assert own.lines.shape == (len(own), LINE_HEIGHT, width)
        assert [text_of(row) for row in own.labels] == [str(filled) for filled in own.widths]
        assert [int(np.count_nonzero(line[0])) for line in own.lines] == list(own.widths)


def test_batches_are_a_function_of_their_number(pools: LinePools) -> None:
    stream = LineStream(pools.training, TINY)
    one, other, next_one = (stream.batch(step) for step in (5, 5, 6))
    np.testing.assert_array_equal(one[0], other[0])
    np.testing.assert_array_equal(one[1], other[1])
    assert one[0].shape != next_one[0].shape or (one[0] != next_one[0]).any()
    later, labels = next(iter(stream.batches(done=2)))  # after two epochs of three steps
    np.testing.assert_array_equal(later[..., 0], next_one[0].astype(np.float32) / np.float32(255))
    np.testing.assert_array_equal(labels, next_one[1])
    counts = [len(stream.batch(step)[1]) for step in range(400)]
    assert np.mean(counts) == pytest.approx(stream.lines_a_batch, rel=0.25)
    for lines, own in (stream.batch(step) for step in range(20)):
        assert lines.shape[0] * lines.shape[2] <= max(TINY.batch_width, lines.shape[2])
        assert own.dtype == np.int8


def test_a_jittered_line_is_the_same_line_elsewhere() -> None:
    line = np.zeros((LINE_HEIGHT, 96), np.uint8)
    line[8:24, 10:14] = line[8:24, 30:34] = 255
    lines, widths = np.stack([line] * 40), np.full(40, 44, np.int16)
    moved = jittered(lines, widths, np.random.default_rng(1))
    assert moved.shape == lines.shape
    assert len({one.tobytes() for one in moved}) == 40
    strokes = [np.flatnonzero(np.diff((one[10:22].max(axis=0) > 90).astype(int)) == 1) for one in moved]
    apart = [stroke[-1] - stroke[0] for stroke in strokes if len(stroke) == 2]
    assert len(apart) > 30
    assert 16 < min(apart) <= max(apart) < 25
    assert (jittered(lines, widths, np.random.default_rng(1), strength=0.0)[:, 8:24].max(axis=(1, 2)) == 255).all()


def test_fonts_are_parted_by_family() -> None:
    fonts = [Font(Path(f"{family}-{style}.ttf"), f"Family {family}") for family in range(300) for style in range(2)]
    parted = parted_fonts(TINY, fonts)
    families = [{font.family for font in part} for part in (parted.training, parted.validation, parted.held_out)]
    assert sum(len(part) for part in families) == 300
    assert min(len(part) for part in families) >= 5
    assert parted_fonts(TINY, fonts[:1]).held_out == tuple(fonts[:1])


def everyone(writers: Writers) -> list[Hand]:
    pool = writers.of("MNIST")
    return [hand for (hand,) in pool.families if isinstance(hand, Hand)] if pool else []


def test_writers_to_validate_on_are_not_trained_on(data_dir: Path) -> None:
    config = replace(TINY, validation_share=0.4)
    hands = [
        {hand.name for hand in everyone(read_writers(data_dir, [], accept_changed=True, chosen=chosen))}
        for chosen in (lambda group: for_validation(config, group), lambda group: not for_validation(config, group))
    ]
    assert all(hands)
    assert not hands[0] & hands[1]


@given(st.text("012", max_size=5), st.text("012", max_size=5))
def test_edit_distance(one: str, other: str) -> None:
    distance = edit_distance(one, other)
    assert distance == edit_distance(other, one)
    assert abs(len(one) - len(other)) <= distance <= max(len(one), len(other))
    assert (distance == 0) == (one == other)
    assert edit_distance(one + "7", other + "7") == distance


def test_edit_distance_counts_what_is_lost_added_and_changed() -> None:
    assert [edit_distance("1234", text) for text in ("1234", "134", "12534", "1294", "")] == [0, 1, 1, 1, 4]


def test_figures_count_strings_and_characters() -> None:
    read = figures([("100", "100"), ("100", "10"), ("", "7"), ("42", "24")])
    assert (read.count, read.exact) == (4, 0.25)
    assert read.character_errors == pytest.approx(4 / 8)
    assert figures([]).exact == 0
    assert figures([("", "1"), ("", "")]).character_errors == 0.5
    assert reliable([(True, 0.95), (False, 0.9), (True, 0.5), (True, 0.1)], 0.9) == (0.5, 0.5)
    assert reliable([(True, 0.5)], 0.9) == (0, None)


def test_the_temperature_tells_how_often_a_reader_is_right() -> None:
    """Of a thousand lines of one digit, a reader that seems sure is right in seven of ten."""
    random = np.random.default_rng(1)
    logits = np.zeros((4, 11), np.float32)
    logits[[0, 2, 3], 10] = logits[1, 5] = 9
    read = [("5" if random.random() < 0.7 else "6", logits) for _ in range(300)]
    temperature = fitted_temperature(read)
    assert temperature > 1.5
    assert decoded(logits, temperature).probability == pytest.approx(0.7, abs=0.1)


def test_every_released_configuration_of_lines_loads() -> None:
    configs = sorted((Path(__file__).parents[2] / "training" / "lines" / "configs").glob("[!_]*.py"))
    assert configs
    for path in configs:
        assert loaded(path, LinesConfig).lines >= 50_000


@pytest.mark.parametrize(
    "wrong",
    [
        {"version": "1"},
        {"name": "a/b"},
        {"without_digits": 1.5},
        {"steps": 0},
        {"widths": (48, 64)},
        {"widths": (48, 50, 1024)},
        {"widths": (96, 48, 1024)},
        {"precision": "float16"},
    ],
)
def test_a_configuration_that_cannot_be_meant_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ConfigError, match=next(iter(wrong))):
        replace(TINY, **wrong)  # type: ignore[arg-type]


def test_the_command_says_what_is_wrong(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    begun = time.monotonic()
    folders = ["--data-dir", str(tmp_path), "--runs-dir", str(tmp_path / "runs"), "--fonts-dir", str(tmp_path)]
    assert main(["train", "--config", str(tmp_path / "none.py"), *folders]) == 1
    assert "none.py is missing" in capsys.readouterr().err
    (tmp_path / "some.py").write_text("config = 1\n")
    assert main(["train", "--config", str(tmp_path / "some.py"), *folders]) == 1
    assert "of the type LinesConfig" in capsys.readouterr().err
    assert main(["train", *folders]) == 1
    assert "No TrueType or OpenType font" in capsys.readouterr().err
    assert time.monotonic() - begun < 60


def test_labels_and_versions_are_what_kept_pools_rely_on() -> None:
    assert (NO_DIGIT, STEP_WIDTH, LINE_VERSION) == (-1, 2, "1")


def test_wordy_lines_are_words_with_and_without_a_number(writers: Writers) -> None:
    lines = list(wordy_lines(writers, TINY, 80, np.random.default_rng(3)))
    assert 50 <= len(lines) <= 80
    numbered = sum(text != "" for _, text in lines)
    assert 8 <= numbered <= 40
    assert all(fits(pixels.shape[1], text) for pixels, text in lines)


def test_words_have_no_more_letters_that_are_digits_in_many_types_than_others() -> None:
    for seed in range(100):
        words = with_signs("", Signs.LABELLED, np.random.default_rng(seed)).split(" ")
        assert 1 <= len(words) <= 3
        for word in words:
            assert word.isalpha()
            assert len(word) >= 2
            assert sum(letter in "OoIl" for letter in word) <= len(word) / 2


def test_lines_of_words_have_their_share_of_every_batch() -> None:
    ones = {48: _marked("1"), 96: _marked("1")}
    stream = LineStream(ones, replace(TINY, batch_width=4_800, wordy_share=0.3), {48: _marked("9"), 96: _marked("9")})
    batches = [[text_of(row) for row in stream.batch(step)[1]] for step in range(60)]
    assert {len(texts) for texts in batches} == {50, 100}
    shares = [texts.count("9") / len(texts) for texts in batches]
    assert np.mean(shares) == pytest.approx(0.3, abs=0.03)
    assert min(shares) > 0
    assert max(shares) < 0.6
    apart = LineStream({48: _marked("1")}, replace(TINY, wordy_share=0.3), {96: _marked("9")})
    alone = [text_of(apart.batch(step)[1][0]) == "9" for step in range(300)]  # of a width that no other line has
    assert np.mean(alone) == pytest.approx(0.3, abs=0.08)
    without = LineStream(ones, replace(TINY, wordy_share=0.3))
    assert {text_of(row) for step in range(50) for row in without.batch(step)[1]} == {"1"}


def _marked(text: str) -> LineSet:
    return LineSet(np.zeros((4, LINE_HEIGHT, 48), np.uint8), np.full(4, 48, np.int16), labelled([text] * 4))


def test_of_the_odds_against_nothing_few_right_texts_are_lost() -> None:
    logits = np.zeros((4, 11), np.float32)
    logits[[0, 2, 3], 10] = 9
    read = []
    for strength in np.linspace(1, 9, 100):
        one = logits.copy()
        one[1, 5] = strength
        read.append(("5", one))
    least = fitted_odds(read, 1.0, 0.1)
    kept = [np.exp(one[1, 5] - one[1, 10]) >= 0.99 * least for _, one in read]
    assert 0.85 <= np.mean(kept) <= 0.95
    assert fitted_odds([("", logits)], 1.0, 0.1) == 1.0


def test_digits_in_common_with_the_text_are_right() -> None:
    logits = np.zeros((6, 11), np.float32)
    logits[[0, 2, 4, 5], 10] = logits[1, 5] = logits[3, 7] = 9
    confidences, right = digit_answers([("57", logits), ("59", logits), ("7", logits)], 1.0)
    assert len(confidences) == 6
    assert right.tolist() == [True, True, True, False, False, True]


def test_blanks_are_lowered_as_far_as_texts_get_better() -> None:
    logits = np.zeros((4, 11), np.float32)
    logits[[0, 2, 3], 10] = 9
    logits[1, 5], logits[1, 10] = 4.0, 5.1  # lost by a little
    sure = np.zeros((4, 11), np.float32)
    sure[:, 10] = 4
    sure[:, 3] = 1.5
    assert fitted_blank_bias([("5", logits), ("", sure), ("", sure)]) == 1.25
    assert fitted_blank_bias([("", sure)]) == 0


def test_a_reader_with_lower_blanks_is_the_same_reader_but_for_them() -> None:
    network = line_reader(ReaderSize())
    line = reader_input(np.random.default_rng(1).integers(0, 256, (1, LINE_HEIGHT, 64)).astype(np.uint8))
    before = np.asarray(network(line, training=False))
    after = np.asarray(with_blank_bias(network, 1.5)(line, training=False))
    np.testing.assert_allclose(after[..., :10], before[..., :10], atol=1e-5)
    np.testing.assert_allclose(after[..., 10], before[..., 10] - 1.5, atol=1e-5)
    np.testing.assert_allclose(np.asarray(network(line, training=False)), before)
