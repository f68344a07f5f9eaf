"""Bad images, and a service that is slow, full, locked or gone: the page says what happened, and what to do."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from app.composition import build_recogniser
from app.manifest import ModelVersion
from app.recogniser import Recogniser
from app.settings import Settings
from tests.api.services import Blocking, OneDigit, Service, running, starting, with_classifier
from tests.browser.conftest import Open
from tests.browser.reading import choose, expect_number, expect_trouble
from tests.images import draw_digit, draw_number, encode
from tests.processes import serving

# What each file is, its bytes, and how its trouble begins.
BAD: dict[str, tuple[bytes, str, str]] = {
    "scan.pdf": (
        b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n<< /Type /Catalog >>\nendobj\n",
        "Unsupported image",
        "PNG or JPEG",
    ),
    "photo.heic": (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(400), "Unsupported image", "PNG or JPEG"),
    "cut.png": (encode(draw_number("123"))[:300], "Corrupt image", "original file"),
    "empty.png": (b"", "empty.png: ", "PNG"),
}
LOCKED: dict[str, Any] = {"api_keys": "sesame", "protect_operations": True}


@pytest.fixture
def digit(tmp_path: Path) -> Path:
    path = tmp_path / "digit.png"
    path.write_bytes(encode(draw_digit(7)))
    return path


@pytest.mark.parametrize("name", BAD)
def test_a_bad_file_is_told(page: Page, tmp_path: Path, name: str) -> None:
    data, title, advice = BAD[name]
    (tmp_path / name).write_bytes(data)
    choose(page, tmp_path / name)
    expect_trouble(page, title, advice)
    expect(page.locator("#result")).to_be_hidden()


def test_a_photo_of_50_mb_can_be_shrunk(page: Page, tmp_path: Path) -> None:
    path = tmp_path / "large.jpg"
    path.write_bytes(encode(draw_number("4096"), "JPEG") + bytes(50_000_000))
    choose(page, path)
    expect(page.get_by_role("alert")).to_contain_text("larger than 10,485,760 bytes")
    page.get_by_role("button", name="Shrink it and try again").click()
    expect_number(page, "4096")


def test_an_upload_that_is_cut_off_is_not_taken_for_a_service_that_is_gone(page: Page, tmp_path: Path) -> None:
    path = tmp_path / "large.png"
    path.write_bytes(encode(draw_digit(1)) + bytes(2_000_000))
    page.route("**/read", lambda route: route.abort("connectionreset"))
    choose(page, path)
    expect_trouble(page, "The image was not taken", "may be too large")


def test_a_sample_that_is_not_given_is_told(page: Page) -> None:
    problem = {"type": "/problems/shutting-down", "title": "Shutting down", "status": 503, "detail": "Ask another."}
    page.route("**/page/samples/*", lambda route: route.fulfill(status=503, json=problem))
    page.get_by_role("button", name="A number").click()
    expect_trouble(page, "Shutting down", "Ask another.")


def test_an_invalid_option_is_told(page: Page, digit: Path) -> None:
    page.locator("#more summary").click()
    page.get_by_label("How many digits").fill("several")
    choose(page, digit)
    expect_trouble(page, "Invalid parameter", "expected_length")
    page.get_by_label("How many digits").fill("")
    page.get_by_label("How many digits").blur()
    expect_number(page, "7")


def test_a_service_that_stops_and_comes_back(open_page: Open, version: ModelVersion, digit: Path) -> None:
    settings = {"ENGINE": "litert"}
    with serving(settings) as served, Service(served.port, state=None) as service:  # type: ignore[arg-type]
        page = open_page(service)
        page.locator("#service[data-state=ready]").wait_for()
        served.stop()
        choose(page, digit)
        expect_trouble(page, "The service does not answer", "try again")
    with starting(version, with_classifier(OneDigit()), port=served.port):
        page.get_by_role("button", name="Try again").click()
        expect_number(page, "7")
        expect(page.get_by_role("alert")).to_be_hidden()


def test_an_image_waits_for_a_model_that_loads(open_page: Open, version: ModelVersion, digit: Path) -> None:
    loaded = threading.Event()

    def slow(settings: Settings, version: ModelVersion, on_batch: Callable[[int], None]) -> Recogniser:
        assert loaded.wait(60)
        return build_recogniser(settings, version, on_batch)

    try:
        with starting(version, slow, engine="litert") as service:
            page = open_page(service)
            expect(page.locator("#service")).to_contain_text("Not ready yet")
            choose(page, digit)
            expect_trouble(page, "Not ready, trying again", "still loading")
            loaded.set()
            expect_number(page, "7")
            expect(page.locator("#service")).to_contain_text(version.manifest.version)
    finally:
        loaded.set()


def test_an_overloaded_service_is_asked_again(open_page: Open, version: ModelVersion, digit: Path) -> None:
    classifier = Blocking()
    with running(version, with_classifier(classifier), max_in_flight=1, threads=2) as service:
        other = threading.Thread(target=service.post, args=("/predict",), kwargs={"content": digit.read_bytes()})
        other.start()
        assert classifier.entered.wait(60)
        page = open_page(service)
        choose(page, digit)
        expect_trouble(page, "Overloaded, trying again", "in flight")
        classifier.release.set()
        other.join()
        expect_number(page, "7")


def test_a_key_is_asked_for_and_kept_for_the_tab(open_page: Open, version: ModelVersion, digit: Path) -> None:
    with running(version, with_classifier(OneDigit()), **LOCKED) as service:
        page = open_page(service)
        choose(page, digit)
        expect_trouble(page, "Unauthorized", "API key")
        page.get_by_role("button", name="Enter an API key").click()
        expect(page.get_by_label("API key")).to_be_focused()
        page.keyboard.type("sesame")
        page.keyboard.press("Enter")
        expect_number(page, "7")
        page.get_by_text("POST /read").click()
        line = page.locator(".call-made pre").first
        expect(line).to_contain_text("X-API-Key: $KEY")
        expect(line).not_to_contain_text("sesame")
        page.get_by_role("link", name="About").click()
        expect(page.locator("#facts")).to_contain_text("digits")
        expect(page.locator("#plot")).to_have_js_property("complete", True)
        assert page.locator("#plot").evaluate("(image) => image.naturalWidth") > 0


def test_the_page_about_the_model_asks_for_a_key(open_page: Open, version: ModelVersion) -> None:
    with running(version, with_classifier(OneDigit()), **LOCKED) as service:
        page = open_page(service, "/about")
        expect_trouble(page, "Unauthorized", "API key")
        page.get_by_label("API key").fill("sesame")
        page.get_by_role("button", name="Show the model").click()
        expect(page.locator("#facts")).to_contain_text("digits")
        expect(page.get_by_role("alert")).to_be_hidden()
