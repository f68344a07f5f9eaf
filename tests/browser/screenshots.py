"""`python -m tests.browser.screenshots`: the pictures of the page in `docs`, from images that the project drew."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, expect, sync_playwright

from app.composition import build_recogniser
from app.manifest import open_version
from tests.api.services import running
from tests.browser.chromium import FLAGS, MISSING, ONE, SEVEN, draw, executable
from tests.browser.reading import choose, expect_number
from tests.conftest import MODELS, ROOT

FOLDER = ROOT / "docs"
_QUALITY = 82


def number(page: Page) -> None:
    page.get_by_role("button", name="A number").click()
    expect_number(page, "3141592")
    expect(page.locator("#map-words")).to_contain_text("Grad-CAM")


def drawing(page: Page) -> None:
    page.get_by_role("tab", name="Draw").click()
    draw(page, SEVEN)
    draw(page, ONE)
    expect_number(page, "71")
    expect(page.locator("#map-words")).to_contain_text("Grad-CAM")


def trouble(page: Page) -> None:
    choose(page, ROOT / "README.md")
    expect(page.get_by_role("alert")).to_be_visible()


def about(page: Page) -> None:
    page.get_by_role("link", name="About").click()
    expect(page.locator("#limit-list li").first).to_be_visible()


# Name, what is shown, width and height, and whether it is dark.
SHOTS: tuple[tuple[str, Callable[[Page], None], tuple[int, int], bool], ...] = (
    ("page-number", number, (1280, 900), False),
    ("page-drawing-dark", drawing, (1280, 900), True),
    ("page-phone", drawing, (390, 844), False),
    ("page-trouble-phone", trouble, (390, 844), True),
    ("page-about", about, (1280, 900), False),
)


def shoot(browser: Browser, address: str, folder: Path) -> None:
    """Writes every one of SHOTS as a WebP file."""
    for name, show, (width, height), dark in SHOTS:
        context = browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme="dark" if dark else "light",
            reduced_motion="reduce",
            is_mobile=width < 500,
            has_touch=width < 500,
        )
        page = context.new_page()
        page.goto(address)
        page.locator("#service[data-state=ready]").wait_for()
        show(page)
        page.mouse.move(0, 0)
        Image.open(BytesIO(page.screenshot())).save(folder / f"{name}.webp", quality=_QUALITY, method=6)
        context.close()


def main() -> None:
    path = executable()
    if path is None:
        raise SystemExit(MISSING)
    FOLDER.mkdir(exist_ok=True)
    version = open_version(MODELS, "digits", "latest")
    with running(version, build_recogniser, engine="litert") as service, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        shoot(browser, f"http://127.0.0.1:{service.port}/", FOLDER)
        browser.close()


if __name__ == "__main__":
    main()
