"""Replicas behind nginx: what passes through, what clients notice when replicas come and go, what Prometheus says."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.container.load import under_load
from tests.container.stack import ROOT, Stack, answers, eventually, project, run, succeeded

pytestmark = [pytest.mark.container, pytest.mark.timeout(1200)]  # the first of them waits for the build

_OLD, _NEW = "1.0.0", "99.0.0"
_RULES = "/etc/prometheus/alerts_test.yml"
_LITERT = {"DIGIT_OCR_ENGINE": "litert"}  # starts sooner


@pytest.fixture(scope="module")
def mounted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A second compose file, which mounts models with a version after the first: the same networks, by another name."""
    folder = tmp_path_factory.mktemp("scale")
    folder.chmod(0o755)
    models = folder / "models" / "digits"
    shutil.copytree(ROOT / "models" / "digits" / _OLD, models / _OLD)
    shutil.copytree(ROOT / "models" / "digits" / _OLD, models / _NEW)
    manifest = json.loads((models / _NEW / "manifest.json").read_text())
    (models / _NEW / "manifest.json").write_text(json.dumps(manifest | {"version": _NEW}))
    for path in [folder / "models", *(folder / "models").rglob("*")]:
        path.chmod(0o755 if path.is_dir() else 0o644)
    file = folder / "models.yml"
    file.write_text(f"services:\n  replica:\n    volumes: ['{folder / 'models'}:/srv/digit-ocr/models:ro']\n")
    return file


@pytest.fixture(scope="module")
def scaled(stack: Stack, mounted: Path) -> Iterator[Stack]:  # noqa: ARG001  # the image is built
    """Two replicas of the old version, nginx and Prometheus."""
    with project() as scaled:
        environment = {**_LITERT, "DIGIT_OCR_MODEL_VERSION": _OLD}
        succeeded(scaled.compose("up", "--detach", "nginx", "prometheus", variables=environment, override=mounted))
        eventually(lambda: answers(f"{scaled.balancer_url}/readyz"), "/readyz answers 200 through nginx")
        yield scaled


@pytest.fixture
def balancer(scaled: Stack) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=scaled.balancer_url, timeout=60) as client:
        yield client


def _replicas(scaled: Stack) -> list[str]:
    return succeeded(scaled.compose("--profile", "scale", "ps", "--quiet", "replica")).split()


def _asked(scaled: Stack, path: str, **parameters: str) -> Any:
    answer = httpx.get(f"{scaled.prometheus_url}/api/v1/{path}", params=parameters)
    return answer.json()["data"]


def _firing(scaled: Stack) -> set[str]:
    alerts = _asked(scaled, "alerts")["alerts"]
    return {alert["labels"]["alertname"] for alert in alerts if alert["state"] == "firing"}


def test_a_request_goes_through_with_its_id(balancer: httpx.Client) -> None:
    number = (ROOT / "tests" / "samples" / "number.jpg").read_bytes()
    answer = balancer.post("/read", content=number, headers={"X-Request-ID": "through-nginx"})
    assert answer.json()["text"] == "0417532698"
    assert answer.headers["X-Request-ID"] == answer.json()["request_id"] == "through-nginx"
    assert balancer.get("/livez").headers["X-Request-ID"]


def test_a_body_beyond_the_service_limit_has_its_problem_and_one_far_beyond_one_of_nginx(
    balancer: httpx.Client,
) -> None:
    for size in (10 * 2**20 + 1, 12 * 2**20):
        answer = balancer.post("/read", content=bytes(size), headers={"X-Request-ID": "large"})
        assert answer.status_code == 413
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert answer.json()["type"] == "/problems/body-too-large"
        assert answer.json()["request_id"] == answer.headers["X-Request-ID"] == "large"


def test_an_id_that_the_service_would_not_take_is_not_put_into_problems(balancer: httpx.Client) -> None:
    answer = balancer.post("/read", content=bytes(12 * 2**20), headers={"X-Request-ID": 'a", "status": "200'})
    assert answer.json()["status"] == 413
    assert re.fullmatch("[0-9a-f]{32}", answer.json()["request_id"])
    assert answer.json()["request_id"] == answer.headers["X-Request-ID"]


@pytest.mark.parametrize(
    "request_",
    [
        b"hello\r\n\r\n",
        b"GET /livez HTTP/1.1\r\n\r\n",
        b"GET /%s HTTP/1.1\r\nHost: nginx\r\n\r\n" % (b"a" * 20_000),
        b"GET /livez HTTP/1.1\r\nHost: nginx\r\nX-Long: %s\r\n\r\n" % (b"a" * 20_000),
        b"POST /read HTTP/1.1\r\nHost: nginx\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"GET /livez HTTP/9.1\r\nHost: nginx\r\n\r\n",
    ],
    ids=["no HTTP", "no host", "long path", "long header", "chunks", "version"],
)
def test_what_nginx_does_not_understand_has_a_problem(balancer: httpx.Client, request_: bytes) -> None:
    assert balancer.base_url.port is not None
    with socket.create_connection(("127.0.0.1", balancer.base_url.port), timeout=60) as connection:
        connection.sendall(request_)
        answer = b"".join(iter(lambda: connection.recv(2**16), b""))
    head, body = answer.split(b"\r\n\r\n")
    assert b"Content-Type: application/problem+json" in head
    assert json.loads(body)["type"] == "/problems/malformed-request"
    assert json.loads(body)["request_id"].encode() in head


