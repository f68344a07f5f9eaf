"""Work in steps."""

from __future__ import annotations

import pytest

from app.steps import Steps, finished, in_one_step


def counted(to: int, seen: list[int]) -> Steps[int]:
    for number in range(to):
        seen.append(number)
        yield
    return sum(seen)


def test_finished_work_has_done_all_its_steps() -> None:
    seen: list[int] = []
    assert finished(counted(4, seen)) == 6
    assert seen == [0, 1, 2, 3]


def test_work_in_one_step_waits_for_nothing() -> None:
    steps = in_one_step(lambda: 7)
    with pytest.raises(StopIteration) as end:
        next(steps)
    assert end.value.value == 7


def test_what_a_step_raises_ends_the_work() -> None:
    def fails() -> Steps[int]:
        yield
        raise KeyError("nothing")

    with pytest.raises(KeyError, match="nothing"):
        finished(fails())
