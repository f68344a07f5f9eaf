"""Figures → Markdown. A figure that falls short of its bar is bold."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from statistics import median

from tests.benchmarks.bars import Bar, Results, bars
from tests.benchmarks.figures import Figures, Rounds, Starts, compared, middle, throughput_ratio
from tests.benchmarks.machine import Cpus
from tests.benchmarks.parts import FLOOR_FORM, FLOOR_RAW

_NONE = "–"
_LOAD_COLUMNS = ("At once", "Requests/s", "p50, ms", "p95, ms", "p99, ms", "CPU a request, ms", "RSS, MB")

_BARS = """Medians of the rounds, ratios taken within each. Bold: short of its bar. The floor is FastAPI on uvicorn
with the service's own settings (`tests/benchmarks/floor.py`), its handlers only read the upload."""
_SERVICE = """`/predict` gets one drawn digit, `/read` a line of five, both as PNG. The last column: requests a second
against those of the floor that reads the same kind of body."""
_BATCHING = """The litert engine, raw bodies. With a batch timeout of 0, the default, each worker has an interpreter of
its own and nothing is batched across requests; with 1 ms, what waits at the same moment goes through one interpreter
together."""
_PEERS = """`/predict` with a form. LitServe and BentoML (`tests/benchmarks/peers/`) have one worker each and batch up
to 64 images; imaging, calibration and `model-dynamic.tflite` on LiteRT are the service's own. They log no requests;
the service logs each."""
_EXPLANATION = """The litert engine, raw bodies: one drawn digit, without an explanation and with one."""
_START = """From the start of the process to the first 200 of `/readyz`, on all CPUs, one start after the other."""


@dataclass(frozen=True, slots=True)
class Circumstances:
    """Of one run: when, on what, how, and with which versions."""

    made: datetime
    machine: str
    cpus: Cpus
    seconds: int
    rounds: int
    wrk: str
    own: Mapping[str, str]
    peers: Mapping[str, str]


def report(results: Results, circumstances: Circumstances) -> str:
    """The whole document; of a part that was not measured it has nothing."""
    sections = [f"# Benchmark\n\n{_heading(circumstances)}"]
    if reached := list(bars(results)):
        sections.append(_section("Bars", _BARS, bars_table(reached)))
    if results.service:
        sections.append(_section("The service and the floor", _SERVICE, service_table(results.service)))
    if results.batching:
        sections.append(_section("Micro-batching", _BATCHING, load_table(results.batching)))
    if results.peers:
        sections.append(_section("Other servers", _PEERS, load_table(results.peers)))
    if results.explanation:
        sections.append(_section("Explanations", _EXPLANATION, load_table(results.explanation)))
    if results.startup:
        sections.append(_section("Start", _START, starts_table(results.startup)))
    return "\n".join(sections)


def bars_table(measured: Sequence[Bar]) -> Iterator[str]:
    """What is asked, what it is, the bar, the aim, and which of them it reaches."""
    yield from _head("Figure", "Engine", "Measured", "Bar", "Aim", "Reached")
    for bar in measured:
        figure = bar.unit.format(bar.figure)
        reached = "aim" if bar.aim_is_met else "bar" if bar.is_met else _NONE
        least = "≥ " if bar.more_is_better else "≤ "
        goals = [least + bar.unit.format(goal) for goal in (bar.bar, bar.aim)]
        yield _row(bar.what, bar.engine, figure if bar.is_met else f"**{figure}**", *goals, reached)


def service_table(rounds: Rounds) -> Iterator[str]:
    """A row a case, with its share of the floor's throughput."""
    yield from _head("Request", *_LOAD_COLUMNS, "Of the floor")
    for (name, connections), own in rounds.items():
        floor = rounds[FLOOR_FORM if "multipart" in name else FLOOR_RAW, connections]
        share = compared(own, floor, throughput_ratio)
        yield _row(name, str(connections), *_cells(middle(own)), _NONE if own is floor else f"{share:.2f}")


def load_table(rounds: Rounds) -> Iterator[str]:
    """A row a case."""
    yield from _head("Request", *_LOAD_COLUMNS)
    for (name, connections), own in rounds.items():
        yield _row(name, str(connections), *_cells(middle(own)))


def starts_table(startup: Mapping[str, Starts]) -> Iterator[str]:
    """A row an engine."""
    yield from _head("Engine", "Starts", "Ready after, s: median", "fastest", "slowest", "RSS at ready, MB: median")
    for engine, starts in startup.items():
        seconds = (median(starts.seconds), min(starts.seconds), max(starts.seconds))
        cells = [f"{second:.2f}" for second in seconds]
        yield _row(engine, str(len(starts.seconds)), *cells, f"{median(starts.rss_mb):.0f}")


def _heading(circumstances: Circumstances) -> str:
    cpus = circumstances.cpus
    return f"""Made by `make bench` on {circumstances.made:%Y-%m-%d %H:%M} UTC; every figure is of that one run.

- Machine: {circumstances.machine}.
- wrk has CPU {cpus.wrk} for itself, with one thread; every server has CPU {", ".join(map(str, cpus.servers))}. Those
  not being measured are stopped meanwhile.
- Each load: a second of warm-up, then {circumstances.seconds} s, {circumstances.rounds} rounds, every other one in
  reverse order. The figures are medians of the rounds. Any request that fails ends the benchmark. Of a slow answer,
  wrk also counts the wait of those that it kept from being asked.
- CPU: user and system time of all the server's processes. RSS: theirs together, after the load.
- The service: {_listed(circumstances.own)}; wrk {circumstances.wrk}.
- The peers: {_listed(circumstances.peers) or "not measured"}.
"""


def _listed(versions: Mapping[str, str]) -> str:
    return ", ".join(f"{name} {version}" for name, version in versions.items())


def _section(title: str, text: str, table: Iterator[str]) -> str:
    return f"## {title}\n\n{text}\n\n" + "\n".join(table) + "\n"


def _cells(figures: Figures) -> list[str]:
    latencies = (figures.p50_ms, figures.p95_ms, figures.p99_ms, figures.cpu_ms)
    return [f"{figures.requests_s:,.0f}", *(f"{ms:.2f}" for ms in latencies), f"{figures.rss_mb:,.0f}"]


def _head(*columns: str) -> tuple[str, str]:
    return _row(*columns), "|---" * len(columns) + "|"


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"
