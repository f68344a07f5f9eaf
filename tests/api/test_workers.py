"""Threads that work for an event loop."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator

import pytest

from app.api.workers import Workers
from app.steps import Steps


@pytest.fixture
def workers() -> Iterator[Workers]:
    one = Workers(1)
    yield one
    one.close()


def test_answers_come_from_another_thread(workers: Workers) -> None:
    async def asked() -> list[int]:
        return await asyncio.gather(*(workers.submit(threading.get_ident) for _ in range(3)))

    assert threading.get_ident() not in asyncio.run(asked())


def test_what_a_task_raises_reaches_whoever_waits(workers: Workers) -> None:
    def fails() -> int:
        raise KeyError("nothing")

    async def asked() -> int:
        with pytest.raises(KeyError, match="nothing"):
            await workers.submit(fails)
        return await workers.submit(lambda: 7)  # and the thread is still there

    assert asyncio.run(asked()) == 7


def test_tasks_are_done_in_their_order_but_for_what_nobody_waits_for(workers: Workers) -> None:
    begin = threading.Event()
    done: list[int] = []

    async def asked() -> None:
        first = workers.submit(begin.wait)
        others = [workers.submit(lambda number=number: done.append(number)) for number in range(4)]  # type: ignore[misc]
        others.pop(1).cancel()
        begin.set()
        await asyncio.gather(first, *others)

    asyncio.run(asked())
    assert done == [0, 2, 3]


def test_an_answer_that_is_not_awaited_any_more_harms_nobody(workers: Workers) -> None:
    begin, begun = threading.Event(), threading.Event()

    def waits() -> int:
        begun.set()
        begin.wait()
        return 1

    async def cancelled() -> int:
        answer = workers.submit(waits)
        while not begun.is_set():
            await asyncio.sleep(0)
        answer.cancel()
        begin.set()
        return await workers.submit(lambda: 2)

    async def left() -> None:
        begin.clear()
        begun.clear()
        workers.submit(waits)

    assert asyncio.run(cancelled()) == 2
    asyncio.run(left())  # its loop is closed when the answer comes
    begin.set()
    assert asyncio.run(cancelled()) == 2


def test_closing_waits_for_what_was_submitted() -> None:
    workers = Workers(2)
    done: list[int] = []

    async def asked() -> None:
        for number in range(20):
            workers.submit(lambda number=number: done.append(number))  # type: ignore[misc]

    asyncio.run(asked())
    workers.close()
    assert sorted(done) == list(range(20))


class Journal:
    """Work whose steps are written down, in the order in which they are done."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def steps(self, name: str, count: int) -> Steps[str]:
        for number in range(count):
            self.lines.append(f"{name}{number}")
            yield
        return name

    def whole(self, name: str) -> str:
        self.lines.append(name)
        return name


def test_what_waits_in_steps_is_done_side_by_side_and_other_work_in_its_order(workers: Workers) -> None:
    begin, journal = threading.Event(), Journal()

    async def asked() -> list[str]:
        workers.submit(begin.wait)
        answers = [
            workers.submit_steps(journal.steps("a", 2)),
            workers.submit_steps(journal.steps("b", 3)),
            workers.submit(lambda: journal.whole("c")),
            workers.submit_steps(journal.steps("d", 2)),
            workers.submit_steps(journal.steps("e", 1)),
        ]
        begin.set()
        return await asyncio.gather(*answers)

    assert asyncio.run(asked()) == ["a", "b", "c", "d", "e"]
    assert journal.lines == ["a0", "b0", "a1", "b1", "b2", "c", "d0", "e0", "d1"]


def test_of_work_side_by_side_what_is_done_is_answered_first(workers: Workers) -> None:
    begin, last = threading.Event(), threading.Event()

    def long() -> Steps[int]:
        yield
        assert last.wait(60)
        return 2

    async def asked() -> int:
        workers.submit(begin.wait)
        both = workers.submit_steps(long()), workers.submit_steps(Journal().steps("a", 0))
        begin.set()
        assert await both[1] == "a"
        assert not both[0].done()
        last.set()
        return await both[0]

    assert asyncio.run(asked()) == 2


def test_what_one_raises_is_not_the_others_trouble(workers: Workers) -> None:
    begin, journal = threading.Event(), Journal()

    def fails() -> Steps[str]:
        yield
        raise KeyError("nothing")

    async def asked() -> list[object]:
        workers.submit(begin.wait)
        answers = [workers.submit_steps(steps) for steps in (journal.steps("a", 2), fails(), journal.steps("b", 2))]
        cancelled = workers.submit_steps(journal.steps("c", 2))
        cancelled.cancel()
        begin.set()
        return await asyncio.gather(*answers, return_exceptions=True)

    first, error, last = asyncio.run(asked())
    assert (first, last) == ("a", "b")
    assert isinstance(error, KeyError)
    assert journal.lines == ["a0", "b0", "a1", "b1"]


def test_no_more_than_sixteen_are_done_side_by_side(workers: Workers) -> None:
    begin, journal = threading.Event(), Journal()

    async def asked() -> list[str]:
        workers.submit(begin.wait)
        answers = [workers.submit_steps(journal.steps(f"{number}.", 2)) for number in range(20)]
        begin.set()
        return await asyncio.gather(*answers)

    assert asyncio.run(asked()) == [f"{number}." for number in range(20)]
    first = [f"{number}.0" for number in range(20)]
    assert journal.lines[:17] == [*first[:16], "0.1"]
    assert journal.lines[32:36] == first[16:]


def test_a_thread_leaves_the_other_ones_their_share_of_what_waits() -> None:
    workers, journal = Workers(2), Journal()
    begin, end = threading.Event(), threading.Event()

    async def asked() -> None:
        both = [workers.submit(event.wait) for event in (begin, end)]
        answers = [workers.submit_steps(journal.steps(name, 2)) for name in "abcdef"]
        begin.set()
        await asyncio.gather(both[0], *answers)
        end.set()
        await both[1]

    asyncio.run(asked())
    workers.close()
    assert journal.lines == ["a0", "b0", "c0", "a1", "b1", "c1", "d0", "e0", "d1", "e1", "f0", "f1"]


def test_threads_end_that_find_the_end_beside_other_work() -> None:
    workers, begin, journal = Workers(1), threading.Event(), Journal()

    async def asked() -> None:
        workers.submit(begin.wait)
        workers.submit_steps(journal.steps("a", 2))

    asyncio.run(asked())
    threading.Timer(0.05, begin.set).start()
    workers.close()  # the word to end waits right behind
    assert journal.lines == ["a0", "a1"]
