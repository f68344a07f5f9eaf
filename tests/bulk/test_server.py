"""`digit-ocr read --server` beside a service that misbehaves."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest

from app.bulk.client import Client, RunStopped, Service
from app.bulk.crew import Crew
from app.cli import main
from tests.api.services import wait_for
from tests.bulk.scripted import (
    ANSWER,
    Scripted,
    answer,
    answer_and_close,
    cut_short,
    drop,
    numbered,
    refusal,
    respond,
    scripted,
)
from tests.conftest import ROOT
from tests.ports import free_port
from tests.processes import environment

OVERLOADED = refusal(503, "overloaded", Retry_After="0")


def read(server: str, output: Path, *arguments: str | Path) -> int:
    return main(["read", "--server", server, "--output", str(output), *map(str, arguments)])


def written(output: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in output.read_text().splitlines()]


def files(output: Path) -> Counter[str]:
    return Counter(line["file"] for line in written(output))


def once(paths: list[Path]) -> Counter[str]:
    return Counter(map(str, paths))


@pytest.fixture
def output(tmp_path: Path) -> Path:
    return tmp_path / "out.jsonl"


@pytest.fixture
def scans(tmp_path: Path) -> Path:
    return tmp_path / "scans"


@pytest.mark.parametrize("concurrency", ["1", "5"])
def test_every_file_is_answered_once_over_connections_that_stay(
    scans: Path, output: Path, concurrency: str, capsys: pytest.CaptureFixture[str]
) -> None:
    paths = numbered(scans, 100)
    with scripted() as server:
        assert read(server.url, output, scans, "--concurrency", concurrency) == 0
        assert server.connections <= int(concurrency)
        assert server.asked == Counter(path.name.encode() for path in paths)
    assert files(output) == once(paths)
    assert all(line == {"file": line["file"], **ANSWER} for line in written(output))
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "100 answered, 0 failed" in captured.err
    assert "%" not in captured.err  # no terminal, no bar


@pytest.mark.parametrize(
    "steps",
    [
        [OVERLOADED, refusal(503, "not-ready"), refusal(503, "shutting-down", Connection="close")],
        [drop, drop],
        [cut_short],
        [answer_and_close],
        [lambda handler: respond(handler, 502, b"<h1>Bad Gateway</h1>"), lambda handler: respond(handler, 429, b"")],
    ],
    ids=["refused", "dropped", "cut short", "keep-alive over", "by a proxy"],
)
def test_what_passes_is_tried_again(
    scans: Path, output: Path, steps: list[Callable[[BaseHTTPRequestHandler], None]]
) -> None:
    paths = numbered(scans, 20)
    with scripted({path.name.encode(): steps for path in paths[::3]}) as server:
        assert read(server.url, output, scans, "--concurrency", "3") == 0
    assert files(output) == once(paths)
    assert all("problem" not in line for line in written(output))


def test_a_service_that_says_when_is_not_asked_before(scans: Path, output: Path) -> None:
    """Half a minute is longer than the 5 seconds that the command would wait, so it asks no second time."""
    (path,) = numbered(scans, 1)
    refusals = [refusal(503, "overloaded", Retry_After="30")] * 2
    with scripted({path.name.encode(): refusals}, ready=False) as server:
        assert read(server.url, output, scans, "--retry-for", "5") == 1
        assert server.asked.total() == 1


def test_a_file_that_breaks_every_connection_spoils_no_others(scans: Path, output: Path) -> None:
    paths = numbered(scans, 10)
    for concurrency in ("1", "4"):  # alone, too, when no other file is answered meanwhile
        output.unlink(missing_ok=True)
        with scripted({paths[4].name.encode(): [drop] * 1000}) as server:
            assert read(server.url, output, scans, "--concurrency", concurrency, "--retry-for", "0.5") == 1
        failed = [line for line in written(output) if "problem" in line]
        assert [line["file"] for line in failed] == [str(paths[4])]
        assert failed[0]["problem"]["title"] == "No answer"
        assert files(output) == once(paths)


def test_nobody_at_home_ends_the_run_and_fails_no_file(
    scans: Path, output: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    paths = numbered(scans, 10)
    assert read(f"http://127.0.0.1:{free_port()}", output, scans, "--retry-for", "0.3") == 1
    assert "answered no file for 0.3 s" in capsys.readouterr().err
    assert output.read_text() == ""
    with scripted() as server:
        assert read(server.url, output, scans) == 0
    assert files(output) == once(paths)


@pytest.mark.parametrize(
    ("step", "message"),
    [
        (refusal(401, "unauthorized"), "It is unauthorized."),
        (refusal(422, "invalid-parameter"), "It is invalid-parameter."),
        (lambda handler: respond(handler, 404, b"<h1>Not found</h1>"), "no digit-ocr"),
        (lambda handler: respond(handler, 200, b"<h1>Welcome</h1>"), "no digit-ocr"),
        (lambda handler: respond(handler, 302, b"", Location="/login"), "no digit-ocr"),
    ],
    ids=["wrong key", "wrong parameter", "not found", "another site", "a login"],
)
def test_what_would_refuse_every_file_ends_the_run(
    step: Callable[[BaseHTTPRequestHandler], None],
    message: str,
    scans: Path,
    output: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    numbered(scans, 50)
    with scripted() as server:
        server.default = step
        assert read(server.url, output, scans, "--concurrency", "2") == 1
        assert server.asked.total() <= 2
    assert message in capsys.readouterr().err
    assert output.read_text() == ""


def test_an_image_s_own_problem_is_final_and_others_are_tried_by_the_next_run(scans: Path, output: Path) -> None:
    paths = numbered(scans, 12)
    final = {paths[0]: 413, paths[1]: 415, paths[2]: 422}
    passing = {paths[3]: 500, paths[4]: 504, paths[5]: 400}
    script = {path.name.encode(): [refusal(status, "?")] for path, status in {**final, **passing}.items()}
    script[paths[6].name.encode()] = [lambda handler: respond(handler, 413, b"<h1>Too large</h1>")]  # by a proxy
    paths.append(scans / "later.png")
    with scripted(script) as server:
        assert read(server.url, output, scans, paths[-1]) == 1
        assert {
            line["file"]: line["problem"]["status"] for line in written(output) if "status" in line.get("problem", {})
        } == {str(path): status for path, status in {**final, **passing, paths[6]: 413}.items()}
        server.asked.clear()
        paths[-1].write_bytes(b"later.png")
        assert read(server.url, output, scans) == 0
        assert server.asked == Counter(path.name.encode() for path in [*passing, paths[-1]])
    last = {line["file"]: line for line in written(output)}  # of several lines of a file the last one counts
    assert set(last) == set(once(paths))
    assert {file for file, line in last.items() if "problem" in line} == {str(path) for path in [*final, paths[6]]}


def test_a_run_that_was_killed_anywhere_goes_on_without_sending_or_losing_a_file(scans: Path, output: Path) -> None:
    paths = numbered(scans, 60)
    cuts = random.Random(1)
    with scripted() as server:
        assert read(server.url, output, scans) == 0
        text = output.read_bytes()
        for _ in range(8):
            kept = text[: cuts.randrange(len(text))]
            output.write_bytes(kept)
            answered = {Path(json.loads(line)["file"]).name.encode() for line in kept.splitlines()[: kept.count(b"\n")]}
            server.asked.clear()
            assert read(server.url, output, scans, "--concurrency", "4") == 0
            assert files(output) == once(paths)
            assert set(server.asked) >= {path.name.encode() for path in paths} - answered - {kept.split(b"/")[-1]}
            assert not set(server.asked) & answered
            assert set(server.asked.values()) <= {1}


def test_the_shards_of_a_job_send_every_file_once(scans: Path, tmp_path: Path) -> None:
    paths = numbered(scans, 40)
    with scripted() as server:
        for index in range(3):
            assert read(server.url, tmp_path / f"{index}.jsonl", scans, "--shard", f"{index}/3") == 0
        assert server.asked == Counter(path.name.encode() for path in paths)
    assert sum((files(tmp_path / f"{index}.jsonl") for index in range(3)), Counter()) == once(paths)


def test_the_query_and_the_key_are_sent_and_the_key_is_no_argument(
    scans: Path, output: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    numbered(scans, 1)
    monkeypatch.setenv("DIGIT_OCR_CLIENT_API_KEY", "s3cret\n")  # as a mounted secret ends
    options = ["--polarity", "dark-on-light", "--min-confidence", "0.5"]
    with scripted() as server:
        assert read(server.url + "/ocr/", output, scans, *options, "--expected-length", "4") == 0
        assert main(["predict", "--server", server.url, "--output", f"{output}2", str(scans)]) == 0
        assert [path for path, _ in server.requests] == [
            "/ocr/read?polarity=dark-on-light&min_confidence=0.5&expected_length=4",
            "/predict",
        ]
        assert {headers["Authorization"] for _, headers in server.requests} == {"Bearer s3cret"}


def test_a_key_that_no_header_can_carry_is_told(
    scans: Path, output: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DIGIT_OCR_CLIENT_API_KEY", "s3\ncret")
    assert read("http://127.0.0.1:1", output, scans) == 1
    captured = capsys.readouterr()
    assert "DIGIT_OCR_CLIENT_API_KEY" in captured.err
    assert "cret" not in captured.err


def test_no_more_is_listed_or_asked_than_there_is_room_for(tmp_path: Path) -> None:
    listed: list[int] = []
    free = threading.Event()

    def endless() -> Any:
        (tmp_path / "a.png").write_bytes(b"a.png")
        for number in range(10_000_000):
            listed.append(number)
            yield tmp_path / "a.png"

    def wait(handler: BaseHTTPRequestHandler) -> None:
        assert free.wait(60)
        answer(handler)

    with scripted() as server:
        server.default = wait
        service = Service(server.url, "/read", {}, None, 60.0)
        crew = Crew(lambda stopped: Client(service, stopped), 3)
        lines = crew.lines(endless())
        threading.Timer(0.5, free.set).start()
        next(lines)
        assert len(listed) <= 16  # four for each that asks, and what is on its way
        crew.stop()
        assert len(list(lines)) <= 12


def test_an_error_of_the_listing_ends_the_run(scans: Path, output: Path, capsys: pytest.CaptureFixture[str]) -> None:
    paths = numbered(scans, 3)
    with scripted() as server:
        assert read(server.url, output, *paths, "--files-from", scans / "missing.txt") == 1
    assert "missing.txt cannot be read" in capsys.readouterr().err


def test_a_folder_without_images_is_told_of_a_shard_as_well(
    scans: Path, output: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A volume mounted in the wrong place is no work that is done."""
    scans.mkdir()
    assert read("http://127.0.0.1:1", output, scans, "--shard", "0/2") == 1
    assert "no image" in capsys.readouterr().err


