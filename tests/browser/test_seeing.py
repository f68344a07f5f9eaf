"""What the page shows of an answer."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest
from playwright.sync_api import Page, Route, expect

from tests.api.services import Service
from tests.browser.conftest import Open
from tests.browser.reading import choose, expect_number
from tests.images import blank_page, draw_digit, draw_number, encode, with_orientation

_LEVELS = """(id) => {
  const { data } = document.getElementById(id).getContext('2d').getImageData(0, 0, 28, 28);
  return Array.from({ length: 784 }, (_, at) => data[4 * at]);
}"""


def boxes(page: Page) -> list[dict[str, float]]:
    """The boxes on the picture, in pixels of the image."""
    shown: list[dict[str, float]] = page.evaluate("""() => {
      const image = document.querySelector('#stage img');
      const whole = image.getBoundingClientRect();
      const scale = image.naturalWidth / whole.width;
      return [...document.querySelectorAll('.box')].map((box) => {
        const { left, top, width, height } = box.getBoundingClientRect();
        const [x, y] = [left - whole.left, top - whole.top];
        return { left: x * scale, top: y * scale, width: width * scale, height: height * scale };
      });
    }""")
    return shown


def test_every_digit_has_its_box(page: Page, service: Service, images: Path) -> None:
    path = images / "6204.png"
    choose(page, path)
    expect_number(page, "6204")
    digits = service.post("/read", content=path.read_bytes()).json()["lines"][0]["digits"]
    for shown, digit in zip(boxes(page), digits, strict=True):
        assert shown == pytest.approx(digit["box"], abs=1.5)


def test_boxes_lie_right_on_a_photo_that_is_turned(page: Page, service: Service, tmp_path: Path) -> None:
    path = tmp_path / "turned.jpg"
    path.write_bytes(with_orientation(draw_number("2750"), 6))
    choose(page, path)
    expect_number(page, "2750")
    digits = service.post("/read", content=path.read_bytes()).json()["lines"][0]["digits"]
    for shown, digit in zip(boxes(page), digits, strict=True):
        assert shown == pytest.approx(digit["box"], abs=1.5)


@pytest.mark.parametrize("name", ["4625.tiff", "83.pgm"])
def test_what_the_browser_cannot_show_the_service_draws(page: Page, images: Path, name: str) -> None:
    choose(page, images / name)
    text = name.split(".")[0]
    expect(page.locator("#number .visually-hidden")).to_have_text(text)
    expect(page.locator("#stage .drawn img")).to_be_visible()
    expect(page.locator(".box")).to_have_count(len(text))
    expect(page.locator("#digit-words")).to_contain_text("cannot open the image")


def test_the_service_draws_with_the_options_of_the_answer(page: Page, images: Path) -> None:
    page.locator("#more summary").click()
    page.get_by_label("Ink").select_option("dark-on-light")
    page.get_by_label("One digit").check()
    with page.expect_request(lambda request: request.headers.get("accept") == "image/png") as drawn:
        choose(page, images / "83.pgm")
    assert drawn.value.url.endswith("/read?polarity=dark-on-light")


def test_confidences_are_told_by_pointer_and_keyboard(page: Page, images: Path) -> None:
    choose(page, images / "6204.png")
    expect_number(page, "6204")
    page.get_by_role("button", name="Digit 1 of 4").hover()
    tip = page.locator(".box").first.evaluate("(box) => getComputedStyle(box, '::after').content")
    assert tip.startswith('"6 · ')
    assert tip.endswith(' %"')
    page.locator(".box[tabindex='0']").focus()
    page.keyboard.press("Home")
    for index, digit in enumerate("6204"):
        expect(page.locator(":focus")).to_have_accessible_name(re.compile(f"^Digit {index + 1} of 4: {digit} · "))
        expect(page.locator("#digit-title")).to_contain_text(f"Digit {index + 1} of 4: {digit}")
        page.keyboard.press("ArrowRight")


def test_one_digit_is_explained(page: Page, service: Service, tmp_path: Path) -> None:
    path = tmp_path / "digit.png"
    path.write_bytes(encode(draw_digit(3)))
    choose(page, path)
    expect_number(page, "3")
    answer = service.post("/predict?explain=true", content=path.read_bytes()).json()
    expect(page.locator(".bar")).to_have_count(11)
    expect(page.locator(".bar.best b")).to_have_text("3")
    expect(page.locator("#map-words")).to_contain_text("Grad-CAM")
    assert page.evaluate(_LEVELS, "glyph") == [level for row in answer["explanation"]["glyph"] for level in row]
    assert len(set(page.evaluate(_LEVELS, "map"))) > 10


def test_a_digit_of_a_number_is_cut_out_and_explained(page: Page, images: Path) -> None:
    choose(page, images / "6204.png")
    expect_number(page, "6204")
    for index, digit in enumerate("6204"):
        page.locator(".box").nth(index).click()
        expect(page.locator(".bar.best b")).to_have_text(digit)
        expect(page.locator("#map-words")).to_contain_text(f"say {digit}")


def test_a_digit_that_is_none_alone_is_told_so(page: Page, images: Path) -> None:
    def likelier_none(route: Route) -> None:
        answer = route.fetch().json()
        answer |= {"confidence": 0.3, "probabilities": [0.0] * 10, "non_digit_probability": 0.7}
        answer["probabilities"][answer["digit"]] = 0.3
        route.fulfill(json=answer)

    page.route("**/predict?explain=true", likelier_none)
    choose(page, images / "6204.png")
    expect_number(page, "6204")
    expect(page.locator(".bar.best b")).to_have_text("none")
    expect(page.locator("#digit-words")).to_contain_text("Alone it looks more like no digit.")


def test_a_service_that_does_not_explain_still_tells_probabilities(page: Page, tmp_path: Path) -> None:
    asked = []

    def old_service(route: Route) -> None:
        asked.append(route.request.url)
        problem = {
            "type": "/problems/invalid-parameter",
            "title": "Invalid parameter",
            "status": 422,
            "detail": "explain: Extra inputs are not permitted.",
            "errors": [{"parameter": "explain", "detail": "Extra inputs are not permitted"}],
        }
        body = json.dumps(problem)
        route.fulfill(status=422, body=body, content_type="application/problem+json")

    page.route("**/predict?explain=true", old_service)
    path = tmp_path / "digit.png"
    path.write_bytes(encode(draw_digit(5)))
    for _ in range(2):
        choose(page, path)
        expect_number(page, "5")
    expect(page.locator("#digit-words")).to_have_text("This service does not explain its answers.")
    assert len(asked) == 1


def test_the_one_digit_mode_asks_for_one(page: Page, images: Path) -> None:
    choose(page, images / "51.jpg")
    expect_number(page, "51")
    page.get_by_label("One digit").check()
    expect(page.locator(".box")).to_have_count(1)
    expect(page.get_by_text("POST /predict?explain=true")).to_be_visible()
    expect(page.get_by_text("POST /read")).to_have_count(0)


def test_unsure_digits_are_marked_and_told(page: Page, images: Path) -> None:
    choose(page, images / "6204.png")
    expect_number(page, "6204")
    page.locator("#more summary").click()
    page.get_by_label("Unsure under").fill("1")
    page.get_by_label("Unsure under").blur()
    expect(page.locator("#number .unsure")).to_have_count(4)
    expect(page.locator(".box.unsure")).to_have_count(4)
    expect(page.locator("#verdict")).to_contain_text("4 of them are unsure")
    expect(page.locator("#said")).to_contain_text("unsure: number 1, 6")


def test_no_digits_are_told(page: Page, tmp_path: Path) -> None:
    path = tmp_path / "blank.png"
    path.write_bytes(encode(blank_page()))
    choose(page, path)
    expect(page.locator("#number")).to_have_text("No digits")
    expect(page.locator("#digit")).to_be_hidden()
    expect(page.locator("#copy")).to_be_disabled()


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not on the PATH")
def test_the_curl_line_gives_the_json_that_is_shown(page: Page, images: Path) -> None:
    shutil.copy(images / "907.bmp", images / "it's 9 07.bmp")
    choose(page, images / "it's 9 07.bmp")
    expect_number(page, "907")
    page.get_by_text("POST /read").click()
    line = page.locator(".call-made").first.locator("pre").first.inner_text()
    shown = json.loads(page.locator(".call-made").first.locator("pre.json").inner_text())
    done = subprocess.run([*shlex.split(line), "-s"], cwd=images, capture_output=True, check=True)
    answered = json.loads(done.stdout)
    for answer in (shown, answered):
        del answer["timings_ms"], answer["request_id"]
    assert answered == shown


def test_the_times_are_those_of_the_answer(page: Page, images: Path) -> None:
    choose(page, images / "6204.png")
    expect_number(page, "6204")
    expect(page.locator("#times")).to_contain_text("ms in the service")
    expect(page.locator("#times .legend span")).to_have_count(5)


def test_the_number_is_copied(service: Service, open_page: Open, images: Path) -> None:
    page = open_page(service, permissions=["clipboard-read", "clipboard-write"])
    choose(page, images / "51.jpg")
    expect_number(page, "51")
    page.locator("#copy").click()
    expect(page.locator("#copy")).to_have_text("Copied")
    assert page.evaluate("navigator.clipboard.readText()") == "51"
