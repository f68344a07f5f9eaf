"""`python -m tests.robustness.decoding FIRST END REPORT`: decodes mutants, and writes what must not be to REPORT.

A process of its own: a decoder in C that fails takes its process along. REPORT always begins with the number of the
mutant that is being decoded, so that whoever waits knows which one it was.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import time
from pathlib import Path

import numpy as np

from app.errors import InputError
from app.imaging.decode import WORKING_PIXELS, decode_colour, decode_image
from tests.robustness.mutations import mutant

MAX_PIXELS = 1_000_000
# A million pixels of four bytes each, copies of them, and what the decoders need for themselves.
ALLOWED_MIB = 96
# No mutant is so large or has so many pixels that it takes a tenth of this on a busy machine.
ALLOWED_SECONDS = 10.0
_WARM_UP = range(10**9, 10**9 + 200)
_NUMBER = 12  # bytes of the number, with its line feed


def complaint(data: bytes) -> str:
    """What is wrong with how these bytes are decoded; empty where nothing is."""
    try:
        image = decode_image(data, MAX_PIXELS)
    except InputError as error:
        return "" if str(error) else f"{type(error).__name__} says nothing"
    except Exception as error:
        return f"decode_image raised {error!r}"
    height, width = image.pixels.shape
    if image.pixels.dtype != np.uint8 or not 0 < height * width <= WORKING_PIXELS:
        return f"decode_image gave {image.pixels.dtype} pixels of the shape {image.pixels.shape}"
    if (width, height) != (image.size.width, image.size.height) or height * width > MAX_PIXELS:
        return f"decode_image gave {width} × {height} pixels of an image of {image.size}"
    try:
        colour = decode_colour(data, MAX_PIXELS)
    except InputError:
        return ""
    except Exception as error:
        return f"decode_colour raised {error!r}"
    if colour.dtype != np.uint8 or colour.shape != (height, width, 3):
        return f"decode_colour gave {colour.dtype} pixels of the shape {colour.shape} where grey is {width} × {height}"
    return ""


def main(first: int, end: int, report: Path) -> None:
    with report.open("wb", buffering=0) as file:
        for index in _WARM_UP:
            complaint(mutant(index)[1])
        peak = _peak_mib()
        for index in range(first, end):
            os.pwrite(file.fileno(), f"{index:{_NUMBER - 1}}\n".encode(), 0)
            recipe, data = mutant(index)
            started = time.monotonic()
            wrong = complaint(data)
            seconds = time.monotonic() - started
            if not wrong and seconds > ALLOWED_SECONDS:
                wrong = f"it took {seconds:.1f} s"
            if _peak_mib() > peak + ALLOWED_MIB:
                wrong = wrong or f"the peak of memory rose by {_peak_mib() - peak:.0f} MiB"
                peak = _peak_mib()
            if wrong:
                file.seek(0, os.SEEK_END)
                file.write(json.dumps({"index": index, "recipe": recipe, "complaint": wrong}).encode() + b"\n")


def _peak_mib() -> float:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (2**20 if sys.platform == "darwin" else 1024)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3]))
