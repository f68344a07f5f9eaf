"""The page about the model: its figures, plots and limits are those of the version served, its examples run."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from app.manifest import ModelVersion
from tests.api.services import Service
from tests.browser.conftest import Open
from tests.conftest import ROOT

NUMBER = "0417532698"
COMMANDS = {"curl": "curl", "python": sys.executable, "javascript": "node"}


@pytest.fixture
def about(service: Service, open_page: Open) -> Page:
    page = open_page(service, "/about")
    expect(page.locator("#limit-list li").first).to_be_visible()
    return page


def test_the_figures_are_those_of_the_model(about: Page, version: ModelVersion) -> None:
    manifest = version.manifest
    expect(about.locator("#facts")).to_contain_text(f"{manifest.name} {manifest.version}")
    for name, figures in manifest.metrics.items():
        if "accuracy" in figures:
            row = about.locator("#sets tr").filter(has=about.get_by_role("rowheader", name=name, exact=True))
            expect(row).to_contain_text(f"{100 * figures['accuracy']:.2f} %")
    expect(about.locator("#sources tbody tr")).to_have_count(len(manifest.training_data))


def test_the_plots_are_shown(about: Page) -> None:
    for name in about.locator("#set option").evaluate_all("(all) => all.map((one) => one.value)")[:3]:
        about.locator("#set").select_option(name)
        about.wait_for_function(
            "(name) => { const plot = document.getElementById('plot');"
            " return plot.src.endsWith(name) && plot.complete && plot.naturalWidth > 0; }",
            arg=name,
        )
    expect(about.locator("#worst")).to_be_visible()


def test_the_limits_are_those_of_the_card(about: Page, version: ModelVersion) -> None:
    card = (version.folder / "README.md").read_text()
    section = card.split("\n## Limits\n")[1].split("\n## ")[0]
    points = [re.sub(r"\s+", " ", point).strip() for point in section.split("\n- ")[1:]]
    expect(about.locator("#limit-list li")).to_have_text([re.sub(r"[*`]", "", point) for point in points])


@pytest.mark.parametrize("language", COMMANDS)
def test_the_examples_run(about: Page, tmp_path: Path, language: str) -> None:
    command = shutil.which(COMMANDS[language])
    if command is None:
        pytest.skip(f"{COMMANDS[language]} is not on the PATH")
    shutil.copy(ROOT / "tests" / "samples" / "number.jpg", tmp_path)
    example = about.locator(f"[data-example={language}] pre").inner_text()
    if language == "curl":
        arguments = [command, "-s", *shlex.split(example)[1:]]
    else:
        script = tmp_path / {"python": "example.py", "javascript": "example.mjs"}[language]
        script.write_text(example)
        arguments = [command, str(script)]
    done = subprocess.run(arguments, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert NUMBER in done.stdout
