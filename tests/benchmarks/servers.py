"""The servers that are measured, each in processes of its own, pinned to the CPUs that wrk leaves free."""

from __future__ import annotations

import http.client
import json
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from tests.benchmarks.process_tree import kill_survivors, signal_tree, tree_of
from tests.benchmarks.uploads import Upload
from tests.ports import free_port
from tests.processes import environment

ROOT = Path(__file__).parents[2]
# Where `make bench` installs the peers, and the service with what its image has: Keras imports what training needs
# besides, too, wherever it finds it, and takes seconds longer to start.
PEERS_BIN = ROOT / ".venv" / "bench" / "bin"
SERVICE_BIN = ROOT / ".venv" / "served" / "bin"
_PORT = "{port}"
# Often enough to tell when a server is ready, and too seldom to keep it from getting there.
_POLL_S = 0.05
_READY_S = 120.0
_ANSWER_S = 60.0
_END_S = 30.0


class ServerError(Exception):
    """A server ends, does not get ready, or answers wrongly."""


@dataclass(frozen=True, slots=True)
class Server:
    """How to start a server, `{port}` standing for its port, and which path says 200 once it is ready."""

    name: str
    command: Sequence[str]
    ready_path: str
    environment: Mapping[str, str] = field(default_factory=dict)


def floor() -> Server:
    return Server("floor", (str(SERVICE_BIN / "python"), "-m", "tests.benchmarks.floor", _PORT), "/readyz")


def service(engine: str, **settings: str) -> Server:
    """The service itself, as `digit-ocr serve` starts it; `settings` as the README names them, without the prefix."""
    own = {"ENGINE": engine, "PORT": _PORT, "LOG_FORMAT": "json", **settings}
    command = (str(SERVICE_BIN / "digit-ocr"), "serve")
    return Server(engine, command, "/readyz", {f"DIGIT_OCR_{name}": value for name, value in own.items()})


def litserve() -> Server:
    command = (str(PEERS_BIN / "python"), "-m", "tests.benchmarks.peers.litserve_server", _PORT)
    return Server("LitServe", command, "/health")


def bentoml(home: Path) -> Server:
    """`home`: a folder for what it writes."""
    command = [str(PEERS_BIN / "bentoml"), "serve", "tests.benchmarks.peers.bentoml_server:Digits"]
    return Server(
        "BentoML",
        [*command, "--host", "127.0.0.1", "--port", _PORT],
        "/readyz",
        {"BENTOML_HOME": str(home), "BENTOML_DO_NOT_TRACK": "True"},
    )


@dataclass(frozen=True, slots=True)
class Running:
    """A server that is ready; `start_s`: how long that took from the start of its process."""

    name: str
    pid: int
    port: int
    start_s: float

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    def pause(self) -> None:
        """Stops all its processes, so that no other server loses its CPUs to an idle one."""
        signal_tree(self.pid, signal.SIGSTOP)

    @contextmanager
    def awake(self) -> Iterator[None]:
        """Goes on meanwhile."""
        signal_tree(self.pid, signal.SIGCONT)
        try:
            yield
        finally:
            self.pause()

    def check(self, path: str, upload: Upload) -> None:
        """Waits until one request alone is answered. What was left unanswered by a load before is done by then.

        Raises ServerError for another answer than the right one.
        """
        give_up = time.monotonic() + _ANSWER_S
        status, answer = _asked(self.port, "POST", path, upload.body, upload.content_type)
        while status == 503 and time.monotonic() < give_up:  # it is still busy with what nobody waits for any more
            time.sleep(_POLL_S)
            status, answer = _asked(self.port, "POST", path, upload.body, upload.content_type)
        if status != 200 or not upload.is_right(json.loads(answer)):
            raise ServerError(f"{self.name} answers {path} with {status}: {answer[:500]!r}")


@contextmanager
def running(server: Server, cpus: Sequence[int]) -> Iterator[Running]:
    """Starts a server on these CPUs, waits until it is ready, and ends it with all that it started."""
    port = free_port()
    command = ["taskset", "-c", ",".join(map(str, cpus)), *(word.replace(_PORT, str(port)) for word in server.command)]
    variables = environment({}, {name: value.replace(_PORT, str(port)) for name, value in server.environment.items()})
    with tempfile.TemporaryFile() as log:
        started = time.perf_counter()
        process = subprocess.Popen(command, cwd=ROOT, env=variables, stdout=log, stderr=subprocess.STDOUT)
        try:
            if not _gets_ready(process, port, server.ready_path):
                log.seek(0)
                raise ServerError(f"{server.name} does not get ready: {log.read().decode(errors='replace')[-2000:]}")
            yield Running(server.name, process.pid, port, time.perf_counter() - started)
        finally:
            _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    """Asks it to end; what is left after that is killed."""
    tree = tree_of(process.pid)
    signal_tree(process.pid, signal.SIGCONT)
    process.terminate()
    with suppress(subprocess.TimeoutExpired):
        process.wait(_END_S)
    kill_survivors(tree)
    process.wait()


def _gets_ready(process: subprocess.Popen[bytes], port: int, path: str) -> bool:
    give_up = time.monotonic() + _READY_S
    while process.poll() is None and time.monotonic() < give_up:
        with suppress(OSError, http.client.HTTPException):
            if _asked(port, "GET", path)[0] == 200:
                return True
        time.sleep(_POLL_S)
    return False


def _asked(port: int, method: str, path: str, body: bytes = b"", content_type: str = "") -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_ANSWER_S)
    try:
        connection.request(method, path, body, {"Content-Type": content_type} if content_type else {})
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()
