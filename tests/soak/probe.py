"""`python -m tests.soak.probe PORT SECONDS`: asks /livez, and prints the milliseconds of every answer as JSON.

A process of its own, so that it does not wait for the one that makes the load. Null stands for a failed probe.
"""

from __future__ import annotations

import http.client
import json
import sys
import time

_EVERY_S = 0.05


def main(port: int, seconds: float) -> None:
    milliseconds: list[float | None] = []
    give_up = time.monotonic() + seconds
    while time.monotonic() < give_up:
        started = time.monotonic()
        milliseconds.append(1e3 * (time.monotonic() - started) if _alive(port) else None)
        time.sleep(max(0.0, _EVERY_S - (time.monotonic() - started)))
    print(json.dumps(milliseconds))


def _alive(port: int) -> bool:
    """On a connection of its own, as orchestrators ask."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", "/livez")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


if __name__ == "__main__":
    main(int(sys.argv[1]), float(sys.argv[2]))
