"""What an operator relies on: an unprivileged process, its health, how it starts, stops and refuses to start."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

import httpx
import pytest

from tests.container.load import under_load
from tests.container.stack import ROOT, SERVICE, Stack, eventually, inspected, run, succeeded
from tests.ports import free_port

pytestmark = [pytest.mark.container, pytest.mark.timeout(1200)]  # the first of them waits for the build

# Modules without bytecode that fits them, as the interpreter would look for it.
_UNCOMPILED = """
import importlib.util, pathlib, struct, sysconfig
for folder in {sysconfig.get_path("stdlib"), sysconfig.get_path("purelib")}:
    for source in pathlib.Path(folder).rglob("*.py"):
        compiled = pathlib.Path(importlib.util.cache_from_source(source))
        facts = source.stat()
        fits = struct.pack("<LL", int(facts.st_mtime) & 0xFFFFFFFF, facts.st_size & 0xFFFFFFFF)
        if not compiled.exists() or compiled.read_bytes()[8:16] != fits:
            print(source)
"""
_THREADS = "from app.settings import load_settings; print(load_settings().threads)"
_INSTALLED = "import importlib.metadata as m; print(*{d.metadata['Name'] for d in m.distributions()})"


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
    assert named in _last_word(done.stderr)


def test_the_image_says_which_version_it_is(stack: Stack, service: httpx.Client) -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert inspected(stack.container())["Config"]["Labels"]["org.opencontainers.image.version"] == version
    assert service.get("/openapi.json").json()["info"]["version"] == version


def test_the_image_runs_the_other_commands_too(stack: Stack, service: httpx.Client) -> None:
    done = stack.compose("run", "--rm", "--no-deps", "--no-TTY", SERVICE, "model")
    assert json.loads(succeeded(done)) == service.get("/model").json()


def _wait_until_healthy(container: str) -> None:
    eventually(lambda: inspected(container)["State"]["Health"]["Status"] == "healthy", "the container is healthy")


def test_a_stop_under_load_loses_nothing_that_was_accepted(stack: Stack) -> None:
    publish = ("run", "--detach", "--no-deps", "--publish")
    port = free_port()
    container = succeeded(stack.compose(*publish, f"127.0.0.1:{port}:8000", SERVICE)).split()[-1]
    try:
        _wait_until_healthy(container)
        with under_load(f"http://127.0.0.1:{port}") as load:
            eventually(lambda: load.answers["200"] > 50, "requests are answered")
            succeeded(run("docker", "stop", "--time", "30", container))
        logs = run("docker", "logs", "--timestamps", "--tail", "20", container)
        assert inspected(container)["State"]["ExitCode"] == 0, (
            f"{inspected(container)['State']}\n{logs.stdout}{logs.stderr}"
        )
        assert set(load.answers) <= {"200", "shutting-down"}
        # Docker's proxy takes connections that nobody is left to answer; what it took then is no accepted request.
        assert not [one for one in load.broken if "incomplete" in one.lower()], load
    finally:
        run("docker", "rm", "--force", container)


def test_a_full_disk_changes_nothing_and_nothing_is_written_elsewhere(stack: Stack, service: httpx.Client) -> None:
    filled = stack.inside("sh", "-c", "cat /dev/zero > /tmp/full")
    try:
        assert "No space left" in filled.stderr
        sample = (ROOT / "tests" / "samples" / "number.jpg").read_bytes()
        for request in ({"content": sample}, {"files": {"file": sample}}):
            assert service.post("/read", **request).json()["text"] == "0417532698"
    finally:
        succeeded(stack.inside("rm", "-f", "/tmp/full"))  # noqa: S108  # the container's own
    assert run("docker", "diff", stack.container()).stdout == ""


def test_too_little_memory_is_told(stack: Stack) -> None:
    done = stack.compose("run", "--rm", "--no-deps", "--no-TTY", SERVICE, variables={"SERVICE_MEMORY": "256m"})
    assert done.returncode == 1
    assert "512 MiB of memory at least, and the container may use 256 MiB" in _last_word(done.stderr)


def test_threads_follow_the_cpu_limit(stack: Stack) -> None:
    asking = ("run", "--rm", "--no-deps", "--no-TTY", "--entrypoint", "python", SERVICE, "-c", _THREADS)
    done = stack.compose(*asking, variables={"SERVICE_CPU_QUOTA": "100000"})
    assert succeeded(done).strip() == "1"


def test_nothing_is_compiled_anew_at_every_start(stack: Stack) -> None:
    assert succeeded(stack.inside("python", "-c", _UNCOMPILED)) == ""


def test_models_that_cannot_be_read_are_told(stack: Stack, tmp_path: Path) -> None:
    (tmp_path / "digits").mkdir()
    (tmp_path / "digits").chmod(0o700)
    mount = ("--volume", f"{tmp_path}:/srv/digit-ocr/models:ro")
    done = stack.compose("run", "--rm", "--no-deps", "--no-TTY", *mount, SERVICE)
    assert done.returncode == 1
    assert "models/digits cannot be read (Permission denied)" in _last_word(done.stderr)


def test_a_port_in_use_is_told(stack: Stack) -> None:
    beside = ("--network", f"container:{stack.container()}")
    done = run("docker", "run", "--rm", *beside, "--env", "DIGIT_OCR_ENGINE=litert", "digit-ocr:latest")
    assert done.returncode == 1
    assert "in use" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_start_that_fails_is_not_tried_for_ever(stack: Stack) -> None:
    policy = inspected(stack.container())["HostConfig"]["RestartPolicy"]
    assert policy == {"Name": "on-failure", "MaximumRetryCount": 3}


def test_the_image_lists_what_it_ships_and_under_which_licences(stack: Stack) -> None:
    folder = "/usr/share/doc/digit-ocr"
    document = json.loads(succeeded(stack.inside("cat", f"{folder}/sbom.cdx.json")))
    assert document["bomFormat"] == "CycloneDX"
    pinned = re.findall(r"^([\w.-]+)==([\w.]+)", (ROOT / "docker/requirements/serve.txt").read_text(), re.MULTILINE)
    assert {(part["name"], part["version"]) for part in document["components"]} == set(pinned)
    installed = succeeded(stack.inside("python", "-c", _INSTALLED)).split()
    licences = succeeded(stack.inside("cat", f"{folder}/licences.txt"))
    assert {name for name in installed if f"{name}\n" not in licences} <= {"digit-ocr"}
    assert "MIT License" in succeeded(stack.inside("cat", f"{folder}/copyright"))


@pytest.mark.parametrize("package", ["libc6", "python3.13"])
def test_the_licences_of_the_base_remain(stack: Stack, package: str) -> None:
    places = f"/usr/share/doc/{package}/copyright /usr/local/lib/python3.13/LICENSE.txt"
    assert stack.inside("sh", "-c", f"cat {places} 2>/dev/null | head -c 99").stdout


def test_the_image_is_of_a_bounded_size(stack: Stack) -> None:
    image = inspected(stack.container())["Image"]
    size = succeeded(run("docker", "image", "inspect", "--format", "{{.Size}}", image))
    assert int(size) <= 1_700_000_000


def _last_word(stderr: str) -> str:
    """The one line that the service says; Docker has its own beside it."""
    (line,) = [line for line in stderr.splitlines() if line.startswith("digit-ocr:")]
    assert "Traceback" not in stderr
    return line