def test_more_bodies_than_there_is_room_for_are_too_many_requests(scaled: Stack, balancer: httpx.Client) -> None:
    def in_nginx(*command: str) -> None:
        scaled.compose("exec", "--no-TTY", "nginx", *command)

    number = (ROOT / "tests" / "samples" / "number.jpg").read_bytes()
    large = number + bytes(2**20)  # what follows the image is nothing to it
    try:
        in_nginx("dd", "if=/dev/zero", "of=/tmp/full", "bs=64k")
        answer = balancer.post("/read", content=large)
        assert answer.status_code == 503
        assert answer.json()["type"] == "/problems/overloaded"
        assert answer.headers["Retry-After"]
    finally:
        in_nginx("rm", "/tmp/full")  # noqa: S108  # the container's own
    assert balancer.post("/read", content=large).json()["text"] == "0417532698"


def test_both_replicas_are_scraped(scaled: Stack) -> None:
    query = "count(digit_ocr_model_info) == 2"
    eventually(lambda: bool(_asked(scaled, "query", query=query)["result"]), "Prometheus has both replicas")


def test_alerts_fire_on_what_they_say(scaled: Stack) -> None:
    succeeded(scaled.compose("exec", "--no-TTY", "prometheus", "promtool", "test", "rules", _RULES))


def test_a_rolling_replacement_loses_no_request_forwards_and_back(scaled: Stack, mounted: Path) -> None:
    """1.0.0 → next → back, the clients seeing the version in every answer."""
    for version in (_NEW, _OLD):
        before = set(_replicas(scaled))
        with under_load(scaled.balancer_url) as load:
            said = succeeded(run("docker/roll.sh", environment=_rolling(scaled, mounted, version)))
            eventually(lambda v=version: _version(scaled) == v, f"{version} answers")  # type: ignore[misc]
        assert "replaced 2 replicas" in said
        assert set(load.answers) == {"200"}, load
        assert not load.broken
        assert not load.refused
        assert set(load.versions) == {_OLD, _NEW}
        after = set(_replicas(scaled))
        assert len(after) == 2
        assert not after & before


def _rolling(scaled: Stack, mounted: Path, version: str) -> dict[str, str]:
    """The environment of docker/roll.sh."""
    command = " ".join(scaled.command(mounted))
    return {**scaled.environment, **_LITERT, "DIGIT_OCR_MODEL_VERSION": version, "COMPOSE": command}


def _version(scaled: Stack) -> str:
    version: str = httpx.get(f"{scaled.balancer_url}/model").json()["version"]
    return version


def test_a_version_that_does_not_start_leaves_the_old_replicas(scaled: Stack, mounted: Path) -> None:
    before = set(_replicas(scaled))
    with under_load(scaled.balancer_url) as load:
        done = run("docker/roll.sh", environment=_rolling(scaled, mounted, "7.7.7"))
    assert done.returncode == 1
    assert "There is no version 7.7.7" in done.stderr
    assert set(_replicas(scaled)) == before
    assert set(load.answers) == {"200"}, load
    assert not load.broken


def test_an_interrupted_replacement_leaves_the_old_replicas(scaled: Stack, mounted: Path) -> None:
    before = set(_replicas(scaled))
    environment = _rolling(scaled, mounted, _NEW)
    with under_load(scaled.balancer_url) as load:
        # In a group of its own: an interruption from the keyboard reaches docker as well.
        rolling = subprocess.Popen(["docker/roll.sh"], cwd=ROOT, env=environment, start_new_session=True)
        try:
            eventually(lambda: len(_replicas(scaled)) > len(before), "a new replica is started")
            os.killpg(rolling.pid, signal.SIGTERM)
            assert rolling.wait(timeout=120) == 143
        finally:
            rolling.kill()
    assert set(_replicas(scaled)) == before
    assert set(load.answers) == {"200"}, load
    assert not load.broken


def test_a_replica_that_had_ended_is_replaced_too(scaled: Stack, mounted: Path) -> None:
    before = _replicas(scaled)
    succeeded(run("docker", "stop", before[0]))
    succeeded(run("docker/roll.sh", environment=_rolling(scaled, mounted, _OLD)))
    after = _replicas(scaled)
    assert len(after) == len(before)
    assert not set(after) & set(before)


def test_a_killed_replica_is_not_noticed_and_comes_again(scaled: Stack) -> None:
    victim = _replicas(scaled)[0]
    (process,) = json.loads(succeeded(run("docker", "inspect", victim)))
    if os.getuid() != 0:
        pytest.skip("only root can kill a container's process, rather than stop the container")
    with under_load(scaled.balancer_url) as load:
        os.kill(process["State"]["Pid"], 9)
        eventually(lambda: _state(victim)["RestartCount"] == 1 and _healthy(victim), "the replica is back")
    assert set(load.answers) == {"200"}, load
    assert not load.broken


def _state(container: str) -> dict[str, Any]:
    (found,) = json.loads(succeeded(run("docker", "inspect", container)))
    state: dict[str, Any] = found
    return state


def _healthy(container: str) -> bool:
    return bool(_state(container)["State"]["Health"]["Status"] == "healthy")


def test_no_replica_is_an_alert_and_a_problem(scaled: Stack, balancer: httpx.Client) -> None:
    """The last of them: it stops the replicas."""
    rules = [rule["name"] for group in _asked(scaled, "rules")["groups"] for rule in group["rules"]]
    assert "DigitOcrNoReadyReplica" in rules
    assert not _asked(scaled, "alerts")["alerts"]
    succeeded(run("docker", "stop", *_replicas(scaled)))
    answer = balancer.post("/predict", content=b"")
    assert answer.status_code == 503
    assert answer.json()["type"] == "/problems/not-ready"
    assert answer.headers["Retry-After"]
    eventually(lambda: "DigitOcrNoReadyReplica" in _firing(scaled), "the alert fires")
