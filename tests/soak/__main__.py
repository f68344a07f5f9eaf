"""`python -m tests.soak`: overload, SIGTERM under load and growth of memory, of the real service. `make soak` runs it.

Settings of the service (DIGIT_OCR_ENGINE, …) are taken from the environment. Prints a table; the exit status is 1 where
a bar is missed.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import uvloop

from app.settings import PREFIX, Settings
from tests.processes import serving
from tests.soak import growth, overload, shutdown
from tests.soak.checks import Check, table
from tests.soak.traffic import lone_digit, number

PARTS = ("overload", "shutdown", "growth")
_CONNECTIONS_PER_SLOT = 8


def main(arguments: Sequence[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    checks: list[Check] = []
    for part in options.parts:
        _tell(f"{part} …")
        checks += uvloop.run(_PARTS[part](options))
    text = table(checks)
    print(text)
    if options.out:
        options.out.write_text(text + "\n")
    return int(any(check.met is False for check in checks))


async def _overload(options: argparse.Namespace) -> list[Check]:
    settings = Settings()
    load = overload.Load(number(), _CONNECTIONS_PER_SLOT * settings.max_in_flight, options.overload_seconds)
    with serving(_settings()) as served:
        outcome = await overload.overload(served.port, load)
    return overload.checks(outcome, load, settings.request_timeout_s)


async def _shutdown(options: argparse.Namespace) -> list[Check]:
    connections = Settings().max_in_flight * 3 // 4
    stops = []
    for _ in range(options.stops):
        with serving(_settings()) as served:
            stops.append(await shutdown.stop_under_load(served.process, served.port, lone_digit(), connections, 3.0))
    return [check for stop in stops for check in shutdown.checks(stop)]


async def _growth(options: argparse.Namespace) -> list[Check]:
    with serving(_settings()) as served:
        found = await growth.growth(served.process.pid, served.port, options.warm_up, options.requests, _tell)
    return growth.checks(found)


_PARTS = {"overload": _overload, "shutdown": _shutdown, "growth": _growth}


def _settings() -> dict[str, str]:
    """Of the environment; of two ports one would be taken."""
    names = {PREFIX + name.upper() for name in Settings.model_fields} - {f"{PREFIX}PORT"}
    return {name.removeprefix(PREFIX): os.environ[name] for name in names if name in os.environ}


def _tell(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description="Soaks the real service.")
    parser.add_argument("parts", nargs="*", default=list(PARTS), metavar="PART", help=f"of {', '.join(PARTS)}")
    parser.add_argument("--overload-seconds", type=float, default=60.0, metavar="S")
    parser.add_argument("--stops", type=int, default=3, metavar="N", help="how often it is ended under load")
    parser.add_argument("--requests", type=int, default=200_000, metavar="N", help="whose growth of memory is measured")
    parser.add_argument("--warm-up", type=int, default=20_000, metavar="N", help="requests before those")
    parser.add_argument("--out", type=Path, metavar="FILE", help="the table goes there, too")
    return parser


if __name__ == "__main__":
    sys.exit(main())
