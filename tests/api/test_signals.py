"""What a signal does, whatever the thread that it interrupts was about."""

from __future__ import annotations

import signal
import threading
from types import SimpleNamespace

import pytest

from app.api import server


@pytest.mark.timeout(20)
def test_a_signal_that_interrupts_a_line_of_the_log_begins_the_shutdown(monkeypatch: pytest.MonkeyPatch) -> None:
    lock, said = threading.Lock(), threading.Event()

    def info(event: str, **_: object) -> None:
        with lock:  # as the log's own, which a thread cannot take twice
            assert event == "shutting down"
            said.set()

    monkeypatch.setattr(server, "_log", SimpleNamespace(info=info))
    serving = SimpleNamespace(_state=SimpleNamespace(draining=False), should_exit=False)
    with lock:
        server.Server.handle_exit(serving, signal.SIGTERM, None)  # type: ignore[arg-type]
        assert serving.should_exit
        assert serving._state.draining
        assert not said.is_set()
    assert said.wait(10)
