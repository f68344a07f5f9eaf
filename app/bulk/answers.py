"""The file of answers: one JSON line a file, appended as it comes, by which a run that was stopped goes on."""

from __future__ import annotations

import json
from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from app.bulk.listing import path_digest
from app.errors import OcrError

Line = dict[str, Any]

# Problems of the image itself, which no second try mends: too large, no image, damaged.
_FINAL_STATUSES = frozenset({413, 415, 422})
_BEGINNING = b'{"file": '


class OutputError(OcrError):
    """The file of answers cannot be written, or is none."""


class Answered:
    """The files that need no second try. Holds 8 bytes a file, not its path."""

    def __init__(self, paths: Iterable[str] = ()) -> None:
        self._digests = array("Q", map(path_digest, paths))
        if self._digests:
            np.frombuffer(self._digests, np.uint64).sort()  # in place

    def __contains__(self, path: object) -> bool:
        digest = path_digest(str(path))
        place = bisect_left(self._digests, digest)
        return place < len(self._digests) and self._digests[place] == digest


def unreadable(path: Path, error: OSError | ValueError) -> Line:
    """The line of a file that cannot be read; a ValueError is that of a name that no file has, with a NUL in it."""
    why = error.strerror if isinstance(error, OSError) else error
    problem = {"title": "Unreadable file", "detail": f"{path} cannot be read: {why}."}
    return {"file": str(path), "problem": problem}


def answered_in(output: Path) -> Answered:
    """What a file of answers has answers of, none where there is no such file; and its last line is made whole.

    A run that was killed may have left half a line: it goes, and its file is asked for again. A file with a problem
    that may pass (an unreadable file, a deadline) is not answered. Raises OutputError where a line is no answer.
    """
    if output.exists() and not output.is_file():  # a folder, or a device that never ends
        raise OutputError(f"{output} is no file that answers can be appended to.")
    try:
        with output.open("r+b") as file:
            answered = Answered(_answered(file, output))
            _mend(file)
            return answered
    except FileNotFoundError:
        return Answered()
    except OSError as error:
        raise OutputError(f"{output} cannot be read and written: {error.strerror}.") from error


@contextmanager
def writing(output: Path | None) -> Iterator[Callable[[Line], None]]:
    """What writes a line, at once, at the end of a file of answers, or on stdout where there is none.

    What is no UTF-8 in a file's name comes back from `json.loads` as it went. Raises OutputError, as the writing does.
    """
    if output is None:
        yield lambda line: print(json.dumps(line), flush=True)
        return
    try:
        file = output.open("ab", buffering=0)  # a buffer that the disk has no room for would fail again at the end
    except OSError as error:
        raise OutputError(f"{output} cannot be written: {error.strerror}.") from error

    def write(line: Line) -> None:
        left = memoryview(json.dumps(line).encode() + b"\n")
        try:
            while left:
                left = left[file.write(left) :]
        except OSError as error:
            raise OutputError(f"{output} cannot be written: {error.strerror}.") from error

    with file:
        yield write


def _answered(file: BinaryIO, output: Path) -> Iterator[str]:
    """The files with an answer or a final problem among the lines; a last one without an end is left out."""
    for number, text in enumerate(file, 1):
        whole = text.endswith(b"\n")
        line = _line(text)
        # Half a line, but of answers: nobody's picture is cut because its name was given as the output.
        if line is None and (whole or not (text.startswith(_BEGINNING) or _BEGINNING.startswith(text))):
            raise OutputError(f"Line {number} of {output} is no answer of digit-ocr; is it the right file?")
        if line is not None and _is_answered(line):
            yield line["file"]


def _line(text: bytes) -> Line | None:
    try:
        line = json.loads(text)
    except ValueError:
        return None
    return line if isinstance(line, dict) and isinstance(line.get("file"), str) else None


def _is_answered(line: Line) -> bool:
    return "problem" not in line or line["problem"].get("status") in _FINAL_STATUSES


def _mend(file: BinaryIO) -> None:
    """Ends the last line, where all but its end is there; cuts it off where it is not."""
    size = file.seek(0, 2)
    start = size
    while start > 0:  # back to the last line feed
        step = min(start, 1 << 16)
        file.seek(start - step)
        found = file.read(step).rfind(b"\n")
        if found >= 0:
            start += found + 1 - step
            break
        start -= step
    file.seek(start)
    rest = file.read()
    if rest and _line(rest) is not None:
        file.write(b"\n")
    else:
        file.truncate(start)
