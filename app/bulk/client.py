"""A running service as a client asks it: one file after another over a connection that stays open."""

from __future__ import annotations

import json
import random
import ssl
import time
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import Any

import urllib3
from urllib3.exceptions import HTTPError, InvalidHeader, SSLError
from urllib3.util import Retry, Timeout

from app.bulk.answers import Line, unreadable
from app.errors import OcrError

# The service's overloaded, not-ready and shutting-down are 503; the others are what proxies say meanwhile.
_AGAIN = frozenset({429, 502, 503})
# What no other file would change: the key or the address is wrong.
_HOPELESS = frozenset({401, 403, 404, 405})
_HOPELESS_PROBLEM = "/problems/invalid-parameter"
_FIRST_WAIT_S, _LONGEST_WAIT_S = 0.1, 10.0
_LONGEST_RETRY_AFTER_S = 60
_TIMEOUT = Timeout(connect=10, read=120)  # an answer takes less, unless the service is gone without a word
# A balancer of connections, as a Kubernetes Service is, keeps one with its replica; those that are new get their share.
_CONNECTION_AGE_S = 30.0


class RunStopped(OcrError):
    """It makes no sense to go on: the service does not answer, or refuses all that it would be asked."""


class Interrupted(Exception):
    """The run was told to stop while a file waited for its next try."""


@dataclass(slots=True)
class Service:
    """Where to ask and how. `retry_for_s`: how long a file is tried while it gets no answer, in seconds."""

    url: str
    path: str
    query: dict[str, str]
    api_key: str | None
    retry_for_s: float
    answered_at: float = float("-inf")  # when any file was answered last, by time.monotonic


class Client:
    """One connection at a time; for one thread. Opened anew after a failure, so that another replica may answer."""

    def __init__(self, service: Service, stopped: Event) -> None:
        self._service = service
        self._stopped = stopped
        self._headers = {"Content-Type": "application/octet-stream"}
        if service.api_key is not None:
            self._headers["Authorization"] = f"Bearer {service.api_key}"
        query = "&".join(f"{name}={value}" for name, value in service.query.items())
        self._address = service.url + service.path + (f"?{query}" if query else "")
        self._pool = urllib3.PoolManager(num_pools=1, maxsize=1)
        self._opened = time.monotonic()

    def line(self, path: Path) -> Line:
        """The line of one file: its answer or its problem, tried again while the service is not to be had.

        Raises RunStopped, or Interrupted.
        """
        try:
            data = path.read_bytes()
        except (OSError, ValueError) as error:
            return unreadable(path, error)
        began, tries = time.monotonic(), 0
        while True:
            response, trouble = self._post(data)
            if response is not None and response.status not in _AGAIN:
                self._service.answered_at = time.monotonic()
                return {"file": str(path), **self._answer(response)}
            self._reopen()
            # Of the full width of the jitter: clients that were refused together do not come back together.
            jitter = random.uniform(0, min(_LONGEST_WAIT_S, _FIRST_WAIT_S * 2**tries))  # noqa: S311  # guards nothing
            tries = min(tries + 1, 10)  # by then the longest wait is reached
            wait = _retry_after(response) + jitter
            if time.monotonic() + wait - began > self._service.retry_for_s:
                return {"file": str(path), "problem": self._given_up(began, response, trouble)}
            if self._stopped.wait(wait):
                raise Interrupted

    def _post(self, data: bytes) -> tuple[urllib3.BaseHTTPResponse | None, str]:
        """The answer, or none and why."""
        if time.monotonic() - self._opened > _CONNECTION_AGE_S:
            self._reopen()
        try:
            response = self._pool.request(
                "POST",
                self._address,
                body=data,
                headers=self._headers,
                timeout=_TIMEOUT,
                retries=False,
                redirect=False,
            )
        except SSLError as error:
            if error.args and isinstance(error.args[0], ssl.SSLCertVerificationError):
                raise RunStopped(f"{self._service.url}: {error.args[0].verify_message}.") from error
            return None, str(error)
        except HTTPError as error:
            return None, str(error)
        return response, f"it answers {response.status}"

    def _reopen(self) -> None:
        self._pool.clear()
        self._opened = time.monotonic()

    def _answer(self, response: urllib3.BaseHTTPResponse) -> dict[str, Any]:
        """What goes into the line: the answer's fields, or the problem. Raises RunStopped for what is hopeless."""
        body = _json(response)
        if response.status == 200 and body is not None:
            return body
        hopeless = response.status < 400 or response.status in _HOPELESS
        if hopeless or (body is not None and body.get("type") == _HOPELESS_PROBLEM):
            detail = (body or {}).get("detail") or "There is no digit-ocr at this address."
            raise RunStopped(f"{self._service.url} answers {response.status}: {detail}")
        return {"problem": body or _unexplained(response)}

    def _given_up(self, began: float, response: urllib3.BaseHTTPResponse | None, trouble: str) -> dict[str, Any]:
        """The problem of a file that was tried long enough, while others are answered; RunStopped where none is."""
        if self._service.answered_at < began and not self._ready():
            raise RunStopped(
                f"{self._service.url} answered no file for {self._service.retry_for_s:g} s: {trouble}. "
                "Start the same command again once it does."
            )
        if response is None:
            return {"title": "No answer", "detail": f"{self._service.url} does not answer: {trouble}."}
        return _json(response) or _unexplained(response)

    def _ready(self) -> bool:
        """Whether the service says that it is: then it is this file that it does not get on with."""
        try:
            address = f"{self._service.url}/readyz"
            response = self._pool.request("GET", address, timeout=_TIMEOUT, retries=False, redirect=False)
        except HTTPError:
            return False
        return response.status == 200


def _json(response: urllib3.BaseHTTPResponse) -> dict[str, Any] | None:
    try:
        body = json.loads(response.data)
    except ValueError:
        return None
    return body if isinstance(body, dict) else None


def _unexplained(response: urllib3.BaseHTTPResponse) -> dict[str, Any]:
    """The problem of an answer that is no problem document, as proxies give them."""
    detail = f"The service, or a proxy in front of it, answered {response.status} without saying why."
    return {"title": response.reason or "Unexplained", "status": response.status, "detail": detail}


def _retry_after(response: urllib3.BaseHTTPResponse | None) -> float:
    """Seconds that the answer asks to wait: 0 where it does not, and a minute at most."""
    asked = None if response is None else response.headers.get("Retry-After")
    if asked is None:
        return 0.0
    try:
        return min(Retry().parse_retry_after(asked), _LONGEST_RETRY_AFTER_S)
    except InvalidHeader:
        return 0.0
