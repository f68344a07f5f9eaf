"""The real service as a process of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO

import httpx

from tests.conftest import ROOT
from tests.ports import free_port, wait_until_ready

SERVE = (sys.executable, "-m", "app.cli", "serve")


@dataclass(frozen=True, slots=True)
class Served:
    """A service that is ready."""

    process: subprocess.Popen[bytes]
    port: int

    def client(self) -> httpx.Client:
        return httpx.Client(base_url=f"http://127.0.0.1:{self.port}", timeout=60, trust_env=False)

    def stop(self) -> int:
        """Ends it as an orchestrator does; its exit status."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(60)


def environment(settings: Mapping[str, str], others: Mapping[str, str] | None = None) -> dict[str, str]:
    """This process's own, but for the settings: only those given."""
    inherited = {name: value for name, value in os.environ.items() if not name.upper().startswith("DIGIT_OCR_")}
    return {**inherited, **{f"DIGIT_OCR_{name}": value for name, value in settings.items()}, **(others or {})}


@contextmanager
def started(
    settings: Mapping[str, str],
    others: Mapping[str, str] | None = None,
    command: tuple[str, ...] = SERVE,
    log: IO[bytes] | None = None,
) -> Iterator[subprocess.Popen[bytes]]:
    """`digit-ocr serve` with these settings, as soon as it is a process; what it logs goes to `log`, or nowhere."""
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        env=environment({"LOG_FORMAT": "json", **settings}, others),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL if log is None else log,
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


@contextmanager
def serving(
    settings: Mapping[str, str], others: Mapping[str, str] | None = None, command: tuple[str, ...] = SERVE
) -> Iterator[Served]:
    """The same on a port of its own, once it is ready; what it logs is dropped."""
    port = free_port()
    with started({"PORT": str(port), **settings}, others, command) as process:
        wait_until_ready(port, process)
        yield Served(process, port)
