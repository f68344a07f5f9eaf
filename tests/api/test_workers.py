"""Threads that work for an event loop."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator

import pytest

from app.api.workers import Workers


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
