"""Requests without pause, from several threads, while something happens to who answers them."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import httpx

from tests.container.stack import ROOT

_DIGIT = (ROOT / "tests" / "samples" / "digit.png").read_bytes()


@dataclass
class Load:
    """What became of the requests: answers by status or slug, versions seen, and what broke off without an answer."""

    answers: Counter[str] = field(default_factory=Counter)
    versions: Counter[str] = field(default_factory=Counter)
    refused: int = 0
    broken: list[str] = field(default_factory=list)


@contextmanager
def under_load(url: str, clients: int = 4) -> Iterator[Load]:
    """Posts a digit to /predict without pause. What is refused a connection was never accepted; other losses count."""
    load, over = Load(), threading.Event()

    def post() -> None:
        with httpx.Client(base_url=url, timeout=30, trust_env=False) as client:
            while not over.is_set():
                try:
                    answer = client.post("/predict", content=_DIGIT)
                except httpx.ConnectError:
                    load.refused += 1
                    over.wait(0.05)
                except httpx.TransportError as error:
                    load.broken.append(repr(error))
                else:
                    body = answer.json()
                    load.answers["200" if answer.status_code == 200 else body["type"].rsplit("/", 1)[1]] += 1
                    if answer.status_code == 200:
                        load.versions[body["model"]["version"]] += 1

    threads = [threading.Thread(target=post) for _ in range(clients)]
    for thread in threads:
        thread.start()
    try:
        yield load
    finally:
        over.set()
        for thread in threads:
            thread.join()
