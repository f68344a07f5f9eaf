"""Every way to give an image."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.api.services import Service
from tests.browser.chromium import ONE, SEVEN, draw
from tests.browser.conftest import Open
from tests.browser.reading import carry, choose, expect_number, expect_trouble


def test_a_file_is_chosen(page: Page, images: Path) -> None:
    choose(page, images / "6204.png")
    expect_number(page, "6204")
    expect(page.locator("#pile")).to_be_hidden()


@pytest.mark.parametrize("kind", ["drop", "paste"])
def test_an_image_is_dropped_or_pasted(page: Page, images: Path, kind: str) -> None:
    carry(page, kind, images / "51.jpg")
    expect_number(page, "51")


def test_a_paste_without_an_image_is_told(page: Page) -> None:
    carry(page, "paste")
    expect_trouble(page, "There is no image on the clipboard", "Copy an image")


def test_many_files_are_read_and_one_that_is_no_image_spoils_none(page: Page, images: Path) -> None:
    other = images / "notes.txt"
    other.write_text("no image")
    choose(page, images / "6204.png", other, images / "51.jpg", images / "38.webp", images / "907.bmp")
    expect(page.locator("#progress-words")).to_have_text("5 of 5 images read, 1 without an answer")
    expect(page.locator("#list b")).to_have_text(["6204", "Unsupported image", "51", "38", "907"])
    expect_number(page, "6204")
    page.locator("#list button").nth(3).click()
    expect_number(page, "38")
    page.locator("#list button").nth(1).click()
    expect_trouble(page, "notes.txt: Unsupported image", "Save it as PNG or JPEG")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="Copy all as a table").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    rows = [row.split("\t") for row in page.evaluate("navigator.clipboard.readText()").split("\n")]
    assert [row[:2] for row in rows[1:3]] == [["6204.png", "6204"], ["notes.txt", ""]]


def test_a_sample_is_taken_with_the_keyboard(page: Page) -> None:
    page.get_by_role("button", name="Three lines").focus()
    page.keyboard.press("Enter")
    expect_number(page, "1984\n30265\n77")


@pytest.mark.parametrize("pointer", ["mouse", "pen", "finger"])
def test_a_drawing_is_read_as_it_grows(service: Service, open_page: Open, pointer: str) -> None:
    page = open_page(service, has_touch=pointer == "finger")
    page.get_by_role("tab", name="Draw").click()
    draw(page, SEVEN, pointer)
    expect_number(page, "7")
    draw(page, ONE, pointer)
    expect_number(page, "71")
    page.get_by_role("button", name="Undo").click()
    expect_number(page, "7")
    page.get_by_role("button", name="Clear").click()
    expect(page.locator("#result")).to_be_hidden()
    expect(page.get_by_role("button", name="Undo")).to_be_disabled()


def test_a_photo_is_taken_with_the_camera(service: Service, open_page: Open) -> None:
    page = open_page(service, permissions=["camera"])
    page.get_by_role("tab", name="Camera").click()
    page.get_by_role("button", name="Turn the camera on").click()
    page.get_by_role("button", name="Take the photo").click()
    expect(page.locator("#about-image")).to_contain_text("photo.jpg")
    expect(page.locator("#stage img")).to_be_visible()
    page.get_by_role("tab", name="Image").click()
    assert page.evaluate("document.getElementById('video').srcObject") is None  # the camera is off


def test_a_camera_that_may_not_be_used_is_told(page: Page) -> None:
    page.get_by_role("tab", name="Camera").click()
    page.get_by_role("button", name="Turn the camera on").click()
    expect_trouble(page, "The camera may not be used", "Allow the camera")


def test_a_page_from_an_insecure_address_has_no_camera_and_still_copies(
    service: Service, open_page: Open, images: Path
) -> None:
    page = open_page(service, origin="http://digits.test")
    page.get_by_role("tab", name="Camera").click()
    page.get_by_role("button", name="Turn the camera on").click()
    expect_trouble(page, "The camera needs a secure address", "choose the file")
    page.get_by_role("tab", name="Image").click()
    choose(page, images / "51.jpg")
    expect_number(page, "51")
    page.locator("#copy").click()
    expect(page.locator("#copy")).to_have_text("Copied")
    page.get_by_text("Options").click()
    page.get_by_label("API key").focus()
    page.keyboard.press("Control+v")
    expect(page.get_by_label("API key")).to_have_value("51")


def test_a_phone_offers_its_own_camera(service: Service, open_page: Open, images: Path) -> None:
    page = open_page(service, has_touch=True, is_mobile=True, viewport={"width": 390, "height": 844})
    expect(page.locator("#capture")).to_have_attribute("capture", "environment")
    with page.expect_file_chooser() as dialogue:
        page.get_by_role("button", name="Take a photo").click()
    dialogue.value.set_files(images / "907.bmp")
    expect_number(page, "907")
    expect(page.locator("#number")).to_be_in_viewport()
