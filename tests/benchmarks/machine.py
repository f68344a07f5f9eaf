"""What a run was made on: the machine, which CPU does what, and the versions of what was measured."""

from __future__ import annotations

import json
import os
import platform
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.benchmarks.servers import PEERS_BIN, ROOT, SERVICE_BIN
from training.machine import cpu_model

_OWN = ("fastapi", "uvicorn", "uvloop", "httptools", "tensorflow-cpu", "tensorflow", "ai-edge-litert", "numpy")
_PEERS = ("litserve", "bentoml", "fastapi", "uvicorn", "ai-edge-litert", "numpy")
_ASK = (
    "import importlib.metadata, json; "
    "print(json.dumps({d.name.lower().replace('_', '-'): d.version for d in importlib.metadata.distributions()}))"
)


class TooFewCpus(Exception):
    """wrk and the servers cannot have CPUs of their own."""


@dataclass(frozen=True, slots=True)
class Cpus:
    """Which CPUs the servers have, and the one that wrk has."""

    servers: tuple[int, ...]
    wrk: int

    @property
    def all(self) -> tuple[int, ...]:
        return (*self.servers, self.wrk)


def divided(cpus: set[int]) -> Cpus:
    """The last CPU for wrk, the others for the servers. Raises TooFewCpus where there is but one."""
    if len(cpus) < 2:
        raise TooFewCpus("The benchmark needs two CPUs: one for wrk, the others for the server.")
    *servers, wrk = sorted(cpus)
    return Cpus(tuple(servers), wrk)


def cpus_here() -> Cpus:
    return divided(os.sched_getaffinity(0))


def machine() -> str:
    """One line: CPU, its cores, the system."""
    return f"{cpu_model()}, {os.cpu_count()} cores, {platform.system()} {platform.release()} {platform.machine()}"


def own_versions() -> dict[str, str]:
    """Of the service's environment."""
    return {"python": platform.python_version(), **_versions(SERVICE_BIN / "python", _OWN)}


def peer_versions() -> dict[str, str]:
    """Of the peers' environment."""
    return _versions(PEERS_BIN / "python", _PEERS)


def _versions(python: Path, names: tuple[str, ...]) -> dict[str, str]:
    asked = subprocess.run([str(python), "-c", _ASK], cwd=ROOT, capture_output=True, text=True, check=True)
    installed: dict[str, str] = json.loads(asked.stdout)
    return {name: installed[name] for name in names if name in installed}
