"""`python -m tests.benchmarks`: measures the service beside its framework and other servers, and writes the tables."""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from app.cli import at_least_one
from tests.benchmarks import machine, parts
from tests.benchmarks.bars import Results
from tests.benchmarks.load import LoadError, wrk_version
from tests.benchmarks.report import Circumstances, report
from tests.benchmarks.rounds import Plan
from tests.benchmarks.servers import ServerError

RESULTS = Path(__file__).with_name("RESULTS.md")
_PARTS: dict[str, Callable[[Plan], Any]] = {
    "service": parts.service,
    "batching": parts.batching,
    "peers": parts.peers,
    "explanation": parts.explanation,
    "startup": parts.startup,
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Writes the tables; 1 where something cannot be measured, and then nothing is written."""
    options = _parser().parse_args(arguments)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # no paused server may outlive it
    wanted = options.only or list(_PARTS)
    try:
        wrk = wrk_version()
        plan = Plan(options.seconds, options.rounds, options.starts, machine.cpus_here())
        made = datetime.now(UTC)
        results = Results(**{name: measure(plan) for name, measure in _PARTS.items() if name in wanted})
    except (LoadError, ServerError, machine.TooFewCpus) as error:
        print(f"benchmark: {error}", file=sys.stderr)
        return 1
    circumstances = Circumstances(
        made=made,
        machine=machine.machine(),
        cpus=plan.cpus,
        seconds=plan.seconds,
        rounds=plan.rounds,
        wrk=wrk,
        own=machine.own_versions(),
        peers=machine.peer_versions() if "peers" in wanted else {},
    )
    document = report(results, circumstances)
    options.output.write_text(document)
    print(document)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("--only", action="append", choices=list(_PARTS), help="this part; may be given several times")
    parser.add_argument("--seconds", type=at_least_one, default=3, help="how long each load lasts")
    parser.add_argument("--rounds", type=at_least_one, default=3, help="how often each load is repeated")
    parser.add_argument("--starts", type=at_least_one, default=5, help="how often each engine is started")
    parser.add_argument("--output", type=Path, default=RESULTS, help="where the tables go")
    return parser


if __name__ == "__main__":
    sys.exit(main())
