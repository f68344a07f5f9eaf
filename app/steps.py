"""Work that is done in steps, so that one thread can do several pieces of it side by side."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import TypeAlias, TypeVar

Answer = TypeVar("Answer")

# Yields where a step ends and another piece of work may have its turn; returns what the work comes to.
Steps: TypeAlias = Generator[None, None, Answer]


def in_one_step(task: Callable[[], Answer]) -> Steps[Answer]:
    """Work that nothing interrupts."""
    yield from ()
    return task()


def finished(steps: Steps[Answer]) -> Answer:
    """What work comes to, its steps done one right after the other. Raises what they raise."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            answer: Answer = end.value
            return answer
