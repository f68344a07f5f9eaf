"""What an operator relies on: an unprivileged process, its health, how it starts, stops and refuses to start."""

from __future__ import annotations

import json
import tomllib

import httpx
import pytest

from tests.container.stack import ROOT, SERVICE, Stack, eventually, inspected, run, succeeded

pytestmark = [pytest.mark.container, pytest.mark.timeout(1200)]  # the first of them waits for the build


def test_process_1_is_the_service_itself(stack: Stack) -> None:
    # A shell in its place would not pass the stop signal on.
    command = succeeded(stack.inside("cat", "/proc/1/cmdline")).split("\0")
    assert command[1:3] == ["/opt/venv/bin/digit-ocr", "serve"]


def test_the_process_has_no_privileges(stack: Stack) -> None:
    lines = succeeded(stack.inside("cat", "/proc/1/status")).splitlines()
    status = {name: value.split() for name, value in (line.split(":", 1) for line in lines)}
    assert status["Uid"] == ["10001"] * 4
    assert status["Gid"] == ["10001"] * 4
    assert [int(status[name][0], 16) for name in ("CapPrm", "CapEff", "CapBnd")] == [0, 0, 0]
    assert status["NoNewPrivs"] == ["1"]


@pytest.mark.parametrize("path", ["/new", "/opt/venv/new", "/srv/digit-ocr/models/new"])
def test_not_even_root_can_write_to_the_root_filesystem(stack: Stack, path: str) -> None:
    done = stack.inside("touch", path, options=("--user", "0"))
    assert done.returncode != 0
    assert "Read-only file system" in done.stderr


def test_what_libraries_write_aside_has_a_place(stack: Stack) -> None:
    succeeded(stack.inside("touch", "/tmp/new"))  # noqa: S108  # the container's own


def test_the_health_check_tells_a_healthy_service(stack: Stack) -> None:
    _wait_until_healthy(stack.container())


def test_the_health_check_tells_a_service_that_does_not_answer(stack: Stack) -> None:
    kind, *check = inspected(stack.container())["Config"]["Healthcheck"]["Test"]
    assert kind == "CMD"
    succeeded(stack.inside(*check))
    assert stack.inside(*check, options=("--env", "DIGIT_OCR_PORT=9")).returncode == 1


def test_a_stopped_service_ends_well(stack: Stack) -> None:
    container = succeeded(stack.compose("run", "--detach", "--no-deps", SERVICE)).split()[-1]
    try:
        _wait_until_healthy(container)
        succeeded(run("docker", "stop", "--time", "30", container))
        assert inspected(container)["State"]["ExitCode"] == 0
        assert '"shutting down"' in run("docker", "logs", container).stderr
    finally:
        run("docker", "rm", "--force", container)


@pytest.mark.parametrize(
    ("variable", "value", "named"),
    [
        ("DIGIT_OCR_MODEL_VERSION", "9.9.9", "9.9.9"),
        ("DIGIT_OCR_MODEL_VERSION", "newest", "DIGIT_OCR_MODEL_VERSION"),
        ("DIGIT_OCR_MAX_PIXELS", "many", "DIGIT_OCR_MAX_PIXELS"),
    ],
)
def test_a_wrong_setting_of_the_host_stops_the_start(stack: Stack, variable: str, value: str, named: str) -> None:
    done = stack.compose("run", "--rm", "--no-deps", "--no-TTY", SERVICE, variables={variable: value})
    assert done.returncode == 1
    assert done.stdout == ""
    (line,) = [line for line in done.stderr.splitlines() if line.startswith("digit-ocr:")]
    assert named in line
    assert "Traceback" not in done.stderr


def test_the_image_says_which_version_it_is(stack: Stack, service: httpx.Client) -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert inspected(stack.container())["Config"]["Labels"]["org.opencontainers.image.version"] == version
    assert service.get("/openapi.json").json()["info"]["version"] == version


def test_the_image_runs_the_other_commands_too(stack: Stack, service: httpx.Client) -> None:
    done = stack.compose("run", "--rm", "--no-deps", "--no-TTY", SERVICE, "model")
    assert json.loads(succeeded(done)) == service.get("/model").json()


def _wait_until_healthy(container: str) -> None:
    eventually(lambda: inspected(container)["State"]["Health"]["Status"] == "healthy", "the container is healthy")
