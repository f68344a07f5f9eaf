"""Threads that work for an event loop.

`concurrent.futures` does the same with a future of its own beside the loop's, and locks and conditions around both,
which every short request pays for on its way to a thread and back.
"""

from __future__ import annotations

import asyncio
import queue
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any, Generic, TypeVar

from app.steps import Steps, in_one_step

Answer = TypeVar("Answer")

# So many pieces of work are done side by side, at most. For one of 2, 4, 8 or 16 images that are told side by side, a
# CPU needs 0.92, 0.86, 0.82 and 0.79 of the time for a lone one (a trial, digits 1.14.0, EPYC); beyond, little is won.
_MOST_TOGETHER = 16
# Where more waits, a thread steps aside for so long after each: the event loop has answers to send and requests to read
# by then, and might else not get the interpreter's lock for a long time.
_ASIDE_S = 1e-5


@dataclass(frozen=True, slots=True)
class _Job(Generic[Answer]):
    steps: Steps[Answer]
    joins: bool  # whether it may be done side by side with others
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
        return self._put(in_one_step(task), joins=False)

    def submit_steps(self, steps: Steps[Answer]) -> asyncio.Future[Answer]:
        """The same of short work in steps: the thread that takes it takes others that wait, and does the first step of
        all of them, then the second.

        Together they want more code and data than a processor's caches hold; a step at a time, they share what it wants
        (Larus, Parkes: Using cohort scheduling to enhance server performance, USENIX 2002). What is alone never waits.
        """
        return self._put(steps, joins=True)

    def close(self) -> None:
        """Ends the threads, once what was submitted is done."""
        for _ in self._threads:
            self._jobs.put(None)
        for thread in self._threads:
            thread.join()

    def _put(self, steps: Steps[Answer], *, joins: bool) -> asyncio.Future[Answer]:
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Answer] = loop.create_future()
        self._jobs.put(_Job(steps, joins, answer, loop))
        return answer

    def _work(self) -> None:
        taken = [self._jobs.get()]
        while (first := taken.pop()) is not None:
            cohort = [first]
            if first.joins:
                taken += self._join(cohort)
            _do(cohort)
            del first, cohort  # what they hold may be large, and the next ones far away
            if not taken and not self._jobs.empty():
                time.sleep(_ASIDE_S)
            if not taken:
                taken = [self._jobs.get()]

    def _join(self, cohort: list[_Job[Any]]) -> list[_Job[Any] | None]:
        """Adds this thread's share of what waits; the answer is what it took that does not join, one at most."""
        share = self._jobs.qsize() // len(self._threads)
        with suppress(queue.Empty):  # another thread was faster
            while len(cohort) < min(1 + share, _MOST_TOGETHER):
                job = self._jobs.get_nowait()
                if job is None or not job.joins or job.loop is not cohort[0].loop:
                    return [job]
                cohort.append(job)
        return []


def _do(cohort: list[_Job[Any]]) -> None:
    """Step by step of all of them. Those that come to their end in the same round wake their loop once."""
    working = [job for job in cohort if not job.answer.cancelled()]
    while working:
        ended, going = [], []
        for job in working:
            outcome = _stepped(job)
            if outcome is None:
                going.append(job)
            else:
                ended.append((job, outcome))
        if ended:
            with suppress(RuntimeError):  # the loop is closed: nobody waits
                ended[0][0].loop.call_soon_threadsafe(_deliver, ended)
        working = going


def _stepped(job: _Job[Any]) -> Callable[[], None] | None:
    """What to do about the answer once a job has ended; None after any other step."""
    try:
        next(job.steps)
    except StopIteration as end:
        return partial(job.answer.set_result, end.value)
    except BaseException as error:  # whatever it is, it is for whoever waits
        return partial(job.answer.set_exception, error)
    return None


def _deliver(ended: list[tuple[_Job[Any], Callable[[], None]]]) -> None:
    for job, give in ended:
        if not job.answer.done():  # it may have been cancelled meanwhile
            give()
