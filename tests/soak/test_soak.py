"""The parts of the soak for seconds instead of minutes, and its figures. No timing is asserted but the deadline."""

from __future__ import annotations

import asyncio
from collections import Counter

import pytest

from tests.processes import serving
from tests.soak import growth, overload, shutdown
from tests.soak.checks import Check, percentile, table
from tests.soak.client import Answer
from tests.soak.traffic import lone_digit, mixture

SLOTS = 8
DEADLINE_S = 30.0
SETTINGS = {"ENGINE": "litert", "MAX_IN_FLIGHT": str(SLOTS), "REQUEST_TIMEOUT_S": f"{DEADLINE_S:g}", "THREADS": "2"}


def test_far_too_many_requests_are_answered_or_refused_politely() -> None:
    # A capacity that is measured in a second says little; so much is too much in any case.
    load = overload.Load(lone_digit(), connections=6 * SLOTS, seconds=4, factor=100, measuring_s=1, busy=SLOTS // 2)
    with serving(SETTINGS) as served:
        outcome = asyncio.run(overload.overload(served.port, load))
        with served.client() as client:
            assert client.get("/readyz").status_code == 200
            assert "digit_ocr_in_flight_requests 0.0" in client.get("/metrics").text
        assert served.stop() == 0
    assert not outcome.others
    assert not outcome.lost
    assert None not in outcome.livez_ms
    assert {answer.status for answer in outcome.answers} == {200, 503}
    assert percentile([answer.seconds for answer in outcome.accepted], 0.99) < DEADLINE_S


def test_a_stop_under_load_loses_nothing_that_was_accepted() -> None:
    with serving({**SETTINGS, "MAX_IN_FLIGHT": "64"}) as served:
        stop = asyncio.run(shutdown.stop_under_load(served.process, served.port, lone_digit(), 24, seconds=2))
    assert all(check.met is not False for check in shutdown.checks(stop)), table(shutdown.checks(stop))


def test_the_mixture_is_answered_as_it_says() -> None:
    with serving({**SETTINGS, "MAX_IN_FLIGHT": "64"}) as served:
        found = asyncio.run(growth.growth(served.process.pid, served.port, warm_up=20, count=600))
    assert not found.unexpected
    assert len(found.resident_mib) == 200
    assert found.last > 0
    assert {request.status for request in mixture()} == {200, 404, 413, 415, 422}


def test_a_missed_bar_shows() -> None:
    outcome = overload.Outcome(
        capacity=10, answers=[Answer(200, "", 12.0), Answer(500, "internal-error", 0.1)], livez_ms=[1.0, None]
    )
    outcome.recovery_s = 2
    checks = overload.checks(outcome, overload.Load(b"", 1, 1), deadline_s=10)
    assert [check.met for check in checks if check.met is not None] == [False, False, True, False, False, False]
    lost = shutdown.Stop(before=Counter({"200": 3, "lost": 1}), in_flight=1, status=0)
    assert [check.met for check in shutdown.checks(lost) if check.met is not None] == [True, False, True]
    grown = growth.Growth(requests=1, resident_mib=[100.0] * 20 + [104.0] * 20)
    assert [check.met for check in growth.checks(grown) if check.met is not None] == [True, False]
    assert "**missed**" in table(growth.checks(grown))


@pytest.mark.parametrize(("share", "value"), [(0.0, 1), (0.5, 6), (0.99, 10), (1.0, 10)])
def test_percentiles(share: float, value: float) -> None:
    assert percentile([*range(10, 0, -1)], share) == value
    assert percentile([], share) == 0


def test_a_table_has_a_row_a_check() -> None:
    assert table([Check("a", "1"), Check("b", "2", "≤ 3", True)]).splitlines()[2:] == [
        "| a | 1 | – |  |",
        "| b | 2 | ≤ 3 | met |",
    ]
