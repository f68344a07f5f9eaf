"""The handwriting of npm: pinned, free, from no registry in particular, and drawn like any other font."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from fontTools.ttLib import TTFont  # type: ignore[import-untyped]  # matplotlib brings it; it has no types

from training.fonts import draw_text, find_fonts

HANDWRITING = Path(__file__).parents[2] / "training" / "handwriting"
PINS: dict[str, str] = json.loads((HANDWRITING / "package.json").read_text())["dependencies"]
LOCKED: dict[str, dict[str, object]] = json.loads((HANDWRITING / "package-lock.json").read_text())["packages"]


def test_the_lock_has_the_pinned_packages_and_no_others() -> None:
    assert LOCKED[""]["dependencies"] == PINS
    assert {f"node_modules/{name}" for name in PINS} == set(LOCKED) - {""}


@pytest.mark.parametrize("name", PINS)
def test_every_package_is_pinned_and_free_and_from_no_registry_in_particular(name: str) -> None:
    entry = LOCKED[f"node_modules/{name}"]
    assert re.fullmatch(r"\d+\.\d+\.\d+", PINS[name])
    assert entry["version"] == PINS[name]
    assert str(entry["integrity"]).startswith("sha512-")
    assert entry["license"] in {"OFL-1.1", "Apache-2.0"}
    assert "resolved" not in entry


def test_a_woff_file_draws_what_its_font_draws(fonts_dir: Path, tmp_path: Path) -> None:
    _renamed(fonts_dir, "Caveat", tmp_path / "caveat.woff")
    (font,) = find_fonts(tmp_path)
    assert font.family == "Caveat"
    assert (draw_text(font, "4") == draw_text(find_fonts(fonts_dir)[0], "4")).all()


def test_the_families_of_a_series_are_one(fonts_dir: Path, tmp_path: Path) -> None:
    for name in ("Playwrite AT", "Playwrite DE Grund", "Education"):
        _renamed(fonts_dir, name, tmp_path / f"{name}.woff")
    assert [font.family for font in find_fonts(tmp_path)] == ["Education", "Playwrite", "Playwrite"]


def _renamed(fonts_dir: Path, family: str, path: Path) -> None:
    font = TTFont(fonts_dir / "default.ttf")
    for record in font["name"].names:
        if record.nameID in {1, 16}:
            record.string = family
    font.flavor = "woff"
    font.save(path)
