"""The image without TensorFlow: small, as able as the other, and content with no network and no disk."""

from __future__ import annotations

import json
import subprocess
import uuid
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.container.stack import ROOT, Stack, eventually, inspected, run, succeeded

pytestmark = [pytest.mark.container, pytest.mark.timeout(1200)]  # the first of them waits for the build

SAMPLES = ROOT / "tests" / "samples"
_MOST_BYTES = 400 * 10**6
_POST = """
import http.client, sys
connection = http.client.HTTPConnection("127.0.0.1", 8000)
connection.request("POST", sys.argv[1], sys.stdin.buffer.read())
answer = connection.getresponse()
sys.stdout.write(answer.read().decode())
raise SystemExit(answer.status != 200)
"""


@pytest.fixture(scope="module")
def lite(stack: Stack) -> Iterator[str]:  # noqa: ARG001  # it skips where there is no engine
    """A container of the image, ready, with nothing but its loopback and its own files; after the other's build."""
    image = f"digit-ocr-test-lite:{uuid.uuid4().hex[:8]}"
    succeeded(run("docker", "build", "--quiet", "--target", "lite", "--tag", image, str(ROOT)))
    confined = ["--network", "none", "--read-only", "--cap-drop", "ALL", "--security-opt", "no-new-privileges"]
    limits = ["--tmpfs", "/tmp", "--memory", "400m", "--pids-limit", "100"]  # noqa: S108  # the container's own
    container = succeeded(run("docker", "run", "--detach", *confined, *limits, image)).strip()
    try:
        healthy = lambda: inspected(container)["State"]["Health"]["Status"] == "healthy"  # noqa: E731
        eventually(healthy, "the container is healthy")
        yield container
    finally:
        run("docker", "rm", "--force", container)
        run("docker", "rmi", image)


def test_it_is_small(lite: str) -> None:
    """With all that it stands on."""
    size = succeeded(run("docker", "image", "inspect", "--format", "{{.Size}}", inspected(lite)["Image"]))
    assert int(size) <= _MOST_BYTES


def test_it_has_no_tensorflow(lite: str) -> None:
    done = run("docker", "exec", lite, "python", "-c", "import tensorflow")
    assert "No module named 'tensorflow'" in done.stderr


def test_it_reads_without_any_network(lite: str) -> None:
    assert _posted(lite, "/predict", SAMPLES / "digit.png")["digit"] == 7
    assert _posted(lite, "/read", SAMPLES / "number.jpg")["text"] == "0417532698"
    assert _posted(lite, "/predict?explain=true", SAMPLES / "digit.png")["explanation"]


def test_both_images_give_the_same_answer(lite: str, service: httpx.Client) -> None:
    mine = _posted(lite, "/predict", SAMPLES / "digit.png")
    other = service.post("/predict", content=(SAMPLES / "digit.png").read_bytes()).json()
    assert mine["model"] == other["model"]
    assert mine["probabilities"] == pytest.approx(other["probabilities"], abs=1e-5)


def test_the_engine_that_it_lacks_is_refused(lite: str) -> None:
    image = inspected(lite)["Image"]
    done = run("docker", "run", "--rm", "--network", "none", "--env", "DIGIT_OCR_ENGINE=keras", image)
    assert done.returncode == 1
    assert "DIGIT_OCR_ENGINE=litert" in done.stderr
    assert "Traceback" not in done.stderr


def _posted(container: str, path: str, file: Path) -> dict[str, object]:
    command = ["docker", "exec", "--interactive", container, "python", "-c", _POST, path]
    done = subprocess.run(command, input=file.read_bytes(), capture_output=True, timeout=60, check=True)
    answer: dict[str, object] = json.loads(done.stdout)
    return answer
