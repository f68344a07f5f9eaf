"""What people write around digits: separators, currency signs, and strokes after an amount. None of it is text."""

from __future__ import annotations

from enum import StrEnum

import numpy as np

from training.augment import Random

DIGITS = frozenset("0123456789")
# A long line, a wave, underlined superscript cents, a raised dot, a hook: drawn, whatever the writer.
LONG, WAVE, CENTS, RAISED, HOOK = "—", "~", "º", "·", "^"
_BEFORE = ("$", "$ ", "R$", "R$ ", "#", "# ", "##", "=", "*", "**", "-", "(", ":", ". ", "- ", "= ")
_AFTER = (
    *("-", " -", ",-", ".-", ". -", "--", "-.", "._", "/-", ".-#", ",", ".", ".", ":", "=", " =", ".=", ",="),
    *(LONG, f" {LONG}", f",{LONG}", f".{LONG}", WAVE, f" {WAVE}", f"-{WAVE}", HOOK, f" {HOOK}"),
    *("#", "//", " //", "*", "**", ")"),
)
# Units and words that stand by a number, of letters that are unlike a digit; only type has them.
_WORDS_BEFORE = ("EUR ", "NR ", "Nr. ", "Fr. ", "$ ", "Num: ", "A", "AK-", "Ref ", "x", "[", "±")
_WORDS_AFTER = (
    " kWh",
    " kg",
    " EUR",
    "%",
    " cm",
    " m",
    " W",
    " mm",
    " Fr",
    "K",
    " km/h",
    "A",
    "V",
    " pt",
    "°",
    "°C",
    " °C",
    "°F",
    " %",
    "‰",
    "]",
    " €",
    "€",
)
# How often letters are in English words, of a thousand (R. E. Lewand, Cryptological Mathematics, 2000).
_FREQUENCIES = {
    "a": 82,
    "b": 15,
    "c": 28,
    "d": 43,
    "e": 127,
    "f": 22,
    "g": 20,
    "h": 61,
    "i": 70,
    "j": 2,
    "k": 8,
    "l": 40,
    "m": 24,
    "n": 67,
    "o": 75,
    "p": 19,
    "q": 1,
    "r": 60,
    "s": 63,
    "t": 91,
    "u": 28,
    "v": 10,
    "w": 24,
    "x": 2,
    "y": 20,
    "z": 1,
}
_SHARES = np.array(list(_FREQUENCIES.values())) / sum(_FREQUENCIES.values())
# In print, a B is no 8 and an S no 5, but some letters are digits in many types. Half of the words have more of what is
# like a digit.
_DIGITS_TO_THE_EYE = frozenset("OoIl")
_ALIKE_SHARE = 0.5
_LIKE_DIGITS = _SHARES + np.isin(list(_FREQUENCIES), list("bgilosqz")) * 0.08
_LIKE_DIGITS /= _LIKE_DIGITS.sum()
_LETTERS = "ACEFHKLMNPRTUVWXYacdefhkmnprtuvwxy"
# Of how many digits the parts of a date are, by how many it has.
_DATE_PARTS = {
    2: ((1, 1),),
    3: ((1, 2), (2, 1), (1, 1, 1)),
    4: ((2, 2), (1, 1, 2)),
    5: ((1, 2, 2), (2, 1, 2)),
    6: ((2, 2, 2), (1, 1, 4)),
    7: ((1, 2, 4), (2, 1, 4)),
    8: ((2, 2, 4),),
}
_UNDATED = 0.2
# How often a plus stands before a number rather than between two, and how often the sum of them follows.
_FOREIGN, _RESULTS = 0.4, 0.3
_THOUSANDS = (".", ".", ".", ". ", ",", RAISED, " ", "'", " .")


class Signs(StrEnum):
    """What stands around and between the digits."""

    NONE = "none"
    AMOUNT = "amount"
    DATE = "date"
    PHONE = "phone"
    DECIMAL = "decimal"
    SPACED = "spaced"
    WORDS = "words"
    LABELLED = "labelled"
    TIME = "time"
    SUM = "sum"


def with_signs(text: str, signs: Signs, random: Random) -> str:
    """The digits of a text in their order, with signs and spaces between, before and after them."""
    if signs is Signs.AMOUNT:
        return _amount(text, random)
    if signs is Signs.DECIMAL and len(text) > 1:
        place = 1 if random.random() < 0.5 else int(random.integers(1, len(text)))
        return text[:place] + _one_of((RAISED, RAISED, ".", ".", ","), random) + text[place:]
    if signs is Signs.DATE and len(text) > 1:
        return _date(text, random)
    if signs is Signs.PHONE and len(text) > 2:
        separator = _one_of(("-", "-", " ", " - ", "."), random)
        return _separated(text, separator, int(random.integers(1, 3)), random)
    if signs is Signs.SPACED and len(text) > 1:
        return _separated(text, " ", int(random.integers(1, len(text))), random)
    if signs is Signs.SUM:
        return _sum(text, random)
    if signs is Signs.TIME and len(text) > 2:
        return text[:-2] + ":" + text[-2:]
    if signs is Signs.WORDS:
        return _worded(text, random)
    if signs is Signs.LABELLED:
        return _labelled(text, random)
    return text


