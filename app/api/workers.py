"""Threads that work for an event loop.

`concurrent.futures` does the same with a future of its own beside the loop's, and locks and conditions around both,
which every short request pays for on its way to a thread and back.
"""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class _Job(Generic[Answer]):
    task: Callable[[], Answer]
    answer: asyncio.Future[Answer]
    loop: asyncio.AbstractEventLoop


class Workers:
    """So many threads, which do what they are given in the order that it comes."""

    def __init__(self, threads: int) -> None:
        self._jobs: queue.SimpleQueue[_Job[Any] | None] = queue.SimpleQueue()
        self._threads = [
            threading.Thread(target=self._work, name=f"worker-{number}", daemon=True) for number in range(threads)
        ]
        for thread in self._threads:
            thread.start()

    def submit(self, task: Callable[[], Answer]) -> asyncio.Future[Answer]:
        """What a task returns or raises, in time. Where the future is cancelled before its turn, nothing is done."""
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Answer] = loop.create_future()
        self._jobs.put(_Job(task, answer, loop))
        return answer

    def close(self) -> None:
        """Ends the threads, once what was submitted is done."""
        for _ in self._threads:
            self._jobs.put(None)
        for thread in self._threads:
            thread.join()

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            if not job.answer.cancelled():
                _done(job)
            del job  # what it holds may be large, and the next one far away


def _done(job: _Job[Any]) -> None:
    try:
        answer = job.task()
    except BaseException as error:  # whatever it is, it is for whoever waits
        _deliver(job, job.answer.set_exception, error)
    else:
        _deliver(job, job.answer.set_result, answer)


def _deliver(job: _Job[Any], give: Callable[[Any], None], answer: Any) -> None:
    def delivered() -> None:
        if not job.answer.done():  # it may have been cancelled meanwhile
            give(answer)

    with suppress(RuntimeError):  # the loop is closed: nobody waits
        job.loop.call_soon_threadsafe(delivered)
