"""The README says what is: every setting, problem and metric, and curl lines that work when pasted."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.api.problems import KINDS, METHOD_NOT_ALLOWED
from app.settings import PREFIX, Settings
from tests.ports import free_port, wait_until_ready

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
SHELL_BLOCKS = re.findall(r"```sh\n(.*?)```", README, re.DOTALL)
CURL_LINES = [line for block in SHELL_BLOCKS for line in block.splitlines() if line.startswith("curl ")]


@pytest.mark.parametrize("name", Settings.model_fields)
def test_every_setting_is_documented(name: str) -> None:
    assert re.search(rf"^\| `{PREFIX}{name.upper()}` \|", README, re.MULTILINE)


def test_no_setting_is_documented_that_does_not_exist() -> None:
    documented = set(re.findall(rf"^\| `{PREFIX}([A-Z_]+)` \|", README, re.MULTILINE))
    assert documented == {name.upper() for name in Settings.model_fields}


@pytest.mark.parametrize("kind", sorted({*KINDS.values(), METHOD_NOT_ALLOWED}, key=str), ids=lambda kind: kind.slug)
def test_every_problem_is_documented(kind: object) -> None:
    status, slug = getattr(kind, "status"), getattr(kind, "slug")  # noqa: B009  # Kind is not for tests to build
    assert f"| {status} | `/problems/{slug}` |" in README


def test_every_make_target_of_the_readme_exists() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"make ([a-z-]+)", " ".join(SHELL_BLOCKS))) <= targets


def test_every_path_of_the_readme_exists() -> None:
    for target in re.findall(r"\]\((?!http)([^)#]+)\)", README):
        assert (ROOT / target).exists(), target


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    port = free_port()
    log = tmp_path_factory.mktemp("server") / "log"
    environment = {**os.environ, "DIGIT_OCR_PORT": str(port)}
    with log.open("w") as output:
        process = subprocess.Popen([sys.executable, "-m", "app.cli", "serve"], cwd=ROOT, env=environment, stderr=output)
    try:
        wait_until_ready(port, process)
        yield f"http://localhost:{port}"
    finally:
        process.terminate()
        assert process.wait(30) == 0, log.read_text()


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
@pytest.mark.parametrize("line", CURL_LINES)
def test_curl_lines_work_when_pasted(line: str, server: str, tmp_path: Path) -> None:
    # From the repository's root, as a reader would; what a line writes goes elsewhere.
    command = shlex.split(
        line.replace("http://localhost:8000", server).replace("-o answer.png", "-o " + str(tmp_path / "out"))
    )
    done = subprocess.run([*command, "--fail-with-body", "-sS"], cwd=ROOT, capture_output=True, check=False, timeout=30)
    assert done.returncode == 0, done.stdout + done.stderr
    if (tmp_path / "out").exists():
        assert (tmp_path / "out").read_bytes().startswith(b"\x89PNG")
    elif "/metrics" in line:
        assert b"digit_ocr_requests_total" in done.stdout
    else:
        answer = json.loads(done.stdout)
        if "/predict " in f"{line} ":
            assert answer["digit"] == 7
        elif "number.jpg" in line and "batch" not in line:
            assert answer["text"] == "0417532698"
