"""The project's own pages as files: small, cached by what is in them, and in the wheel."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from app.manifest import ModelVersion
from tests.api.problems import assert_problem
from tests.api.services import Service
from tests.conftest import ROOT

PAGE = ROOT / "app" / "page"
FILES = sorted(path.relative_to(PAGE).as_posix() for path in PAGE.rglob("*") if path.is_file())
TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".webp": "image/webp",
}
PAGES = {"index.html": "/", "about.html": "/about"}
OUTSIDE = ["..%2f..%2fpyproject.toml", "%2e%2e/py.typed", "samples", "", "index.html", "main.js/"]


def url_of(name: str) -> str:
    return PAGES.get(name, f"/page/{name}")


@pytest.mark.parametrize("name", FILES)
def test_every_file_is_served_as_what_it_is(client: Service, name: str) -> None:
    answer = client.get(url_of(name))
    assert answer.status_code == 200
    assert answer.content == (PAGE / name).read_bytes()
    assert answer.headers["content-type"] == TYPES[Path(name).suffix]
    assert answer.headers["cache-control"] == "no-cache"


def test_all_of_it_is_small() -> None:
    assert sum((PAGE / name).stat().st_size for name in FILES) < 100_000


@pytest.mark.parametrize("url", ["/", "/page/main.js", "/model/card", "/model/reports/worst.png"])
def test_who_has_a_file_already_gets_it_once(client: Service, url: str) -> None:
    tag = client.get(url).headers["etag"]
    for condition in (tag, f'"other", W/{tag}', "*"):
        again = client.get(url, headers={"If-None-Match": condition})
        assert again.status_code == 304
        assert again.content == b""
        assert again.headers["etag"] == tag
    assert client.get(url, headers={"If-None-Match": '"other"'}).status_code == 200


@pytest.mark.parametrize("path", OUTSIDE)
def test_no_other_file_is_served(client: Service, path: str) -> None:
    assert_problem(client.get(f"/page/{path}"), "not-found")


@pytest.mark.parametrize("name", ["metrics.json", "..%2fmodel.keras", "..%2freports%2fworst.png", "nothing.png"])
def test_of_a_version_only_its_plots_are_served(client: Service, name: str) -> None:
    assert_problem(client.get(f"/model/reports/{name}"), "not-found")


def test_a_version_has_its_card_and_plots(client: Service, version: ModelVersion) -> None:
    card = client.get("/model/card")
    assert card.headers["content-type"].startswith("text/markdown")
    assert card.content == (version.folder / "README.md").read_bytes()
    names = client.get("/model/reports").json()["reports"]
    assert names == sorted(path.name for path in (version.folder / "reports").glob("*.png"))
    for name in names:
        plot = client.get(f"/model/reports/{name}")
        assert plot.headers["content-type"] == "image/png"
        assert plot.content == (version.folder / "reports" / name).read_bytes()


@pytest.mark.parametrize("url", PAGES.values())
def test_a_page_runs_nothing_that_is_written_into_it(client: Service, url: str) -> None:
    page = client.get(url)
    policy = dict(part.strip().split(" ", 1) for part in page.headers["content-security-policy"].split(";"))
    assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'"
    assert policy["require-trusted-types-for"] == "'script'"
    assert "unsafe" not in page.headers["content-security-policy"]
    assert not re.search(r"<style|<script(?![^>]*\ssrc=)|\sstyle=", page.text)


def test_the_metrics_know_templates_and_no_paths(client: Service) -> None:
    client.get("/page/samples/digit.webp")
    client.get("/page/nothing.js")
    endpoints = set(re.findall(r'digit_ocr_requests_total\{endpoint="([^"]*)"', client.get("/metrics").text))
    assert "/page/{path:path}" in endpoints
    assert not [endpoint for endpoint in endpoints if ".js" in endpoint or ".webp" in endpoint]


def test_the_wheel_carries_the_pages(tmp_path: Path) -> None:
    source = tmp_path / "source"  # building leaves folders behind
    for name in ("app", "training"):
        shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--no-index"]
    subprocess.run([*command, "--wheel-dir", str(tmp_path), "."], cwd=source, check=True, capture_output=True)
    with zipfile.ZipFile(next(tmp_path.glob("*.whl"))) as wheel:
        packed = {name for name in wheel.namelist() if name.startswith("app/page/")}
    assert packed == {f"app/page/{name}" for name in FILES}
