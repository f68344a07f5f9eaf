"""Pages as people send them: tables, sheets on desks, buttons, pictures beside text, print of several sizes."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from app.domain import Polarity
from app.imaging.blocks import levelled
from app.recogniser import Recogniser
from tests.samples.draw import pen_number

Picture = NDArray[np.uint8]
WHITE, BLACK = 255, 0


def page(width: int, height: int, level: int = WHITE) -> tuple[Image.Image, ImageDraw.ImageDraw]:
    image = Image.new("L", (width, height), level)
    return image, ImageDraw.Draw(image)


def write(draw: ImageDraw.ImageDraw, middle: tuple[float, float], text: str, size: float, level: int = BLACK) -> None:
    draw.text(middle, text, level, ImageFont.load_default(size), anchor="mm")


def png(image: Image.Image) -> bytes:
    return cv2.imencode(".png", np.asarray(image))[1].tobytes()


def grid(rows: list[list[str]], margin: int, line: int = 2) -> Image.Image:
    """A table with ruled lines."""
    cell_width, cell_height = 110, 46
    width, height = cell_width * len(rows[0]), cell_height * len(rows)
    image, draw = page(width + 2 * margin + line, height + 2 * margin + line)
    for index in range(len(rows) + 1):
        y = margin + index * cell_height
        draw.rectangle((margin, y, margin + width, y + line - 1), BLACK)
    for index in range(len(rows[0]) + 1):
        x = margin + index * cell_width
        draw.rectangle((x, margin, x + line - 1, margin + height), BLACK)
    for down, row in enumerate(rows):
        for across, text in enumerate(row):
            write(draw, (margin + (across + 0.5) * cell_width, margin + (down + 0.5) * cell_height), text, 24)
    return image


@pytest.mark.parametrize("margin", [0, 4, 40])
def test_a_ruled_table_is_read_cell_by_cell(released: Recogniser, margin: int) -> None:
    """With any paper around it, the grid was taken for the one digit of the page, and nothing was read."""
    rows = [["4071", "8265"], ["3940", "1578"], ["6623", "9047"], ["2081", "7354"]]
    assert released.read(png(grid(rows, margin))).text.split("\n") == [cell for row in rows for cell in row]


def test_columns_that_all_rows_share_are_numbers_of_their_own(released: Recogniser) -> None:
    image, draw = page(420, 200)
    rows = [["40", "826", "3"], ["3940", "15", "782"], ["6", "9047", "51"], ["2081", "7", "3546"]]
    for down, row in enumerate(rows):
        for across, text in enumerate(row):
            draw.text((120 + 130 * across, 30 + 42 * down), text, BLACK, ImageFont.load_default(24), anchor="rm")
    assert released.read(png(image)).text.split("\n") == [cell for row in rows for cell in row]


def test_the_gaps_of_two_lines_are_no_columns(released: Recogniser) -> None:
    image, draw = page(300, 130)
    for down, (left, right) in enumerate((("406", "826"), ("394", "157"))):
        write(draw, (70, 40 + 46 * down), left, 26)
        write(draw, (140, 40 + 46 * down), right, 26)
    assert released.read(png(image)).text == "406826\n394157"


@pytest.mark.parametrize("desk", [30, 60, 90])
def test_a_sheet_on_a_darker_desk_is_read(released: Recogniser, desk: int) -> None:
    """The sheet was taken for a 0, or its digits for specks beside it."""
    image, draw = page(700, 520, desk)
    draw.polygon([(90, 60), (600, 75), (590, 460), (80, 445)], 235)
    write(draw, (340, 200), "408265", 42)
    write(draw, (340, 300), "7193", 42)
    assert released.read(png(image)).text == "408265\n7193"


@pytest.mark.parametrize(("paper", "key", "mark"), [(245, 90, 255), (30, 110, 255), (250, 180, 20)])
def test_a_row_of_buttons_is_read(released: Recogniser, paper: int, key: int, mark: int) -> None:
    """Discs with digits on them were zeros."""
    image, draw = page(420, 110, paper)
    for index, digit in enumerate("471"):
        x = 80 + 120 * index
        draw.ellipse((x - 36, 19, x + 36, 91), key)
        write(draw, (x, 55), digit, 40, mark)
    assert released.read(png(image)).text == "471"


def test_a_line_on_a_dark_bar_is_read_with_those_beside_it(released: Recogniser) -> None:
    image, draw = page(360, 200)
    draw.rectangle((0, 66, 359, 130), 70)
    for index, text in enumerate(("40826", "51937", "66042")):
        write(draw, (180, 34 + 64 * index), text, 30, WHITE if index == 1 else BLACK)
    assert released.read(png(image)).text == "40826\n51937\n66042"


@pytest.mark.parametrize("light", [0.45, 0.55, 0.65])
@pytest.mark.parametrize("edge", [140, 150, 160])
def test_the_edge_of_a_shadow_takes_no_digit(released: Recogniser, light: float, edge: int) -> None:
    """A shadow is as even as a block, but digits stand across its edge, which is wiped."""
    image, draw = page(440, 120, 230)
    write(draw, (220, 60), "8083068390", 70, 30)
    pixels = np.asarray(image).astype(np.float32)
    pixels[:, :edge] *= light
    text = released.read(cv2.imencode(".png", pixels.astype(np.uint8))[1].tobytes()).text
    assert len(text) == 10  # what the digit across the edge is, nobody could be sure of


def test_a_button_whose_grey_changes_is_read(released: Recogniser) -> None:
    image, draw = page(400, 240)
    for x in range(60, 340):
        draw.line((x, 60, x, 180), 60 + (x - 60) // 4)
    write(draw, (200, 120), "8265", 60, WHITE)
    assert released.read(png(image)).text == "8265"


def test_a_logo_beside_text_is_no_digit(released: Recogniser) -> None:
    """A disc was read as 0, surely, and the lines beside it were specks."""
    image, draw = page(520, 220)
    draw.ellipse((20, 30, 180, 190), 60)
    for index, text in enumerate(("40826", "5193", "66042")):
        write(draw, (350, 50 + 60 * index), text, 30)
    assert released.read(png(image)).text == "40826\n5193\n66042"


def test_small_print_below_large_digits_is_read(released: Recogniser) -> None:
    """What was lower than a quarter of the tallest line was dropped, and the rest said surely."""
    image, draw = page(520, 260)
    write(draw, (260, 100), "1629", 150)
    write(draw, (260, 220), "20482", 26)
    assert released.read(png(image)).text == "1629\n20482"


@pytest.mark.parametrize("digit", "0123456789")
@pytest.mark.parametrize("shape", ["ellipse", "rectangle"])
def test_a_circled_digit_is_told(released: Recogniser, digit: str, shape: str) -> None:
    """The circle was told, and was a 0."""
    image, draw = page(160, 160)
    getattr(draw, shape)((20, 20, 140, 140), outline=BLACK, width=4)
    write(draw, (80, 80), digit, 64)
    assert released.predict(png(image)).digit == int(digit)


@pytest.mark.parametrize("digit", "0123456789")
@pytest.mark.parametrize("disc", [30, 110, 160])
def test_a_digit_on_a_disc_is_told(released: Recogniser, digit: str, disc: int) -> None:
    """Whichever it was, the disc was surely a 0."""
    image, draw = page(200, 200, 245)
    draw.ellipse((50, 50, 150, 150), disc)
    write(draw, (100, 100), digit, 60, WHITE)
    assert released.predict(png(image)).digit == int(digit)


@pytest.mark.parametrize("digit", "0123456789")
def test_a_digit_in_a_large_box_is_told(released: Recogniser, digit: str) -> None:
    image, draw = page(300, 300)
    draw.rectangle((60, 60, 240, 240), outline=BLACK, width=3)
    write(draw, (150, 150), digit, 60)
    assert released.predict(png(image)).digit == int(digit)


@pytest.mark.parametrize("text", "0123456789")
@pytest.mark.parametrize(("height", "pen"), [(60, 18), (200, 60)])
def test_a_bold_digit_is_no_block(released: Recogniser, text: str, height: int, pen: int) -> None:
    assert released.predict(png(Image.fromarray(pen_number(text, height, pen)))).digit == int(text)


@pytest.mark.parametrize("text", ["0", "08", "10", "1", "111", "60893"])
@pytest.mark.parametrize(("height", "pen"), [(48, 14), (120, 30), (300, 84)])
def test_thick_strokes_are_no_blocks(text: str, height: int, pen: int) -> None:
    """Each is as even as a block, and their holes are as marks on one."""
    written = pen_number(text, height, pen)
    for polarity in Polarity:
        assert levelled(written, polarity) is None
        assert levelled(np.uint8(255) - written, polarity) is None


def test_the_marks_of_a_block_are_dark_on_white() -> None:
    image, draw = page(300, 160, 40)
    draw.rectangle((60, 40, 240, 120), 200)
    write(draw, (150, 80), "52", 50, 90)
    write(draw, (25, 80), "7", 40, 220)
    found = levelled(np.asarray(image), Polarity.AUTO)
    assert found is not None
    assert found.shape == (160, 300)
    assert np.median(found) == WHITE
    assert np.mean(found[:, 245:] == WHITE) > 0.99  # the block and its edge are gone
    assert np.mean(found[50:110, 110:190] < 160) == pytest.approx(
        np.mean(np.asarray(image)[50:110, 110:190] < 120), abs=0.02
    )
    assert (found[55:105, 10:40] < 100).any()
    only_dark = levelled(np.asarray(image), Polarity.DARK_ON_LIGHT)
    assert only_dark is not None
    assert (only_dark[55:105, 10:40] == WHITE).all()


@pytest.mark.parametrize("seed", range(3))
def test_paper_grain_and_noise_have_no_blocks(seed: int) -> None:
    random = np.random.default_rng(seed)
    noise = random.integers(0, 256, (200, 300)).astype(np.uint8)
    shaded = np.clip(np.linspace(90, 240, 300) + random.normal(0, 4, (200, 300)), 0, 255).astype(np.uint8)
    for image in (noise, shaded, np.full((1, 1), 9, np.uint8), np.full((40, 3), 200, np.uint8)):
        assert levelled(image, Polarity.AUTO) is None


@pytest.mark.parametrize("level", [120, 150, 190])
@pytest.mark.parametrize("dark", [False, True])
def test_grey_text_beside_black_is_read(released: Recogniser, level: int, dark: bool) -> None:
    """It went with the paper, and was left out, surely."""
    image, draw = page(320, 170)
    write(draw, (120, 45), "84107", 36)
    write(draw, (120, 115), "52963", 28, level)
    if dark:
        image = Image.eval(image, lambda grey: 255 - grey)
    assert released.read(png(image)).text == "84107\n52963"


def test_a_pale_number_below_black_words_is_read(released: Recogniser) -> None:
    image, draw = page(320, 170)
    write(draw, (150, 45), "Rent of flat", 34)
    write(draw, (120, 115), "52963", 30, 170)
    assert released.read(png(image)).text == "52963"


def test_the_bullets_of_a_list_are_no_digits(released: Recogniser) -> None:
    image, draw = page(300, 220)
    for row, text in enumerate(("4071", "82", "593")):
        draw.ellipse((20, 30 + 60 * row, 32, 42 + 60 * row), BLACK)
        draw.text((50, 36 + 60 * row), text, BLACK, ImageFont.load_default(28), anchor="lm")
    assert released.read(png(image)).text == "4071\n82\n593"


@pytest.mark.parametrize("radius", [12, 30, 60, 90])
@pytest.mark.parametrize("paper", [WHITE, 90])
def test_a_disc_alone_is_no_digit(released: Recogniser, radius: int, paper: int) -> None:
    """It was surely a 0."""
    image, draw = page(200, 200, paper)
    draw.ellipse((100 - radius, 100 - radius, 100 + radius, 100 + radius), 255 - paper)
    assert released.read(png(image)).text == ""
    told = released.predict(png(image))
    assert told.digit is None or told.non_digit_probability > 0.9


@pytest.mark.parametrize("thick", [4, 12, 24])
def test_a_ring_is_a_0(released: Recogniser, thick: int) -> None:
    image, draw = page(200, 200)
    draw.ellipse((60, 40, 140, 160), WHITE, BLACK, thick)
    assert released.read(png(image)).text == "0"
    assert released.predict(png(image)).digit == 0


def picture(seed: int, height: int = 240, width: int = 420) -> NDArray[np.float64]:
    """Light and dark of all sizes, as in a photo."""
    random = np.random.default_rng(seed)
    image = np.full((height, width), random.uniform(90, 160))
    for size in (6, 20, 60):
        rough = random.normal(0, 8 + size / 2, (height // size + 2, width // size + 2))
        image += cv2.resize(rough, (width, height), interpolation=cv2.INTER_CUBIC)
    return np.asarray(np.clip(image, 0, 255), np.float64)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(("ink", "edge"), [(255, 0), (0, 255)])
def test_writing_over_a_picture_is_read(released: Recogniser, seed: int, ink: int, edge: int) -> None:
    """A caption with an outline, a time stamp: there is no paper that it stands out from, and nothing was read."""
    image = Image.fromarray(picture(seed).astype(np.uint8))
    font = ImageFont.load_default(40)
    ImageDraw.Draw(image).text((90, 120), "7053926", ink, font, stroke_width=3, stroke_fill=edge)
    read = released.read(png(image))
    assert read.text == "7053926"
    (line,) = read.lines
    assert abs(line.box.left - 90) < 12
    assert abs(line.box.top + line.box.height / 2 - 142) < 16


@pytest.mark.parametrize("seed", range(4, 12))
def test_in_a_picture_alone_nothing_is_read(released: Recogniser, seed: int) -> None:
    assert released.read(png(Image.fromarray(picture(seed).astype(np.uint8)))).text == ""


@pytest.mark.parametrize("cents", ["58", "99", "04"])
def test_raised_cents_of_a_price_are_read(released: Recogniser, cents: str) -> None:
    """In one line with digits twice as high they were too small to be read, and left out."""
    image, draw = page(300, 130)
    draw.text((20, 20), "249", BLACK, ImageFont.load_default(90))
    draw.text((190, 20), cents, BLACK, ImageFont.load_default(42))
    assert released.read(png(image)).text == f"249\n{cents}"


@pytest.mark.parametrize("seed", range(3))
def test_writing_over_a_ball_is_read(released: Recogniser, seed: int) -> None:
    """The ball was surely a 0, and nothing else was looked for."""
    image = Image.fromarray((0.35 * picture(seed)).astype(np.uint8))
    draw = ImageDraw.Draw(image)
    draw.ellipse((100, 20, 320, 230), 170)
    draw.ellipse((170, 90, 250, 160), 90)
    image = Image.fromarray(cv2.GaussianBlur(np.asarray(image), (0, 0), 2))
    ImageDraw.Draw(image).text((150, 100), "7053926", 255, ImageFont.load_default(36), stroke_width=3, stroke_fill=0)
    assert released.read(png(image)).text == "7053926"
