"""wrk, on a CPU of its own: many requests of one kind at a server, and how long they took."""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from tests.benchmarks.uploads import Upload

_SCRIPT = Path(__file__).with_name("post.lua")


@dataclass(frozen=True, slots=True)
class Load:
    """What wrk saw: answers, in how many seconds, their latencies, and how many requests got no answer or a bad one."""

    requests: int
    seconds: float
    p50_ms: float
    p95_ms: float
    p99_ms: float
    failed: int


class LoadError(Exception):
    """wrk is missing, ends with an error, or met answers that are none."""


def wrk_version() -> str:
    """Raises LoadError where wrk is not installed."""
    if shutil.which("wrk") is None:
        raise LoadError("wrk is not installed; on Debian: apt-get install wrk")
    said = subprocess.run(["wrk", "--version"], capture_output=True, text=True, check=False)  # it exits with 1
    return parsed_version(said.stdout + said.stderr)


def parsed_version(said: str) -> str:
    """The version in the first line of `wrk --version`."""
    words = said.split()
    return words[1] if len(words) > 1 and words[0] == "wrk" else "of an unknown version"


def posted(url: str, upload: Upload, connections: int, seconds: int, cpu: int) -> Load:
    """Posts an upload over and over on so many connections. Raises LoadError where any request fails."""
    with tempfile.NamedTemporaryFile() as body:
        body.write(upload.body)
        body.flush()
        command = ["taskset", "-c", str(cpu), "wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "20s"]
        command += ["-s", str(_SCRIPT), url, "--", body.name, upload.content_type]
        run = subprocess.run(command, capture_output=True, text=True, check=False)
    if run.returncode != 0:
        raise LoadError(f"wrk ended with status {run.returncode}: {run.stdout}{run.stderr}")
    load = parsed_load(run.stdout)
    if load.failed or not load.requests:
        raise LoadError(f"{load.failed} requests at {url} failed, {load.requests} were answered: {run.stdout}")
    return load


def parsed_load(output: str) -> Load:
    """The line of JSON that post.lua prints among wrk's own."""
    for line in output.splitlines():
        if line.startswith("{"):
            return Load(**json.loads(line))
    raise LoadError(f"wrk printed no figures: {output}")
