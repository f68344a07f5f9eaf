"""The lines of requests: one each, until there are too many of them."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest
from structlog.testing import capture_logs

from app.api.request_log import RequestLog
from tests.api.conftest import Start
from tests.api.services import Raising, wait_for
from tests.images import draw_digit, encode

GOOD = encode(draw_digit(7))


def lines(log: list[Any], event: str) -> list[Any]:
    return [line for line in log if line["event"] == event]


def test_a_line_tells_where_the_time_went(start: Start) -> None:
    with start() as service, capture_logs() as log:
        service.post("/predict", content=GOOD)
        service.post("/predict", content=b"no image")
    answered, refused = lines(log, "request")
    assert set(answered["timings_ms"]) == {"decode", "segment", "queue", "inference", "postprocess"}
    assert sum(answered["timings_ms"].values()) <= answered["duration_ms"]
    assert answered["digits"] == 1
    assert refused["timings_ms"] is None
    assert "trace_id" not in answered


def test_in_a_flood_requests_are_counted(start: Start) -> None:
    with start(log_requests_per_s=3) as service, capture_logs() as log:
        began = time.monotonic()
        for _ in range(30):
            assert service.get("/model").status_code == 200
            assert service.get("/nothing").status_code == 404
        wait_for(lambda: bool(lines(log, "requests left out")), "nothing is told")
        seconds = time.monotonic() - began
    written, left_out = lines(log, "request"), lines(log, "requests left out")
    assert 3 <= len(written) <= 3 * (seconds + 1)
    assert len(written) + sum(line["count"] for line in left_out) == 60
    statuses = {status for line in left_out for status in line["statuses"]}
    assert statuses == {"200", "404"}


def test_faults_are_written_in_any_flood(start: Start) -> None:
    broken = Raising(RuntimeError("the engine is broken"))
    with capture_logs() as log, start(broken, log_requests_per_s=0) as service:
        for number in range(5):
            service.post("/predict", content=GOOD, headers={"X-Request-ID": f"fault-{number}"})
            service.get("/model")
    assert [line["request_id"] for line in lines(log, "request")] == [f"fault-{number}" for number in range(5)]
    assert sum(line["count"] for line in lines(log, "requests left out")) == 5  # told when the service ends


@pytest.mark.parametrize("status", [200, 400, 503])
def test_a_second_later_lines_are_written_again(status: int) -> None:
    async def flood() -> list[bool]:
        log = RequestLog(2)
        taken = [log.takes(status) for _ in range(4)]
        await asyncio.sleep(1.1)
        taken += [log.takes(status) for _ in range(3)]
        log.tell()
        return taken

    with capture_logs() as log:
        assert asyncio.run(flood()) == [True, True, False, False, True, True, False]
    assert [line["count"] for line in log] == [2, 1]
    assert log[0]["statuses"] == {str(status): 2}
