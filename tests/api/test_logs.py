"""What the service writes to its log: one line a request, never image content, never a key."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

from tests.api.logged import IMAGE, KEY, WRONG_KEY
from tests.conftest import ROOT


def log(log_format: str) -> str:
    command = [sys.executable, "-m", "tests.api.logged", log_format]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, check=False, timeout=100)
    text = done.stderr.decode("utf-8", "replace")
    assert done.returncode == 0, text
    assert done.stdout == b""
    return text


@pytest.fixture(scope="module")
def json_log() -> str:
    return log("json")


@pytest.fixture(scope="module")
def console_log() -> str:
    return log("console")


@pytest.fixture(scope="module")
def events(json_log: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in json_log.splitlines()]


@pytest.mark.parametrize(
    ("request_id", "expected"),
    [
        ("good", {"method": "POST", "endpoint": "/predict", "status": 200, "digits": 1, "problem": None}),
        ("bad", {"endpoint": "/read", "status": 415, "problem": "unsupported-image"}),
        ("stranger", {"endpoint": "/read", "status": 401, "problem": "unauthorized"}),
        ("malformed", {"endpoint": "/read", "status": 400, "problem": "malformed-request"}),
        ("lost", {"status": 404, "problem": "not-found"}),
        ("unforeseen", {"endpoint": "/read", "status": 500, "problem": "internal-error"}),
    ],
)
def test_a_request_is_one_line(events: list[dict[str, Any]], request_id: str, expected: dict[str, Any]) -> None:
    (line,) = [e for e in events if e.get("request_id") == request_id and e["event"] == "request"]
    assert {key: line[key] for key in expected} == expected
    assert line["duration_ms"] >= 0
    assert {"timestamp", "level", "model_version"} <= set(line)


@pytest.mark.parametrize("request_id", ["unforeseen", "unforeseen-in-a-batch"])
def test_an_unforeseen_error_can_be_looked_up(events: list[dict[str, Any]], request_id: str) -> None:
    errors = [e for e in events if e.get("request_id") == request_id and e["event"] != "request"]
    assert errors
    for line in errors:
        assert line["level"] == "error"
        assert "the engine is broken" in json.dumps(line)
        assert "Traceback" in json.dumps(line)


def test_what_clients_send_is_no_warning(events: list[dict[str, Any]]) -> None:
    """Nor do libraries write lines of their own about it, which nothing would limit."""
    assert {event["level"] for event in events} == {"info", "error"}


def test_probes_fill_no_log(events: list[dict[str, Any]]) -> None:
    assert not [event for event in events if event.get("endpoint") in ("/readyz", "/livez", "/metrics")]


@pytest.mark.parametrize("log_format", ["json", "console"])
def test_no_image_and_no_key_is_in_the_log(log_format: str, request: pytest.FixtureRequest) -> None:
    text: str = request.getfixturevalue(f"{log_format}_log")
    assert "good" in text
    assert "the engine is broken" in text
    for secret in (KEY, WRONG_KEY):
        assert secret not in text
    for content in ("IHDR", "IDAT", "\\x89PNG", repr(IMAGE)[10:40], "no image"):
        assert content not in text
