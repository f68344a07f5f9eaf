"""Docker, as the tests of the containers drive it."""

from __future__ import annotations

import json
import os
import subprocess
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from tests.ports import free_port

ROOT = Path(__file__).parents[2]
SERVICE = "digit-ocr"
_SERVICE_PORT, _PROMETHEUS_PORT = "SERVICE_PUBLISHED_PORT", "PROMETHEUS_PUBLISHED_PORT"
_BALANCER_PORT = "BALANCER_PUBLISHED_PORT"


@dataclass(frozen=True, slots=True)
class Stack:
    """One compose project under a name of its own."""

    project: str
    environment: dict[str, str]
    service_url: str
    prometheus_url: str
    balancer_url: str

    def compose(
        self, *arguments: str, variables: dict[str, str] | None = None, override: Path | None = None
    ) -> subprocess.CompletedProcess[str]:
        """`docker compose` with `variables` in its environment, and with a second compose file where one is given."""
        environment = {**self.environment, **(variables or {})}
        return run(*self.command(override), *arguments, environment=environment)

    def command(self, override: Path | None = None) -> tuple[str, ...]:
        """`docker compose` of this project."""
        files = ["docker-compose.yml", *([str(override)] if override else [])]
        options = [word for file in files for word in ("--file", file)]
        return (
            *("docker", "compose", "--ansi", "never", "--env-file", os.devnull, "--project-name", self.project),
            *options,
        )

    def inside(self, *command: str, options: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
        """Runs a command in the container of the service."""
        return self.compose("exec", "--no-TTY", *options, SERVICE, *command)

    def container(self) -> str:
        """The id of the service's container."""
        return succeeded(self.compose("ps", "--quiet", SERVICE)).strip()


@contextmanager
def project() -> Iterator[Stack]:
    """A compose project whose ports nobody else listens on; all of it is gone afterwards."""
    ports = {name: str(free_port()) for name in (_SERVICE_PORT, _PROMETHEUS_PORT, _BALANCER_PORT)}
    # The settings of whoever runs the tests are not those of the tests.
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("DIGIT_OCR_", "COMPOSE_", "SERVICE_"))}
    stack = Stack(
        project=f"digit-ocr-test-{uuid.uuid4().hex[:8]}",
        environment={**environment, **ports},
        service_url=f"http://127.0.0.1:{ports[_SERVICE_PORT]}",
        prometheus_url=f"http://127.0.0.1:{ports[_PROMETHEUS_PORT]}",
        balancer_url=f"http://127.0.0.1:{ports[_BALANCER_PORT]}",
    )
    try:
        yield stack
    finally:
        profiles = ("--profile", "training", "--profile", "scale")
        stack.compose(*profiles, "down", "--volumes", "--remove-orphans", "--timeout", "5")


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
