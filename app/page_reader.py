"""A grey image → what its lines say: of the ways of seeing it, the one that the readers make the surest digits of."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from app.alignment import Logs
from app.ctc import log_probabilities
from app.deadline import Deadline
from app.digit_by_digit import comparable_lines, compared, digit_glyphs
from app.domain import Polarity
from app.imaging.line import LineImage, LinePixels
from app.imaging.looks import other_looks
from app.imaging.page import PageView, page_views
from app.leaning_ones import stroke_glyphs, unread_strokes, with_leaning_ones
from app.line_reading import PageText, looked_again, page_text, unsure_lines, without_guesses
from app.reader import Reader
from app.same_hand import in_one_hand, lines_in_doubt, written_digits
from app.second_look import reader_probabilities
from app.second_opinion import doubtful_lines, glyphs_of, with_opinions
from app.slashes import without_slashes
from app.stages import Stages

# What is read so surely is not looked at in another way.
_SURELY = 0.5
# … nor in the next, unless that shows so many times as many digits.
_MANY_MORE = 2
# Where one way of looking shows nothing, another must be read at least this surely.
_LEAST_SURETY = 0.3
# … and what is written over a picture this surely.
_LEAST_OVER_PICTURE = 0.9

# Glyphs, (n, 28, 28) uint8 → their calibrated probabilities, (n, 11).
GlyphOpinion = Callable[[NDArray[np.uint8], Stages, Deadline], NDArray[np.float64]]


@dataclass(frozen=True, slots=True)
class PageReader:
    """A line reader, and whom it asks about lines that it is unsure of: a second one, and the glyph network."""

    reader: Reader
    second_reader: Reader | None
    glyph_opinion: GlyphOpinion

    def read(
        self,
        grey: NDArray[np.uint8],
        polarity: Polarity,
        expected_length: int | None,
        most_digits: int,
        stages: Stages,
        deadline: Deadline,
    ) -> tuple[PageText, float]:
        """What an image, (h, w) uint8, says, and how probable it is that all of it is right.

        Raises Overloaded, ShuttingDown, or DeadlineExceeded at `deadline`.
        """
        read: PageText | None = None
        doubt = 0.0
        before: PageView | None = None  # was read surely; the next one may be right all the same
        for view in page_views(grey, polarity, most_digits):
            stages.segmented()
            found = self._said(view.lines, expected_length, stages, deadline)
            if before is not None and read is not None:
                read = found if _is_right_instead(found, read, view, before) else read
                break
            if read is None or _is_better(found, read, view.over_picture):
                read = found
            if not found.says_nothing:
                doubt = max(doubt, found.surety)
                if found.surety >= _SURELY and not _is_lone(found, "0"):
                    if not (view.rivalled or view.joined):
                        break
                    before = view
        assert read is not None  # noqa: S101  # there is one way at least
        # That there is nothing to be read is no surer than that what was seen otherwise is wrong.
        return read, read.confidence * (1 - doubt) if read.says_nothing else read.confidence

    def digit_opinion(self, line: LinePixels, stages: Stages, deadline: Deadline) -> NDArray[np.float64]:
        """How probable each reader makes it that a line, (32, w) uint8, is each digit alone, or none: (n, 11).

        Raises Overloaded, ShuttingDown, or DeadlineExceeded at `deadline`.
        """
        said = []
        for reader in self._readers():
            logits, waited, computed = reader.logits([line], deadline)
            stages.computed(waited, computed)
            said.append(reader_probabilities(logits[0], reader.temperature))
        return np.stack(said)

    def close(self) -> None:
        """Ends the readers' threads, once what is queued is served."""
        for reader in self._readers():
            reader.runner.close()

    def _readers(self) -> list[Reader]:
        return [self.reader] if self.second_reader is None else [self.reader, self.second_reader]

    def _said(
        self, lines: Sequence[LineImage], expected_length: int | None, stages: Stages, deadline: Deadline
    ) -> PageText:
        """What lines say once all are asked who may be."""
        logits, waited, computed = self.reader.logits([line.pixels for line in lines], deadline)
        stages.computed(waited, computed)
        found = page_text(lines, logits, self.reader.temperature, self.reader.least_odds, expected_length)
        found, looks = self._seen_again(found, expected_length, stages, deadline)
        found = self._asked_about(found, expected_length, stages, deadline)
        found = self._compared(found, looks, expected_length, stages, deadline)
        if expected_length is None:
            found = self._with_leaning_ones(found, looks, stages, deadline)
        found = self._in_one_hand(found, looks, stages, deadline)
        if expected_length is None:
            found = without_guesses(without_slashes(found), self.reader.temperature)
        stages.postprocessed()
        return found

    def _seen_again(
        self, page: PageText, expected_length: int | None, stages: Stages, deadline: Deadline
    ) -> tuple[PageText, dict[int, list[Logs]]]:
        """With the texts that several looks, and both readers, agree on where the first was unsure; and those looks."""
        unsure = unsure_lines(page)
        if not unsure:
            return page, {}
        own = [page.lines[index].pixels for index in unsure]
        others = [other_looks(page.lines[index]) for index in unsure]
        looks = [[log_probabilities(page.logits[index], self.reader.temperature)] for index in unsure]
        stages.postprocessed()
        asked = [(self.reader, others)]  # which has seen the lines themselves
        if self.second_reader is not None:
            asked.append((self.second_reader, [[pixels, *more] for pixels, more in zip(own, others, strict=True)]))
        for reader, shown in asked:
            said, waited, computed = reader.seen(shown, deadline)
            stages.computed(waited, computed)
            looks = [[*before, *more] for before, more in zip(looks, said, strict=True)]
        page = looked_again(page, unsure, looks, self.reader.least_odds, expected_length)
        return page, dict(zip(unsure, looks, strict=True))

    def _asked_about(self, page: PageText, expected_length: int | None, stages: Stages, deadline: Deadline) -> PageText:
        """With what the glyph network makes sure of lone digits and thin strokes."""
        doubtful = doubtful_lines(page)
        if not doubtful:
            return page
        glyphs = glyphs_of([page.lines[index] for index in doubtful])
        stages.postprocessed()
        return with_opinions(page, doubtful, self.glyph_opinion(glyphs, stages, deadline), expected_length)

    def _compared(
        self,
        page: PageText,
        looks: Mapping[int, Sequence[Logs]],
        expected_length: int | None,
        stages: Stages,
        deadline: Deadline,
    ) -> PageText:
        """With what looks and glyphs make of the digits of lines that are unsure yet, where pieces are digits."""
        texts = list(page.texts)
        for index in comparable_lines(page, looks):
            glyphs = digit_glyphs(page.lines[index], texts[index])
            stages.postprocessed()
            opinion = self.glyph_opinion(glyphs, stages, deadline)
            texts[index] = compared(texts[index], looks[index], opinion, page.count == expected_length)
        return replace(page, texts=tuple(texts))

    def _with_leaning_ones(
        self, page: PageText, looks: Mapping[int, Sequence[Logs]], stages: Stages, deadline: Deadline
    ) -> PageText:
        """With the 1s that were left out for slashes of lines that are unsure."""
        strokes = unread_strokes(page, looks)
        if not strokes:
            return page
        glyphs = stroke_glyphs(page, strokes)
        stages.postprocessed()
        return with_leaning_ones(page, strokes, self.glyph_opinion(glyphs, stages, deadline), looks)

    def _in_one_hand(
        self, page: PageText, looks: Mapping[int, Sequence[Logs]], stages: Stages, deadline: Deadline
    ) -> PageText:
        """With digits in doubt that are more like another digit of the same page."""
        lines = lines_in_doubt(page, looks)
        if not lines:
            return page
        written = written_digits(page)
        doubtful = written.of(lines)
        stages.postprocessed()
        if not doubtful:
            return page
        opinion = self.glyph_opinion(written.glyphs[doubtful], stages, deadline)
        firsts = {line: looks[line][: len(looks[line]) // len(self._readers())] for line in lines}
        return in_one_hand(page, written, doubtful, opinion, firsts)


def _is_better(found: PageText, read: PageText, over_picture: bool) -> bool:
    """Whether what another way of looking shows is rather to be believed than what was read before."""
    if found.says_nothing or (over_picture and found.count <= read.count):
        return False
    least = _LEAST_OVER_PICTURE if over_picture else _LEAST_SURETY if read.says_nothing else read.surety
    return found.surety > least


def _is_right_instead(found: PageText, read: PageText, view: PageView, before: PageView) -> bool:
    """Whether a view is right, and not the one before it, though that was read surely."""
    if before.joined:
        return _has_rows(found, read)
    # A digit may be lost at the edge of a shadow, which is wiped as that of a block is, or be made another one by a
    # pattern of the paper that is taken for pale ink. The edge of a shadow may be a 1.
    surer = found.count >= read.count and found.surety >= read.surety
    return surer or (view.in_one_light and found.says_nothing and _is_lone(read, "1"))


def _has_rows(found: PageText, read: PageText) -> bool:
    """Whether lines have surely many more digits than what was read as those of a display, whose bars would be 1s."""
    others = sum(digit != "1" for text in found.texts for digit in text.text)
    return found.surety >= _SURELY and others >= _MANY_MORE * read.count


def _is_lone(page: PageText, digit: str) -> bool:
    """Whether a digit is all that is read: a 0, as of anything round, which may have writing over it, or a 1."""
    return [text.text for text in page.texts if text.text] == [digit]
