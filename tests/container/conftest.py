"""The services of docker-compose.yml, built from the working tree and started once for all tests of this folder."""

from __future__ import annotations

import os
import shutil
from collections.abc import Generator, Iterator

import httpx
import pytest

from tests.container.stack import SERVICE, Stack, answers, eventually, project, run, succeeded


@pytest.fixture(scope="session")
def engine() -> None:
    """Skips where there is no Docker engine with compose; in CI, where there must be one, it fails."""
    missing = _missing_engine()
    if missing and os.environ.get("CI") == "true":
        pytest.fail(missing)
    if missing:
        pytest.skip(missing)


@pytest.fixture(scope="session")
def stack(engine: None) -> Iterator[Stack]:  # noqa: ARG001  # it skips
    """The service and Prometheus, ready, on ports that nobody else listens on."""
    with project() as stack:
        succeeded(stack.compose("up", "--detach", "--build"))
        try:
            eventually(lambda: answers(f"{stack.service_url}/readyz"), "/readyz answers 200")
        except AssertionError as error:
            pytest.fail(f"{error}\n{stack.compose('logs', '--no-color').stdout}")
        yield stack


@pytest.fixture
def service(stack: Stack) -> Iterator[httpx.Client]:
    """A client of the service."""
    with httpx.Client(base_url=stack.service_url, timeout=60) as client:
        yield client


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Puts what the containers logged below a failure."""
    report = yield
    for name, services in (("stack", [SERVICE]), ("scaled", ["nginx", "replica"])):
        stack = getattr(item, "funcargs", {}).get(name)
        if report.failed and isinstance(stack, Stack):
            logs = stack.compose("--profile", "scale", "logs", "--no-color", "--tail", "50", *services)
            report.sections.append((f"docker compose logs {' '.join(services)}", logs.stdout))
    return report


def _missing_engine() -> str:
    if shutil.which("docker") is None:
        return "docker is not on the PATH"
    for command in (("docker", "info"), ("docker", "compose", "version")):
        done = run(*command)
        if done.returncode:
            return f"`{' '.join(command)}` fails: {(done.stderr or done.stdout).strip()}"
    return ""