def started(server: Scripted, output: Path, *arguments: str | Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "app.cli", "read", "--server", server.url, "--output", str(output)]
    return subprocess.Popen(
        [*command, *map(str, arguments)],
        cwd=ROOT,
        env=environment({}),
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def test_the_first_answer_is_there_before_the_listing_ends_and_ctrl_c_ends_both(scans: Path, output: Path) -> None:
    paths = numbered(scans, 3)
    with scripted() as server, started(server, output, "--files-from", "-") as process:
        assert process.stdin is not None
        process.stdin.write("".join(f"{path}\n" for path in paths).encode())
        process.stdin.flush()
        wait_for(lambda: output.exists() and output.read_bytes().count(b"\n") == 3, "the files are not answered")
        process.send_signal(signal.SIGINT)  # stdin stays open
        assert process.wait(60) == 130
        assert process.stderr is not None
        message = process.stderr.read().decode()
    assert "3 answered" in message
    assert "Traceback" not in message
    assert "Fatal" not in message
    assert files(output) == once(paths)


@pytest.mark.parametrize(("sent", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_run_that_is_stopped_writes_what_it_has_asked_for(
    scans: Path, output: Path, sent: signal.Signals, status: int
) -> None:
    """And is no success for an orchestrator; the next one does the rest."""
    numbered(scans, 200)
    asked, free = threading.Event(), threading.Event()

    def wait(handler: BaseHTTPRequestHandler) -> None:
        asked.set()
        assert free.wait(60)
        answer(handler)

    with scripted() as server:
        server.default = wait
        with started(server, output, scans, "--concurrency", "2") as process:
            assert asked.wait(60)
            process.send_signal(sent)
            threading.Timer(0.5, free.set).start()
            assert process.wait(60) == status
        assert files(output) == Counter(str(next(scans.rglob(body.decode()))) for body in server.asked)
        assert 1 <= server.asked.total() <= 10
        server.default = answer
        assert read(server.url, output, scans) == 0
        assert server.asked.total() == 200


def test_a_run_that_waits_for_a_service_ends_at_once(scans: Path, output: Path) -> None:
    numbered(scans, 5)
    with scripted(ready=False) as server:
        server.default = refusal(503, "overloaded", Retry_After="50")
        with started(server, output, scans, "--retry-for", "600") as process:
            wait_for(lambda: server.asked.total() == 5, "it asks for nothing")
            process.send_signal(signal.SIGINT)
            assert process.wait(40) == 130


def test_a_client_alone_raises_what_makes_no_sense_to_go_on_with(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"a")
    client = Client(Service("http://name.invalid", "/read", {}, None, 0.0), threading.Event())
    with pytest.raises(RunStopped, match=r"name\.invalid"):
        client.line(tmp_path / "a.png")
