"""One Chromium and one service a module, and a fresh page a test."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from app.composition import build_recogniser
from app.manifest import ModelVersion
from tests.api.services import Service, running
from tests.browser.chromium import FLAGS, MISSING, executable
from tests.samples.draw import pen_number

Open = Callable[..., Page]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Debian's Chromium. Skips where there is none; in CI, where there must be one, it fails.

    No longer than a module: Playwright's event loop runs on this thread, where other tests need one of their own.
    """
    path = executable()
    if path is None:
        if os.environ.get("CI") == "true":
            pytest.fail(MISSING)
        pytest.skip(MISSING)
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield started
        started.close()


@pytest.fixture(scope="module")
def service(version: ModelVersion) -> Iterator[Service]:
    """The service with the real model."""
    with running(version, build_recogniser, engine="litert") as started:
        yield started


@pytest.fixture
def open_page(browser: Browser) -> Iterator[Open]:
    """Opens a page of a service in a context of its own, whose options may be given; no page may break its own policy.

    `origin` is another address of the same service.
    """
    contexts = []
    complaints: list[str] = []

    def opened(service: Service, path: str = "/", origin: str = "http://127.0.0.1", **options: object) -> Page:
        context = browser.new_context(**{"viewport": {"width": 1280, "height": 900}, **options})  # type: ignore[arg-type]
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(20_000)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda message: complaints.append(message.text) if "Policy" in message.text else None)
        page.goto(f"{origin}:{service.port}{path}")
        return page

    yield opened
    for context in contexts:
        context.close()
    assert not complaints


@pytest.fixture
def page(service: Service, open_page: Open) -> Page:
    """The page, ready."""
    page = open_page(service)
    page.locator("#service[data-state=ready]").wait_for()
    return page


@pytest.fixture(scope="session")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Drawn numbers, each as the file of its name: 6204.png and so on."""
    folder = tmp_path_factory.mktemp("images")
    for seed, name in enumerate(("6204.png", "51.jpg", "38.webp", "907.bmp", "4625.tiff", "83.pgm")):
        cv2.imwrite(str(folder / name), pen_number(name.split(".")[0], 64, 7, seed + 20))
    return folder