def _one_of(choices: tuple[str, ...], random: Random) -> str:
    return choices[int(random.integers(len(choices)))]


def _separated(text: str, separator: str, count: int, random: Random) -> str:
    places = sorted(set((random.permutation(len(text) - 1)[:count] + 1).tolist()))
    return separator.join(text[start:end] for start, end in zip([0, *places], [*places, len(text)], strict=True))


def _date(text: str, random: Random) -> str:
    """Day and month, with or without a year, of one or two digits each; what is no such date is parted anywhere."""
    separator = _one_of(("/", "/", "/", "-", ".", " / ", " - "), random)
    parts = _DATE_PARTS.get(len(text))
    if parts is None or random.random() < _UNDATED:
        return _separated(text, separator, int(random.integers(1, 4)), random)
    ends = np.cumsum(parts[int(random.integers(len(parts)))]).tolist()
    return separator.join(text[start:end] for start, end in zip([0, *ends], ends, strict=False))


def _sum(text: str, random: Random) -> str:
    """With plus signs: before a number, as before one of a telephone abroad, or between numbers, and what they make."""
    if len(text) < 2 or random.random() < _FOREIGN:
        rest = _separated(text, " ", 1, random) if len(text) > 5 else text
        return _one_of(("+", "+", "+ ", "±"), random) + rest
    added = _separated(text, _one_of(("+", "+", " + ", "-", "±"), random), int(random.integers(1, 3)), random)
    ends = [place for place in range(1, len(added)) if added[place - 1 : place + 1].isdecimal()]
    if ends and random.random() < _RESULTS:
        place = ends[-1 - int(random.integers(min(2, len(ends))))]
        return added[:place] + _one_of(("=", " = "), random) + added[place:]
    return added


def _worded(text: str, random: Random) -> str:
    """With a unit or a word beside it; of no digits, a word or two."""
    if not text:
        return " ".join(
            "".join(_LETTERS[i] for i in random.integers(len(_LETTERS), size=int(random.integers(2, 8))))
            for _ in range(int(random.integers(1, 3)))
        )
    before, after = _one_of(_WORDS_BEFORE, random), _one_of(_WORDS_AFTER, random)
    kind = int(random.integers(5))
    return f"{before if kind < 2 else ''}{text}{after if kind > 0 else ''}"


def _labelled(text: str, random: Random) -> str:
    """With words of any letters before or after it, or both; of no digits, one to three words."""
    if not text:
        return " ".join(_word(random) for _ in range(int(random.integers(1, 4))))
    before, after = ((0.6, 0.25), (0.25, 0.6))[int(random.integers(2))]
    words = f"{_word(random)}{_one_of((' ', ': ', '. ', ' '), random)}" if random.random() < before else ""
    return f"{words}{text} {_word(random)}" if random.random() < after or not words else f"{words}{text}"


def _word(random: Random) -> str:
    """A word with as many of each letter as English has, or more of those that are like digits, in one of three cases.

    Letters that are digits in many types are told by their neighbours: it has two others at least, and as many others.
    """
    shares = _LIKE_DIGITS if random.random() < _ALIKE_SHARE else _SHARES
    while True:
        letters = random.choice(list(_FREQUENCIES), p=shares, size=int(random.integers(2, 11)))
        word = "".join(letters)
        word = (word, word.capitalize(), word.upper())[int(random.integers(3))]
        others = sum(letter not in _DIGITS_TO_THE_EYE for letter in word)
        if others >= max(2, len(word) / 2):
            return word


def _amount(text: str, random: Random) -> str:
    whole, cents = text, ""
    if len(text) > 2 and random.random() < 0.15:
        whole, cents = text[:-2], _one_of((",", ",", ".", ", ", RAISED), random) + text[-2:]
    if len(whole) > 3 and random.random() < 0.6:
        separator = _one_of(_THOUSANDS, random)
        first = len(whole) % 3 or 3
        whole = separator.join([whole[:first], *(whole[i : i + 3] for i in range(first, len(whole), 3))])
    before = _one_of(_BEFORE, random) if random.random() < 0.2 else ""
    after = _one_of(_AFTER, random) if random.random() < 0.5 else ""
    if not cents and not after and random.random() < 0.03:
        after = CENTS
    return before + whole + cents + after
