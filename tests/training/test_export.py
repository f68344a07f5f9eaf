"""Flat buffers: what is in them, and what they take."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter

from app.conversion import flat_buffer
from training.export import round_weights, tflite_int8_bytes
from training.latency import main
from training.model import digit_network, reference_network


def kernels(network: keras.Model) -> list[np.ndarray]:
    return [np.asarray(layer.kernel) for layer in network.layers if hasattr(layer, "kernel")]


@pytest.mark.parametrize("build", [reference_network, digit_network])
def test_rounded_weights_are_whole_steps_and_stay_as_they_are(build: type[keras.Model]) -> None:
    network = build()
    last = network.layers[-1]
    last.kernel.assign(np.asarray(last.kernel) * (np.arange(11) != 4))
    before = kernels(network)
    round_weights(network)
    after = kernels(network)
    assert any((old != new).any() for old, new in zip(before, after, strict=True))
    for old, new in zip(before, after, strict=True):
        largest = np.abs(old).max(axis=tuple(range(old.ndim - 1)))
        steps = 127 * new / np.where(largest > 0, largest, 1)
        assert np.abs(steps - steps.round()).max() < 1e-3
        assert np.abs(new - old).max() <= largest.max() / 254 + 1e-6
    assert not after[-1][:, 4].any()
    round_weights(network)
    for once, twice in zip(after, kernels(network), strict=True):
        assert np.abs(once - twice).max() < 1e-6


def test_the_integer_variant_has_weights_of_8_bits_and_activations_of_16() -> None:
    glyphs = np.random.default_rng(1).integers(0, 256, (4, 28, 28)).astype(np.uint8)
    network = reference_network()
    exported = tflite_int8_bytes(network, glyphs)
    assert len(exported) < len(flat_buffer(network)) / 2
    interpreter = Interpreter(model_content=exported)
    interpreter.allocate_tensors()
    assert interpreter.get_input_details()[0]["dtype"] == interpreter.get_output_details()[0]["dtype"] == np.float32
    tensors = [tensor for tensor in interpreter.get_tensor_details() if len(tensor["shape"])]
    floats = [tensor for tensor in tensors if tensor["dtype"] == np.float32]
    assert len(floats) == 2  # the glyph and the logits
    assert sum(int(np.prod(tensor["shape"])) for tensor in tensors if tensor["dtype"] == np.int8) > 100_000
    assert any(tensor["dtype"] == np.int16 for tensor in tensors)


def test_the_time_of_networks_is_printed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("training.latency.LITERT_CALLS", 20)
    path, network = tmp_path / "model.tflite", reference_network()
    path.write_bytes(flat_buffer(network))
    network.save(tmp_path / "model.keras")
    main([str(path), str(tmp_path / "model.keras"), "--batch", "4"])
    of_tflite, of_keras = capsys.readouterr().out.splitlines()
    assert of_tflite.startswith(f"{path}: 0.")
    assert " ms a glyph, 4 at once, on one thread of " in of_tflite
    assert of_keras.startswith(f"{tmp_path / 'model.keras'}: ")
    with pytest.raises(SystemExit):
        main([str(path), "--batch", "0"])
    assert "--batch is 0" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main([str(path), str(tmp_path / "other.tflite")])
    assert "other.tflite is not there" in capsys.readouterr().err
