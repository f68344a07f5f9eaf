"""The file of answers: what a run that was stopped at any moment leaves, and how the next goes on."""

from __future__ import annotations

import json
import resource
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.bulk.answers import OutputError, answered_in, writing


def line(name: str, status: int) -> dict[str, Any]:
    """An answer for status 200, else a problem; 0 is that of a file that cannot be read."""
    problem = {"title": "?", "detail": "…", **({"status": status} if status else {})}
    return {"file": name, "text": "35"} if status == 200 else {"file": name, "problem": problem}


FINAL = {200, 413, 415, 422}
statuses = st.sampled_from([200, 200, 200, 0, 400, 413, 415, 422, 500, 503, 504])


@given(st.lists(statuses, max_size=8), st.integers(0, 2**16))
def test_a_file_cut_anywhere_is_mended_and_gone_on_with(answers: list[int], cut: int) -> None:
    lines = [line(f"{number} ü.png", status) for number, status in enumerate(answers)]
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder) / "out.jsonl"
        with writing(output) as write:
            for one in lines:
                write(one)
        text = output.read_bytes()
        kept = text[: cut % (len(text) + 1)]
        output.write_bytes(kept)
        whole = kept.count(b"\n") + (kept != b"" and kept + b"\n" in text and not kept.endswith(b"\n"))

        answered = answered_in(output)
        expected = {f"{number} ü.png" for number, status in enumerate(answers[:whole]) if status in FINAL}
        assert {one["file"] for one in lines if Path(one["file"]) in answered} == expected
        with writing(output) as write:
            write(line("next.png", 200))
        read = [json.loads(text) for text in output.read_text().splitlines()]
    assert read == [*lines[:whole], line("next.png", 200)]


@pytest.mark.parametrize(
    "content",
    [b"35\n", b'{"text": "35"}\n', b'{"file": 3}\n', b'{"file": "a", "text": "1"}\n\x89PNG', b"\x89PNG", b"{}\n"],
)
def test_what_is_no_file_of_answers_stays_as_it_is(content: bytes, tmp_path: Path) -> None:
    output = tmp_path / "photo.png"
    output.write_bytes(content)
    with pytest.raises(OutputError, match="is no answer"):
        answered_in(output)
    assert output.read_bytes() == content


def test_folders_and_devices_are_no_files_of_answers(tmp_path: Path) -> None:
    for output in (tmp_path, Path("/dev/zero")):
        with pytest.raises(OutputError, match="is no file"):
            answered_in(output)
    with pytest.raises(OutputError, match="cannot be written"), writing(tmp_path / "no" / "out.jsonl"):
        pass


def test_a_full_disk_is_told_and_the_half_line_mended(tmp_path: Path) -> None:
    output = tmp_path / "out.jsonl"
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    try:
        with writing(output) as write:
            write(line("a.png", 200))
            resource.setrlimit(resource.RLIMIT_FSIZE, (50, before[1]))
            with pytest.raises(OutputError, match="cannot be written"):
                write(line("b.png", 200))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert output.stat().st_size == 50
    assert Path("a.png") in answered_in(output)
    assert [json.loads(text) for text in output.read_text().splitlines()] == [line("a.png", 200)]
