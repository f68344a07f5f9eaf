"""Docker, as the tests of the containers drive it."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

ROOT = Path(__file__).parents[2]
SERVICE = "digit-ocr"


@dataclass(frozen=True, slots=True)
class Stack:
    """One compose project under a name of its own."""

    project: str
    environment: dict[str, str]
    service_url: str
    prometheus_url: str

    def compose(
        self, *arguments: str, variables: dict[str, str] | None = None, override: Path | None = None
    ) -> subprocess.CompletedProcess[str]:
        """`docker compose` with `variables` in its environment, and with a second compose file where one is given."""
        files = ["docker-compose.yml", *([str(override)] if override else [])]
        options = [word for file in files for word in ("--file", file)]
        return run(
            *("docker", "compose", "--ansi", "never", "--env-file", os.devnull, "--project-name", self.project),
            *options,
            *arguments,
            environment={**self.environment, **(variables or {})},
        )

    def inside(self, *command: str, options: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
        """Runs a command in the container of the service."""
        return self.compose("exec", "--no-TTY", *options, SERVICE, *command)

    def container(self) -> str:
        """The id of the service's container."""
        return succeeded(self.compose("ps", "--quiet", SERVICE)).strip()


def run(*command: str, environment: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """Runs a command in the repository's root. A build that never ends is ended by the time-out of its test."""
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


def succeeded(done: subprocess.CompletedProcess[str]) -> str:
    """What a command wrote on stdout. Fails with all its output where it did not succeed."""
    assert done.returncode == 0, f"{' '.join(done.args)}: status {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def eventually(holds: Callable[[], bool], what: str, seconds: float = 120) -> None:
    """Returns once `holds` does; what it waits for comes soon or never, and the limit is only to tell never."""
    give_up = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < give_up, f"{what}: not within {seconds:g} s"
        time.sleep(0.5)


def inspected(container: str) -> dict[str, Any]:
    """What Docker knows of a container."""
    (answer,) = json.loads(succeeded(run("docker", "inspect", container)))
    found: dict[str, Any] = answer
    return found


def answers(url: str) -> bool:
    """Whether a GET is answered with 200."""
    try:
        return httpx.get(url).status_code == 200
    except httpx.TransportError:
        return False
