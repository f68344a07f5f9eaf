"""What the benchmark reads, counts and writes; nothing is measured here."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime

import pytest

from tests.benchmarks.bars import Bar, Results, bars, faster_peer
from tests.benchmarks.figures import Figures, Rounds, Starts, compared, middle, p50_difference, throughput_ratio
from tests.benchmarks.load import Load, LoadError, parsed_load, parsed_version
from tests.benchmarks.machine import Cpus, TooFewCpus, divided
from tests.benchmarks.parts import (
    CONNECTIONS,
    ENGINES,
    EXPLAINED,
    FEWER_CONNECTIONS,
    FLOOR_FORM,
    FLOOR_RAW,
    PEERS,
    PLAIN,
    way_name,
)
from tests.benchmarks.process_tree import descendants, parsed_stat, rss_bytes, tree_of
from tests.benchmarks.report import Circumstances, bars_table, report, service_table
from tests.benchmarks.uploads import form, tells_digit, tells_number, was_read


def figures(requests_s: float, latency_ms: float = 1.0) -> Figures:
    return Figures(requests_s, latency_ms, 2 * latency_ms, 3 * latency_ms, 0.5, 100.0)


def service_rounds() -> Rounds:
    """The floor answers 1,000 requests a second, the service 500 (keras) and 800 (litert)."""
    speeds = {FLOOR_RAW: 1000.0, FLOOR_FORM: 1000.0}
    for path in ("/predict raw", "/predict multipart", "/read raw"):
        speeds |= {way_name(path, engine): speed for engine, speed in zip(ENGINES, (500.0, 800.0), strict=True)}
    return {(name, count): [figures(speed, 1e3 / speed)] * 3 for name, speed in speeds.items() for count in CONNECTIONS}


def peer_rounds() -> Rounds:
    speeds = dict(zip((*ENGINES, *PEERS), (500.0, 800.0, 150.0, 200.0), strict=True))
    return {
        (name, count): [figures(speed, 1e3 / speed)] * 3
        for name, speed in speeds.items()
        for count in FEWER_CONNECTIONS
    }


RESULTS = Results(
    service=service_rounds(),
    peers=peer_rounds(),
    startup={"keras": Starts((6.0, 9.0, 7.0), (950.0,)), "litert": Starts((0.7,), (110.0,))},
)


def test_wrk_s_figures_are_the_line_of_json_among_its_own() -> None:
    line = '{"requests": 40, "seconds": 2.0, "p50_ms": 1.5, "p95_ms": 2.5, "p99_ms": 3.5, "failed": 2}'
    assert parsed_load(f"Running 2s test @ http://127.0.0.1\n{line}\n") == Load(40, 2.0, 1.5, 2.5, 3.5, 2)
    with pytest.raises(LoadError, match="unable to connect"):
        parsed_load("unable to connect to 127.0.0.1")


def test_the_version_of_wrk_is_the_second_word() -> None:
    assert parsed_version("wrk debian/4.1.0-3 [epoll] Copyright (C) 2012 Will Glozer\n") == "debian/4.1.0-3"
    assert parsed_version("") == "of an unknown version"


def test_a_process_is_read_whatever_its_name() -> None:
    fields = ["S", "42", *["0"] * 9, "100", "50", "25", "25", *["0"] * 4, "777", "1", "3", "0"]
    stat = parsed_stat(f"7 (a (strange) name) {' '.join(fields)}\n")
    ticks, page = os.sysconf("SC_CLK_TCK"), os.sysconf("SC_PAGE_SIZE")
    assert (stat.parent, stat.began, stat.cpu_seconds, stat.rss_bytes) == (42, 777, 200 / ticks, 3 * page)


def test_a_tree_is_a_process_and_what_came_of_it() -> None:
    assert descendants(2, {2: 1, 3: 2, 4: 3, 5: 1, 6: 2}) == [2, 3, 6, 4]
    assert os.getpid() in tree_of(os.getpid())
    assert rss_bytes(os.getpid()) > 0


def test_wrk_has_the_last_cpu() -> None:
    assert divided({3, 0, 1}) == Cpus((0, 1), 3)
    assert divided({3, 0, 1}).all == (0, 1, 3)
    with pytest.raises(TooFewCpus):
        divided({0})


def test_each_figure_is_the_median_of_its_rounds() -> None:
    assert middle([figures(10, 5), figures(30, 1), figures(20, 3)]) == figures(20, 3)


def test_ratios_are_made_within_a_round() -> None:
    own, floor = [figures(50), figures(5), figures(70)], [figures(100), figures(10), figures(100)]
    assert compared(own, floor, throughput_ratio) == 0.5
    assert compared([figures(1, 1.75)], [figures(1, 0.5)], p50_difference) == 1.25


def test_the_faster_peer_is_the_one_with_more_answers() -> None:
    assert faster_peer(peer_rounds()) == "BentoML"


def test_every_bar_is_measured_for_both_engines() -> None:
    measured = [(bar.engine, round(bar.figure, 3)) for bar in bars(RESULTS)]
    throughput, latency = [("keras", 0.5), ("litert", 0.8)], [("keras", 1.0), ("litert", 0.25)]
    peers = [("keras", 2.5), ("litert", 4.0), ("keras", 0.4), ("litert", 0.25)]
    assert measured == [*throughput, *latency, *peers, ("keras", 7), ("litert", 0.7), ("keras", 950), ("litert", 110)]
    assert not list(bars(Results()))


def test_an_explanation_is_held_against_a_prediction() -> None:
    speeds = {PLAIN: 400.0, EXPLAINED: 100.0}
    rounds = {(name, count): [figures(speed)] * 3 for name, speed in speeds.items() for count in (1, 16)}
    (bar,) = bars(Results(explanation=rounds))
    assert (bar.figure, bar.is_met, bar.aim_is_met) == (4.0, True, False)


def test_short_of_its_bar_is_bold() -> None:
    rows = list(bars_table([Bar("memory", "keras", figure, 900, 600, "{:.0f} MB") for figure in (950, 900, 600)]))
    assert rows[2:] == [
        "| memory | keras | **950 MB** | ≤ 900 MB | ≤ 600 MB | – |",
        "| memory | keras | 900 MB | ≤ 900 MB | ≤ 600 MB | bar |",
        "| memory | keras | 600 MB | ≤ 900 MB | ≤ 600 MB | aim |",
    ]
    more = Bar("share", "keras", 0.5, 0.4, 0.7, "{:.2f}", more_is_better=True)
    assert list(bars_table([more]))[2] == "| share | keras | 0.50 | ≥ 0.40 | ≥ 0.70 | bar |"


def test_rows_have_as_many_cells_as_their_head_and_the_floor_no_share_of_itself() -> None:
    rows = list(service_table(service_rounds()))
    assert len({row.count("|") for row in rows}) == 1
    assert [row.endswith("| – |") for row in rows if row.startswith("| floor")] == [True] * 8
    assert "| /predict multipart, litert | 16 | 800 | 1.25 | 2.50 | 3.75 | 0.50 | 100 | 0.80 |" in rows


def test_the_document_has_what_was_measured_and_no_more() -> None:
    made = datetime(2026, 1, 2, 3, 4, tzinfo=UTC)
    circumstances = Circumstances(made, "A CPU, 2 cores", Cpus((0,), 1), 3, 3, "4.1", {"python": "3.11"}, {})
    document = report(RESULTS, circumstances)
    assert [line for line in document.splitlines() if line.startswith("#")] == [
        *("# Benchmark", "## Bars", "## The service and the floor", "## Other servers", "## Start")
    ]
    for said in ("2026-01-02 03:04 UTC", "A CPU, 2 cores", "python 3.11; wrk 4.1", "wrk has CPU 1", "not measured"):
        assert said in document
    assert "##" not in report(Results(), circumstances)


def test_a_form_holds_the_image_as_the_field_file() -> None:
    upload = form(b"\x89PNG", tells_digit)
    boundary = upload.content_type.partition("boundary=")[2].encode()
    head, _, rest = upload.body.partition(b"\r\n\r\n")
    assert head.startswith(b"--" + boundary)
    assert b'name="file"' in head
    assert rest == b"\x89PNG\r\n--" + boundary + b"--\r\n"


def test_only_the_right_answer_is_right() -> None:
    digit = json.loads('{"digit": 7, "probabilities": [0, 0, 0, 0, 0, 0, 0, 1, 0, 0]}')
    assert tells_digit(digit)
    assert tells_digit([digit])
    assert not tells_digit({**digit, "digit": 1})
    assert tells_number({"text": "40718"})
    assert not tells_number({"text": "4071"})
    assert was_read(b"abc")({"bytes": 3})
    assert not was_read(b"abc")({"bytes": 2})
