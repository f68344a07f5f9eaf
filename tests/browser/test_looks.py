"""For everybody: keyboard, screen reader, dark and light, small and wide, and no more motion than wanted."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.api.services import Service
from tests.browser.conftest import Open
from tests.browser.reading import choose, expect_number, expect_trouble

STATES = ["empty", "draw", "camera", "answer", "many", "trouble", "about"]
SHIFTS = """() => {
  window.shifts = [];
  new PerformanceObserver((list) => { for (const entry of list.getEntries()) window.shifts.push(entry.value); })
    .observe({ type: 'layout-shift', buffered: true });
}"""


def bring(page: Page, state: str, images: Path) -> None:
    """Makes the page show one of STATES."""
    page.locator("#service[data-state=ready]").wait_for()
    if state in ("draw", "camera"):
        page.get_by_role("tab", name=state.title()).click()
    elif state == "answer":
        page.locator("#more summary").click()
        page.get_by_label("Unsure under").fill("1")
        choose(page, images / "6204.png")
        expect_number(page, "6204")
        for call in page.locator(".call-made summary").all():
            call.click()
    elif state == "many":
        choose(page, *(images / name for name in ("6204.png", "51.jpg", "4625.tiff")))
        expect(page.locator("#progress-words")).to_contain_text("3 of 3")
        expect_number(page, "6204")
    elif state == "trouble":
        choose(page, Path(__file__))
        expect_trouble(page, "Unsupported image", "PNG")
    elif state == "about":
        expect(page.locator("#limit-list li").first).to_be_visible()
        expect(page.locator("#set option").first).to_be_attached()


def path_of(state: str) -> str:
    return "/about" if state == "about" else "/"


@pytest.mark.parametrize("state", STATES)
def test_axe_finds_nothing_in_light_or_dark(service: Service, open_page: Open, images: Path, state: str) -> None:
    page = open_page(service, path_of(state), reduced_motion="reduce")
    bring(page, state, images)
    schemes: tuple[Literal["light", "dark"], ...] = ("light", "dark")
    for scheme in schemes:
        page.emulate_media(color_scheme=scheme)
        found = Axe().run(page)
        assert found.violations_count == 0, found.generate_report()


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("width", [320, 390, 768, 1920])
def test_nothing_is_wider_than_the_screen(
    service: Service, open_page: Open, images: Path, state: str, width: int
) -> None:
    page = open_page(service, path_of(state), viewport={"width": width, "height": 800})
    bring(page, state, images)
    assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_has_the_colours_that_are_wanted(service: Service, open_page: Open, scheme: str) -> None:
    page = open_page(service, color_scheme=scheme)
    red = page.evaluate("Number(getComputedStyle(document.body).backgroundColor.match(/\\d+/)[0])")
    assert (red > 200) == (scheme == "light")
    paper = page.evaluate("getComputedStyle(document.getElementById('canvas')).backgroundColor.match(/\\d+/)[0]")
    assert int(paper) > 200  # drawings are dark on light either way


def test_the_layout_does_not_jump(service: Service, open_page: Open, images: Path) -> None:
    page = open_page(service)
    page.evaluate(SHIFTS)
    choose(page, images / "6204.png")
    expect_number(page, "6204")
    choose(page, images / "51.jpg")
    expect_number(page, "51")
    assert sum(page.evaluate("window.shifts")) < 0.1  # "good", as Web Vitals has it


@pytest.mark.parametrize("wanted", ["reduce", "no-preference"])
def test_nothing_moves_where_that_is_not_wanted(service: Service, open_page: Open, images: Path, wanted: str) -> None:
    page = open_page(service, reduced_motion=wanted)
    choose(page, images / "51.jpg")
    expect_number(page, "51")
    moving = page.locator(".bar i").first.evaluate("(bar) => getComputedStyle(bar).transitionDuration")
    assert (moving in ("0s", "")) == (wanted == "reduce")


def test_everything_can_be_reached_from_the_keyboard(page: Page, images: Path) -> None:
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the images")).to_be_focused()
    page.get_by_role("tab", name="Image").focus()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("tab", name="Draw")).to_be_focused()
    expect(page.locator("#canvas")).to_be_visible()
    page.keyboard.press("End")
    expect(page.locator("#panel-camera")).to_be_visible()
    page.keyboard.press("Home")
    choose(page, images / "6204.png")
    expect_number(page, "6204")
    page.locator(".box").nth(1).click()  # a digit with others on either side: whichever was the least sure
    page.get_by_role("link", name="Skip to the images").focus()
    reached = set()
    for _ in range(60):
        page.keyboard.press("Tab")
        reached.add(page.evaluate("document.activeElement.id || document.activeElement.className"))
        ring = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        assert ring != "none" or page.evaluate("document.activeElement === document.body")
    assert {"choose", "tab-image", "copy", "previous", "next"} <= reached
    assert any(name.startswith("box") for name in reached)


def test_the_page_asks_nobody_but_its_service(service: Service, open_page: Open, images: Path) -> None:
    page = open_page(service)
    addresses: list[str] = []
    page.on("request", lambda request: addresses.append(request.url))
    page.reload()
    choose(page, images / "51.jpg")
    expect_number(page, "51")
    page.get_by_role("link", name="About").click()
    expect(page.locator("#limit-list li").first).to_be_visible()
    own = f"http://127.0.0.1:{service.port}/"
    assert addresses
    assert [url for url in addresses if not url.startswith((own, f"blob:{own}"))] == []
