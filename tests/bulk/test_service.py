"""Many files through the real service, and here without one."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app.cli import main
from app.composition import build_recogniser
from app.manifest import ModelVersion
from tests.api.services import Service, running
from tests.conftest import ROOT
from tests.images import draw_number, encode
from tests.processes import environment

TEXTS = ["35", "720", "84", "0047", "2357", "19"]


@pytest.fixture(scope="module")
def scans(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("scans")
    for text in TEXTS:
        (folder / f"{text}.png").write_bytes(encode(draw_number(text)))
    (folder / "broken.png").write_bytes(encode(draw_number("35"))[:-150])
    (folder / "text.png").write_text("35")
    return folder


@pytest.fixture(scope="module")
def service(version: ModelVersion) -> Iterator[Service]:
    """One that is easily overloaded, and wants a key."""
    with running(version, build_recogniser, engine="litert", max_in_flight=1, api_keys="s3cret") as service:
        yield service


def lines(text: str) -> dict[str, dict[str, Any]]:
    return {line["file"]: line for line in map(json.loads, text.splitlines())}


@pytest.mark.parametrize("command", ["read", "predict"])
def test_a_busy_service_answers_what_the_command_answers_alone(
    command: str,
    scans: Path,
    service: Service,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("DIGIT_OCR_CLIENT_API_KEY", "s3cret")
    server = ["--server", f"http://127.0.0.1:{service.port}", "--concurrency", "8"]
    by_service, by_itself = tmp_path / "by-service.jsonl", tmp_path / "by-itself.jsonl"
    assert main([command, *server, "--output", str(by_service), str(scans)]) == 1  # two are no images
    monkeypatch.delenv("DIGIT_OCR_CLIENT_API_KEY")
    monkeypatch.setenv("DIGIT_OCR_ENGINE", "litert")
    assert main([command, "--output", str(by_itself), str(scans)]) == 1
    asked, alone = lines(by_service.read_text()), lines(by_itself.read_text())
    assert set(asked) == set(alone)
    for file, line in alone.items():
        answer = asked[file]
        for one in (line, line.get("problem", {})):
            one.pop("timings_ms", None)
        for one in (answer, answer.get("problem", {})):
            one.pop("timings_ms", None)
            one.pop("request_id", None)
        assert answer == line


def test_without_the_key_the_run_ends(
    scans: Path, service: Service, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "out.jsonl"
    assert main(["read", "--server", f"http://127.0.0.1:{service.port}", "--output", str(output), str(scans)]) == 1
    assert "401: Send an API key" in capsys.readouterr().err
    assert output.read_text() == ""


def test_alone_it_takes_shards_and_lists_and_goes_on_and_no_http_client_is_loaded(scans: Path, tmp_path: Path) -> None:
    output = tmp_path / "out.jsonl"
    listing = f"{scans}\n"

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        program = (
            "import sys; from app.cli import main; status = main(sys.argv[1:]); "
            "loaded = {'httpx', 'urllib3', 'requests'} & set(sys.modules); sys.exit(9 if loaded else status)"
        )
        return subprocess.run(
            [sys.executable, "-c", program, "read", "--files-from", "-", *arguments],
            cwd=ROOT,
            env=environment({"ENGINE": "litert"}),
            input=listing,
            capture_output=True,
            text=True,
            check=False,
            timeout=100,
        )

    shards = [run("--shard", f"{index}/2") for index in range(2)]
    found = [lines(done.stdout) for done in shards]
    assert not set(found[0]) & set(found[1])
    assert {Path(file).stem: line["text"] for half in found for file, line in half.items() if "text" in line} == {
        text: text for text in TEXTS
    }
    output.write_text(shards[0].stdout + shards[1].stdout[:-1][:-20])
    done = run("--output", str(output))
    assert done.stdout == ""
    # 1 where a broken image is among its files.
    assert all(run.returncode == any("problem" in line for line in lines(run.stdout).values()) for run in shards)
    assert done.returncode in (0, 1)
    assert set(lines(output.read_text())) == {str(path) for path in scans.iterdir()}


@pytest.mark.parametrize(
    "arguments",
    [
        ["read", "x.png", "--shard", "2/2"],
        ["read", "x.png", "--shard", "-1/2"],
        ["read", "x.png", "--shard", "1"],
        ["read", "x.png", "--shard", "0/0"],
        ["read", "x.png", "--concurrency", "2"],
        ["read", "x.png", "--retry-for", "2"],
        ["read", "x.png", "--server", "localhost:8000"],
        ["read", "x.png", "--server", "ftp://localhost"],
        ["read", "x.png", "--server", "http://"],
        ["read", "x.png", "--server", "http://localhost:8000/?a=b"],
        ["read", "x.png", "--server", "http://localhost", "--concurrency", "0"],
        ["read", "x.png", "--server", "http://localhost", "--retry-for", "nan"],
        ["read", "--server", "http://localhost"],
    ],
    ids=" ".join,
)
def test_a_wrong_command_line_is_explained(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert "usage: digit-ocr" in capsys.readouterr().err
