"""Glyphs and lines → logits: networks as flat buffers, run by LiteRT on the thread that asks."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

import numpy as np
from ai_edge_litert.interpreter import Interpreter
from numpy.typing import NDArray

from app.alignment import BLANK
from app.calibration import LABELS
from app.errors import ModelMismatch
from app.imaging.glyph import GLYPH_SIDE, network_input
from app.imaging.line import LINE_HEIGHT, STEP_WIDTH

# Lines are widened to the next of these: an interpreter prepares itself anew for every other width.
LINE_WIDTHS = (64, 96, 128, 160, 192, 224, 256, 320, 384, 448, 512, 640, 768, 1024)
# So many pixels of line, together, go through the reader at once: more is not faster, and takes memory.
_MOST_LINE_PIXELS = 4096
# So many glyphs: each costs an eighth less than a lone one from 16 on (`python -m training.latency --batch`).
_MOST_GLYPHS = 32


class Classifier(Protocol):
    """A network, ready to run. Called by one thread at a time."""

    def logits(self, images: NDArray[np.uint8], /) -> NDArray[np.float32]:
        """Logits, float32, of n ≥ 1 images of one size: (n, 11) of glyphs, (n, 28, 28) uint8.

        Or (n, w / 2, 11) of lines, (n, 32, w), w one of LINE_WIDTHS.
        """
        ...


class GlyphClassifier:
    """The network of single digits."""

    def __init__(self, flat_buffer: bytes, source: Path) -> None:
        """Prepares the network of a flat buffer, which `source` gave.

        Raises ModelMismatch where it is none, or has other inputs or outputs.
        """
        self._network = Network(flat_buffer, source)
        shape = self._network.run(np.zeros((1, GLYPH_SIDE, GLYPH_SIDE, 1), np.float32)).shape
        if shape != (1, len(LABELS)):
            raise ModelMismatch(f"{source} gives outputs of the shape {shape}; this service needs 11 logits a glyph.")

    def logits(self, glyphs: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Logits, (n, 11) float32, of glyphs, (n, 28, 28) uint8, n ≥ 1."""
        return self._network.run_in_parts(glyphs, _MOST_GLYPHS)


class LineReader:
    """The network of lines, which reads digits without parting them."""

    def __init__(self, flat_buffer: bytes, source: Path) -> None:
        """Prepares the network of a flat buffer, which `source` gave.

        Raises ModelMismatch where it is none, or has other inputs or outputs.
        """
        self._network = Network(flat_buffer, source)
        for width in LINE_WIDTHS[:2]:
            shape = self._network.run(np.zeros((1, LINE_HEIGHT, width, 1), np.float32)).shape
            if shape != (1, width // STEP_WIDTH, BLANK + 1):
                raise ModelMismatch(
                    f"{source} gives outputs of the shape {shape} for {width} columns; this service needs 11 logits "
                    f"for each {STEP_WIDTH} of them."
                )

    def logits(self, lines: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Logits, (n, w / 2, 11) float32, of lines, (n, 32, w) uint8, n ≥ 1, w one of LINE_WIDTHS."""
        return self._network.run_in_parts(lines, max(1, _MOST_LINE_PIXELS // lines.shape[2]))


class Network:
    """One interpreter of one thread. It takes any shape, and keeps what it prepared for the last one.

    To prepare for another costs a tenth of a millisecond: less than a copy of the weights for every shape is worth.
    """

    def __init__(self, flat_buffer: bytes, source: Path) -> None:
        self._source = source
        try:
            self._interpreter = Interpreter(model_content=flat_buffer, num_threads=1)
            self._input = self._interpreter.get_input_details()[0]["index"]
            self._output = self._interpreter.get_output_details()[0]["index"]
        except (ValueError, RuntimeError, IndexError) as error:
            raise ModelMismatch(f"{source} is no flat buffer of a network ({error}); copy the version anew.") from error
        self._shape: tuple[int, ...] = ()

    def run_in_parts(self, images: NDArray[np.uint8], most: int) -> NDArray[np.float32]:
        """The outputs for (n, h, w) uint8, of which `most` go through the network at once."""
        if len(images) <= most:
            return self.run(network_input(images))
        parts = [self.run(network_input(images[i : i + most])) for i in range(0, len(images), most)]
        return np.concatenate(parts)

    def run(self, inputs: NDArray[np.float32]) -> NDArray[np.float32]:
        """The outputs for (n, h, w, 1) float32. Raises ModelMismatch where the network takes no such shape."""
        if inputs.shape != self._shape:
            self._shape = ()
            try:
                self._interpreter.resize_tensor_input(self._input, inputs.shape, strict=True)
                self._interpreter.allocate_tensors()
            except (ValueError, RuntimeError) as error:
                raise ModelMismatch(f"{self._source} takes no inputs of the shape {inputs.shape} ({error}).") from error
            self._shape = inputs.shape
        self._interpreter.set_tensor(self._input, inputs)
        self._interpreter.invoke()
        outputs: NDArray[np.float32] = self._interpreter.get_tensor(self._output)
        return outputs
