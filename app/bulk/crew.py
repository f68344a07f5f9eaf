"""Many files at once: one thread lists them, some ask for them, and the caller's writes the answers as they come."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import SimpleQueue
from types import FrameType
from typing import Literal

from app.bulk.answers import Line
from app.bulk.client import Client, Interrupted

# How many files are listed, asked for or written at the same time, as a multiple of the threads that ask.
_ROOM = 4


class Crew:
    """Threads that ask a service for files, `concurrency` at once. Used once.

    All of them are daemons: one that waits for an answer or for a line of a list keeps no process from its end.
    """

    def __init__(self, client: Callable[[threading.Event], Client], concurrency: int) -> None:
        self._client = client
        self._concurrency = concurrency
        self._stopped = threading.Event()
        self._room = threading.Semaphore(_ROOM * concurrency)
        self._todo: SimpleQueue[Path | None] = SimpleQueue()
        # Lines; errors that end the run; "stop" from a signal; None from a thread that has ended.
        self._done: SimpleQueue[Line | Exception | Literal["stop"] | None] = SimpleQueue()

    def lines(self, paths: Iterable[Path]) -> Iterator[Line]:
        """The line of every path, in the order in which the answers come.

        Once it is to stop, by `stop` or an error, the lines of what was already asked for still come; then the error
        is raised: RunStopped, or what listing the paths raised.
        """
        threading.Thread(target=self._feed, args=(paths,), name="listing", daemon=True).start()
        for number in range(self._concurrency):
            threading.Thread(target=self._ask, name=f"client-{number}", daemon=True).start()
        working = self._concurrency
        failure: Exception | None = None
        while working:
            done = self._done.get()
            if done is None:
                working -= 1
            elif isinstance(done, dict):
                yield done
                self._room.release()
            else:
                failure = failure or (done if isinstance(done, Exception) else None)
                self._stopped.set()
                self._dismiss()  # whoever waits for a file, of a list that is still written perhaps
        if failure is not None:
            raise failure

    def stop(self) -> None:
        """Lists and asks for nothing more. For signal handlers, which may not take locks: SimpleQueue has none."""
        self._done.put("stop")

    def _feed(self, paths: Iterable[Path]) -> None:
        try:
            for path in paths:
                self._room.acquire()
                self._todo.put(path)
                if self._stopped.is_set():
                    break
        except Exception as error:  # the caller's thread raises it
            self._done.put(error)
        self._dismiss()

    def _dismiss(self) -> None:
        for _ in range(self._concurrency):
            self._todo.put(None)

    def _ask(self) -> None:
        try:
            client = self._client(self._stopped)
            while (path := self._todo.get()) is not None and not self._stopped.is_set():
                self._done.put(client.line(path))
        except Interrupted:
            pass
        except Exception as error:  # the caller's thread raises it
            self._done.put(error)
        finally:
            self._done.put(None)


@contextmanager
def stopping(stop: Callable[[], None]) -> Iterator[list[signal.Signals]]:
    """Calls `stop` at the first SIGINT or SIGTERM, which are then in the list; a second one does what it did before."""
    heard: list[signal.Signals] = []

    def hear(number: int, _: FrameType | None) -> None:
        heard.append(signal.Signals(number))
        signal.signal(number, before[signal.Signals(number)])
        stop()

    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    for number in before:
        signal.signal(number, hear)
    try:
        yield heard
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
