"""`digit-ocr serve`, as a process that is started and stopped."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from app.api.server import serve
from app.manifest import ModelVersion, open_version
from app.settings import Settings
from tests.api.problems import assert_problem
from tests.api.services import wait_for
from tests.images import draw_digit, encode
from tests.ports import free_port, wait_until_ready
from tests.processes import started

GOOD = encode(draw_digit(3))


@contextmanager
def serving(log: Path, **environment: str) -> Iterator[subprocess.Popen[bytes]]:
    with log.open("wb") as stderr, started(environment, log=stderr) as process:
        yield process


def get(port: int, path: str) -> httpx.Response:
    return httpx.get(f"http://127.0.0.1:{port}{path}", timeout=60, trust_env=False)


def test_it_serves_until_it_is_told_to_stop(tmp_path: Path) -> None:
    """And what it has accepted by then, it finishes."""
    port, log = free_port(), tmp_path / "log"
    with serving(log, PORT=str(port)) as process:
        wait_until_ready(port, process)
        assert get(port, "/livez").status_code == 200
        answer = httpx.post(f"http://127.0.0.1:{port}/predict", content=GOOD, timeout=60, trust_env=False)
        assert answer.json()["digit"] == 3
        with socket.create_connection(("127.0.0.1", port), timeout=60) as opened:
            head = f"POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(GOOD)}\r\n\r\n"
            opened.sendall(head.encode() + GOOD[:100])
            wait_for(lambda: "digit_ocr_in_flight_requests 1.0" in get(port, "/metrics").text, "it does not arrive")
            process.send_signal(signal.SIGTERM)
            wait_for(lambda: not _accepts(port), "new connections are still accepted")
            opened.sendall(GOOD[100:])
            assert opened.recv(65_536).startswith(b"HTTP/1.1 200 ")
        assert process.wait(60) == 0
    text = log.read_text()
    assert "Traceback" not in text
    events = [json.loads(line) for line in text.splitlines() if line.startswith("{")]
    assert [event["status"] for event in events if event["event"] == "request"] == [200, 200]


@pytest.mark.skipif(not hasattr(os, "SCHED_BATCH"), reason="a policy of Linux")
def test_its_threads_do_not_interrupt_each_other(tmp_path: Path) -> None:
    port = free_port()
    with serving(tmp_path / "log", PORT=str(port), THREADS="2") as process:
        wait_until_ready(port, process)
        threads = [int(folder.name) for folder in Path(f"/proc/{process.pid}/task").iterdir()]
        policies = [os.sched_getscheduler(thread) for thread in threads]
        assert os.sched_getscheduler(process.pid) == os.SCHED_BATCH
        assert policies.count(os.SCHED_BATCH) >= 3  # its own, and two that work; libraries began others before


@contextmanager
def in_flight(port: int) -> Iterator[socket.socket]:
    """A request that is accepted, and waits for the rest of its body."""
    with socket.create_connection(("127.0.0.1", port), timeout=60) as opened:
        head = f"POST /predict HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(GOOD)}\r\n\r\n"
        opened.sendall(head.encode() + GOOD[:100])
        wait_for(lambda: "digit_ocr_in_flight_requests 1.0" in get(port, "/metrics").text, "it does not arrive")
        yield opened


def test_what_is_new_is_refused_while_what_is_accepted_is_finished(tmp_path: Path) -> None:
    port = free_port()
    with serving(tmp_path / "log", PORT=str(port), ENGINE="litert", REQUEST_TIMEOUT_S="60") as process:
        wait_until_ready(port, process)
        kept = httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60, trust_env=False)
        with in_flight(port) as opened, kept:
            assert "connection" not in kept.get("/readyz").headers
            process.send_signal(signal.SIGTERM)
            wait_for(lambda: get(port, "/readyz").status_code == 503, "it is still ready")
            refused = [
                get(port, "/readyz"),
                kept.post("/predict", content=GOOD),
                httpx.post(f"http://127.0.0.1:{port}/read", content=GOOD, trust_env=False),
            ]
            for answer in refused:
                assert_problem(answer, "shutting-down")
                assert answer.headers["connection"] == "close"
            assert get(port, "/livez").status_code == 200
            assert get(port, "/metrics").status_code == 200
            opened.sendall(GOOD[100:])
            answer_of_the_accepted = opened.recv(65_536)
            assert answer_of_the_accepted.startswith(b"HTTP/1.1 200 ")
            assert b"connection: close" in answer_of_the_accepted
        assert process.wait(30) == 0


def test_an_idle_service_stops_at_once(tmp_path: Path) -> None:
    """Connections that nobody uses hold nothing up, nor do clients that have sent half of a request."""
    port = free_port()
    with serving(
        tmp_path / "log", PORT=str(port), ENGINE="litert", SHUTDOWN_GRACE_S="60", HEADER_TIMEOUT_S="60"
    ) as process:
        wait_until_ready(port, process)
        with (
            httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False) as kept,
            socket.create_connection(("127.0.0.1", port), timeout=60) as half,
        ):
            assert kept.get("/livez").status_code == 200
            half.sendall(b"POST /predict HTTP/1.1\r\nHost: local")
            process.send_signal(signal.SIGTERM)
            assert process.wait(20) == 0


def test_a_connection_of_the_last_moment_hears_why_it_gets_no_answer(tmp_path: Path) -> None:
    port = free_port()
    with serving(tmp_path / "log", PORT=str(port), ENGINE="litert") as process:
        wait_until_ready(port, process)
        with socket.create_connection(("127.0.0.1", port), timeout=60) as late:
            wait_for(lambda: get(port, "/livez").status_code == 200, "the connection before it is not taken")
            process.send_signal(signal.SIGTERM)
            wait_for(lambda: not _accepts(port), "new connections are still accepted")
            late.sendall(b"GET /readyz HTTP/1.1\r\nHost: localhost\r\n\r\n")
            answer = b"".join(iter(lambda: late.recv(65_536), b""))
            assert answer.startswith(b"HTTP/1.1 503 ")
            assert b"/problems/shutting-down" in answer
        assert process.wait(20) == 0


def test_the_grace_ends(tmp_path: Path) -> None:
    port, log = free_port(), tmp_path / "log"
    with serving(log, PORT=str(port), ENGINE="litert", SHUTDOWN_GRACE_S="1", REQUEST_TIMEOUT_S="60") as process:
        wait_until_ready(port, process)
        with in_flight(port) as opened:
            process.send_signal(signal.SIGTERM)
            answer = b"".join(iter(lambda: opened.recv(65_536), b""))
            assert answer.startswith(b"HTTP/1.1 503 ")
            assert b"/problems/shutting-down" in answer
            assert process.wait(20) == 0
    assert "Traceback" not in log.read_text()


def test_work_that_nobody_waits_for_holds_nothing_up(tmp_path: Path) -> None:
    """Its request has been answered, by a problem; the network is at it all the same."""
    port, log = free_port(), tmp_path / "log"
    command = (sys.executable, "-m", "tests.cli.stuck")
    settings = {"PORT": str(port), "REQUEST_TIMEOUT_S": "0.5", "SHUTDOWN_GRACE_S": "5", "LOG_FORMAT": "json"}
    with log.open("wb") as stderr, started(settings, command=command, log=stderr) as process:
        wait_until_ready(port, process)
        answer = httpx.post(f"http://127.0.0.1:{port}/predict", content=GOOD, timeout=60, trust_env=False)
        assert_problem(answer, "deadline-exceeded")
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
    assert "Traceback" not in log.read_text()


def test_a_second_signal_ends_at_once(tmp_path: Path) -> None:
    port = free_port()
    with serving(
        tmp_path / "log", PORT=str(port), ENGINE="litert", SHUTDOWN_GRACE_S="100", REQUEST_TIMEOUT_S="100"
    ) as process:
        wait_until_ready(port, process)
        with in_flight(port):
            process.send_signal(signal.SIGTERM)
            wait_for(lambda: get(port, "/readyz").status_code == 503, "it is still ready")
            process.send_signal(signal.SIGTERM)
            assert process.wait(20) == 0


def _accepts(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=5).close()
    except OSError:
        return False
    return True


def test_it_can_be_stopped_while_the_model_loads(tmp_path: Path) -> None:
    port, log = free_port(), tmp_path / "log"
    with serving(log, PORT=str(port)) as process:
        wait_for(lambda: _accepts(port) or process.poll() is not None, "it does not start")
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 0
    assert "Traceback" not in log.read_text()


def test_a_port_that_is_taken_is_told(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with serving(tmp_path / "log", PORT=str(port)) as process:
            assert process.wait(60) not in (0, None)
    text = (tmp_path / "log").read_text()
    assert str(port) in text
    assert "in use" in text
    assert "Traceback" not in text


@pytest.fixture
def models(version: ModelVersion, tmp_path: Path) -> Path:
    """A copy of the served model."""
    shutil.copytree(version.folder, tmp_path / "models" / "digits" / version.folder.name)
    return tmp_path / "models"


def test_a_tampered_model_is_not_served(models: Path, version: ModelVersion, tmp_path: Path) -> None:
    keras = models / "digits" / version.folder.name / "model.keras"
    keras.write_bytes(keras.read_bytes() + b"\0")
    with serving(tmp_path / "log", PORT=str(free_port()), MODEL_DIR=str(models)) as process:
        assert process.wait(60) == 1
    text = (tmp_path / "log").read_text()
    assert "model.keras" in text
    assert "Traceback" not in text


def test_a_model_that_does_not_load_ends_the_service(
    models: Path, version: ModelVersion, capsys: pytest.CaptureFixture[str]
) -> None:
    """The manifest vouches for it, but Keras cannot read it. In this process, where Keras is loaded already."""
    folder = models / "digits" / version.folder.name
    (folder / "model.keras").write_bytes(b"no model")
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["sha256"]["model.keras"] = hashlib.sha256(b"no model").hexdigest()
    (folder / "manifest.json").write_text(json.dumps(manifest))
    status = serve(Settings(model_dir=models, port=free_port()), open_version(models, "digits", "latest"))
    assert status == 1
    assert "model.keras does not load" in capsys.readouterr().out
