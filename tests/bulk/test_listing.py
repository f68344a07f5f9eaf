"""Which files: folders, lists, shards."""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.bulk.answers import Answered
from app.bulk.listing import ListingError, Selection, Shard, image_files, listed, path_digest, sorted_image_files

names = st.text(st.characters(blacklist_characters="\0/", blacklist_categories=["Cs"]), min_size=1, max_size=8)


@given(st.sets(names, max_size=60), st.integers(1, 9), st.randoms(use_true_random=False))
def test_the_shards_have_every_file_once_whatever_the_order(found: set[str], count: int, order: random.Random) -> None:
    paths = [Path("scans") / name for name in found]
    taken: list[Path] = []
    for index in range(count):
        order.shuffle(paths)  # every machine lists the folder in its own order
        taken += Selection(list(paths), Shard(index, count), Answered())
    assert sorted(taken) == sorted(paths)


def test_shards_are_of_about_one_size() -> None:
    paths = [Path(f"scans/{number:06}.png") for number in range(8000)]
    sizes = [sum(1 for path in paths if Shard(index, 8).has(path)) for index in range(8)]
    assert all(850 < size < 1150 for size in sizes), sizes  # 30 is one standard deviation


def test_a_file_stays_in_its_shard_from_release_to_release() -> None:
    """A job whose pods are of two releases would else lose files."""
    assert [path_digest(path) % 1000 for path in ("scans/1.png", "scans/2.png", "/images/ü.png")] == [502, 789, 885]


@given(st.sets(names, max_size=30), st.sets(names, max_size=30))
def test_what_is_answered_is_passed_over(found: set[str], answered: set[str]) -> None:
    selection = Selection([Path(name) for name in found], None, Answered(str(Path(name)) for name in answered))
    left = {str(path) for path in selection}
    assert left == {str(Path(name)) for name in found} - {str(Path(name)) for name in answered}
    assert selection.passed_over == selection.found - len(left)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "b" / "deeper").mkdir(parents=True)
    for name in ("c.png", "a.JPG", "b/1.tif", "b/deeper/x.webp", "b.png", "notes.txt"):
        (tmp_path / name).touch()
    (tmp_path / "b" / "round.png").symlink_to(tmp_path)  # a link to a folder, whatever its name
    (tmp_path / "linked.png").symlink_to(tmp_path / "notes.txt")
    return tmp_path


def test_images_of_folders_are_found_and_links_lead_nowhere_back(folder: Path) -> None:
    inside = ["a.JPG", "b/1.tif", "b/deeper/x.webp", "b.png", "c.png", "linked.png"]
    given_files = [folder / "notes.txt", folder]
    assert list(sorted_image_files(given_files)) == [folder / name for name in ["notes.txt", *inside]]
    assert sorted(image_files(given_files)) == sorted(sorted_image_files(given_files))


def test_a_folder_that_cannot_be_listed_is_not_silently_empty(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scandir = os.scandir

    def scan(path: Path) -> object:
        if path.name == "b":
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", scan)
    assert folder / "b" in image_files([folder])


def test_a_list_has_a_path_a_line(tmp_path: Path) -> None:
    (tmp_path / "list").write_bytes(b"a.png\r\n\nb c.png\n\xff.png\nlast.png")
    assert [os.fsencode(path) for path in listed(tmp_path / "list")] == [b"a.png", b"b c.png", b"\xff.png", b"last.png"]
    with pytest.raises(ListingError, match="missing"):
        list(listed(tmp_path / "missing"))
