"""What is wrong with a run is said before hours are spent, in one line; what was done by then is kept."""

from __future__ import annotations

import errno
import itertools
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import cv2
import keras
import numpy as np
import pytest

from app.calibration import NON_DIGIT
from tests.samples.draw import pen_number
from training.__main__ import main
from training.config import ConfigError, SourcePlan, TrainingConfig, load_config
from training.data import TrainingData, training_data
from training.export import publish, refuse_to_start
from training.fonts import NoFonts
from training.model import NETWORKS, reference_network
from training.own import read_own
from training.resume import NoSpace
from training.run import Places, pooled_data, run
from training.sets import GlyphSet, ImageSet
from training.sources import EVALUATION_SOURCES, SOURCES, DataError, Source, read_source
from training.stream import Share
from training.train import TrainingFailed, fitted_network, learning_curves

KNOWN = {source.name: source for source in SOURCES}


@pytest.fixture
def _nothing_may_be_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("training.data.GlyphMaker", None)


# A training of a second.
SHORT = TrainingConfig("0.0.7", (), network="plain", batch_size=8, steps=3, epochs=4, calm_epochs=2)


@pytest.fixture(scope="module", autouse=True)
def _nothing_by_chance() -> Iterator[None]:
    """No dropout, and the batches of an epoch in their order: both are drawn anew where a run goes on."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("random.shuffle", lambda _: None)
        patch.setitem(NETWORKS, "plain", lambda: reference_network(dropout=0))
        yield


@pytest.fixture(scope="module")
def data() -> TrainingData:
    """Noise of all classes, in the place of a pool."""
    random = np.random.default_rng(1)
    glyphs = random.integers(0, 256, (110, 28, 28)).astype(np.uint8)
    labels = (np.arange(110) % 11).astype(np.uint8)
    images = ImageSet.of_glyphs(GlyphSet(glyphs, labels))
    return TrainingData([Share("noise", GlyphSet(glyphs, labels), 1.0)], images, {"noise": images}, [])


@pytest.fixture(scope="module")
def whole(data: TrainingData, tmp_path_factory: pytest.TempPathFactory) -> tuple[list[np.ndarray], list[float]]:
    """Weights and losses of a training that nothing stopped."""
    folder = tmp_path_factory.mktemp("whole")
    return fitted_network(SHORT, data, folder).get_weights(), learning_curves(folder)["loss"]


def no_space(*_: object, **__: object) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def stop(*_: object) -> Path:
    raise KeyboardInterrupt


@pytest.mark.parametrize("source", [*SOURCES, *EVALUATION_SOURCES], ids=lambda source: source.name)
def test_another_file_than_the_recorded_one_is_refused(source: Source, tmp_path: Path) -> None:
    (tmp_path / source.file).write_bytes(b"PK\x03\x04 not really")
    with pytest.raises(DataError, match=rf"{source.file} is damaged or changed: .* --accept-changed-data"):
        read_source(source, tmp_path)
    with pytest.raises(DataError, match=rf"{source.file} is damaged \("):
        read_source(source, tmp_path, accept_changed=True)


def test_the_files_of_the_data_folder_are_the_recorded_ones() -> None:
    folder = Path(os.environ.get("DIGIT_OCR_DATA_DIR", "nowhere"))
    if not folder.is_dir():
        pytest.skip("needs the data sets: DIGIT_OCR_DATA_DIR names no folder")
    for source in (*SOURCES, *EVALUATION_SOURCES):
        if (folder / source.file).exists():  # read nothing of it: that takes long
            unread = replace(source, read=lambda _: iter(()))
            assert len(read_source(unread, folder)[1]) == 64


def test_the_writers_beside_mnist_are_checked_too(data_dir: Path, tmp_path: Path) -> None:
    shutil.copy(data_dir / "mnist.npz", tmp_path)
    assert len(read_source(KNOWN["MNIST"], tmp_path, accept_changed=True)[0]) == 300
    (tmp_path / "mnist_writers.npz").write_bytes(b"others")
    with pytest.raises(DataError, match=r"mnist\.npz is damaged \("):
        read_source(KNOWN["MNIST"], tmp_path, accept_changed=True)


@pytest.mark.usefixtures("_nothing_may_be_drawn")
def test_all_data_are_checked_before_a_glyph_is_drawn(tiny: TrainingConfig, places: Places, tmp_path: Path) -> None:
    def start(data_dir: Path, fonts_dir: Path, *names: str, accept_changed: bool = True) -> None:
        config = replace(tiny, sources=(*tiny.sources, *(SourcePlan(name, 1, 1.0) for name in names)))
        training_data(config, data_dir, fonts_dir, 1, accept_changed=accept_changed)

    with pytest.raises(NoFonts, match=r"fonts\.txt"):
        start(places.data_dir, tmp_path / "nowhere")
    with pytest.raises(ConfigError, match="MNLST"):
        start(places.data_dir, places.fonts_dir, "MNLST")
    with pytest.raises(DataError, match=r"optdigits\.npz, semeion\.npz are missing in .*nowhere"):
        start(tmp_path / "nowhere", places.fonts_dir, "optdigits", "semeion")
    with pytest.raises(DataError, match=r"mnist\.npz is damaged or changed"):
        start(places.data_dir, places.fonts_dir, accept_changed=False)
    shutil.copy(places.data_dir / "mnist.npz", tmp_path)
    (tmp_path / "cvl_dev.npz").write_bytes(b"only measured on")
    with pytest.raises(DataError, match=r"cvl_dev\.npz is damaged"):
        start(tmp_path, places.fonts_dir)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("config = TrainingConfig(version='1.0.0', sources=(), epoch=3)", "epoch"),
        ("config = TrainingConfig(sources=())", "version"),
        ("config = TrainingConfig(version='1.0', sources=())", "three numbers"),
        ("config = TrainingConfig(version='1.0.0', sources=(), name='../digits')", "names a folder"),
        ("config = TrainingConfig(version='1.0.0', sources=(), risk=5)", "risk is 5; it is a share"),
        ("config = TrainingConfig(version='1.0.0', sources=(), precision='float8')", "float32, mixed_bfloat16"),
        ("config = TrainingConfig(version='1.0.0', sources=(), epochs=0)", "epochs is 0; it is 1 at least"),
        ("config = TrainingConfig(version='1.0.0', sources=(SourcePlan('MNIST', -1, 1),))", "negative"),
        ("config = 7", "sets no `config`"),
        ("import nowhere", "nowhere"),
    ],
)
def test_a_wrong_configuration_is_named(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "c.py").write_text(f"from training.config import SourcePlan, TrainingConfig\n{text}\n")
    with pytest.raises(ConfigError, match=rf"c\.py.*{message}"):
        load_config(tmp_path / "c.py")
    with pytest.raises(ConfigError, match=r"missing\.py is missing"):
        load_config(tmp_path / "missing.py")


def test_own_images_are_checked_before_anything_else(tmp_path: Path) -> None:
    digit = cv2.imencode(".png", pen_number("5", 40, 4))[1].tobytes()
    with pytest.raises(DataError, match="no folder"):
        read_own(tmp_path / "nowhere")
    (tmp_path / "5").mkdir()
    (tmp_path / "5" / "a.png").write_bytes(digit)
    with pytest.raises(DataError, match="at least two"):
        read_own(tmp_path)
    (tmp_path / "none").mkdir()
    with pytest.raises(DataError, match="none is empty"):
        read_own(tmp_path)
    (tmp_path / "none" / "b.txt").write_text("no image")
    with pytest.raises(DataError, match=r"b\.txt"):
        read_own(tmp_path)
    (tmp_path / "none" / "b.txt").write_bytes(digit)
    items, digest = read_own(tmp_path)
    assert [item.label for item in items] == [5, NON_DIGIT]
    assert len(digest) == 64
    (tmp_path / "five").mkdir()
    with pytest.raises(DataError, match="five"):
        read_own(tmp_path)


@pytest.mark.usefixtures("_nothing_may_be_drawn")
@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--config", "{tmp}/nowhere.py"], "nowhere.py is missing"),
        (["--config", "{tmp}/wrong.py"], "There is no network 'dijits'"),
        (["--config", "{tmp}/more.py", "--data-dir", "{tmp}/nowhere"], "optdigits.npz is missing in {tmp}/nowhere"),
        (["--fonts-dir", "{tmp}/empty"], "No TrueType or OpenType font under {tmp}/empty"),
        (["--images", "{tmp}/nowhere"], "{tmp}/nowhere is no folder"),
        (["--models-dir", "{tmp}/file"], "{tmp}/file/digits cannot be written to (Not a directory)"),
        (["--runs-dir", "{tmp}/file"], "cannot be written to (Not a directory)"),
        (["--version", "one"], "The version is 'one'"),
        ([], "mnist.npz is damaged or changed"),
    ],
)
def test_the_command_says_in_a_line_what_is_wrong(
    options: list[str], message: str, places: Places, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").touch()
    text = "from training.config import SourcePlan, TrainingConfig\nconfig = TrainingConfig(version='1.0.0', {})\n"
    (tmp_path / "mnist.py").write_text(text.format("sources=(SourcePlan('MNIST', 1, 1.0),)"))
    (tmp_path / "more.py").write_text(text.format("sources=(SourcePlan('optdigits', 1, 1.0),)"))
    (tmp_path / "wrong.py").write_text(text.format("sources=(), network='dijits'"))
    given = {
        "--config": str(tmp_path / "mnist.py"),
        "--data-dir": str(places.data_dir),
        "--fonts-dir": str(places.fonts_dir),
        "--models-dir": str(places.models_dir),
        "--runs-dir": str(places.runs_dir),
    }
    given |= {name: value.format(tmp=tmp_path) for name, value in zip(options[::2], options[1::2], strict=True)}
    assert main(["train", *(word for pair in given.items() for word in pair)]) == 1
    said = capsys.readouterr().err
    assert said.startswith("training: ")
    assert message.format(tmp=tmp_path) in said
    assert said.count("\n") == 1
    assert not [path for path in places.models_dir.rglob("*") if path.name != "digits"]


def test_a_folder_that_cannot_be_written_to_is_found_before_a_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    refuse_to_start(tmp_path / "models" / "1.0.0", tmp_path / "models", tmp_path / "runs")
    with monkeypatch.context() as patch:
        patch.setattr("shutil.disk_usage", lambda _: SimpleNamespace(free=2**30))
        with pytest.raises(NoSpace, match="1,024 MiB left"):
            refuse_to_start(tmp_path / "models" / "1.0.0", tmp_path / "models")
    monkeypatch.setattr("tempfile.TemporaryFile", no_space)  # as on a read-only disk, or a full one
    with pytest.raises(NoSpace, match="models cannot be written to"):
        refuse_to_start(tmp_path / "models" / "1.0.0", tmp_path / "models")


def test_a_full_disk_leaves_no_half_of_a_pool(
    tiny: TrainingConfig, places: Places, data: TrainingData, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("training.run.training_data", lambda *_: data)

    def half(path: Path, **_: object) -> None:
        path.write_bytes(b"half of it")
        no_space()

    with monkeypatch.context() as patch:
        patch.setattr(np, "savez", half)
        with pytest.raises(NoSpace, match=r"pool\.npz could not be written \(No space left"):
            pooled_data(tiny, places, 1)
    assert list(places.run_dir(tiny).iterdir()) == []
    pooled_data(tiny, places, 1)
    (pool,) = places.run_dir(tiny).iterdir()
    pool.write_bytes(pool.read_bytes()[:-100])
    with pytest.raises(DataError, match=r"pool\.npz is damaged .*; remove it"):
        pooled_data(tiny, places, 1)


def test_a_stop_leaves_no_half_of_a_version(tmp_path: Path) -> None:
    def stopped(folder: Path) -> None:
        (folder / "model.keras").write_bytes(b"half a mod")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        publish(tmp_path / "digits" / "1.0.0", stopped)
    assert list((tmp_path / "digits").iterdir()) == []


def test_a_stopped_command_says_so(
    places: Places, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("training.run.run", stop)
    assert main(["train", "--data-dir", str(places.data_dir), "--models-dir", str(places.models_dir)]) == 130
    assert capsys.readouterr().err == "training: stopped; the same command goes on from what is kept.\n"


# Ctrl-C in the middle of the third epoch of three batches, and as its state is written; a disk that fills up then.
@pytest.mark.parametrize(
    ("owner", "method", "time", "happens", "error", "message"),
    [
        (keras.callbacks.TerminateOnNaN, "on_batch_end", 8, stop, TrainingFailed, "Stopped; the same command goes on"),
        (keras.Model, "save_weights", 3, stop, TrainingFailed, "Stopped; the same command goes on"),
        (keras.Model, "save_weights", 3, no_space, NoSpace, "No space left on device.*make room"),
    ],
)
def test_a_stopped_run_goes_on_as_if_it_had_not_been_stopped(
    owner: type,
    method: str,
    time: int,
    happens: Callable[[], object],
    error: type[Exception],
    message: str,
    data: TrainingData,
    whole: tuple[list[np.ndarray], list[float]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    calls = itertools.count(1)
    original = getattr(owner, method)
    with monkeypatch.context() as patch:
        patch.setattr(owner, method, lambda *a, **k: original(*a, **k) if next(calls) < time else happens())
        with pytest.raises(error, match=message):
            fitted_network(SHORT, data, tmp_path)
    with (tmp_path / "epochs.csv").open("a") as file:
        file.write("2,0.")  # a line that a full disk cut off
    weights, losses = whole
    for one, other in zip(weights, fitted_network(SHORT, data, tmp_path).get_weights(), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5)
    curves = learning_curves(tmp_path)
    assert curves["epoch"] == [0, 1, 2, 3]
    assert curves["loss"] == pytest.approx(losses, abs=1e-4)


def test_the_state_of_another_network_is_refused(data: TrainingData, tmp_path: Path) -> None:
    (tmp_path / "backup").mkdir()
    NETWORKS["reference"]().save_weights(tmp_path / "backup" / "latest.weights.h5")
    with pytest.raises(TrainingFailed, match=r"latest\.weights\.h5 is damaged, or of another network"):
        fitted_network(replace(SHORT, network="digits"), data, tmp_path)


def test_an_unknown_network_is_refused_before_anything_is_drawn(
    tiny: TrainingConfig, places: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("training.run.pooled_data", None)
    with pytest.raises(ConfigError, match="There is no network 'dijits'; there are reference, digits"):
        run(replace(tiny, network="dijits"), places, 1, "the command")
