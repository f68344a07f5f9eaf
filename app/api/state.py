"""What the requests of one running service share."""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

from starlette.requests import Request

from app.api.model_files import ModelFiles
from app.api.schemas import ModelName
from app.api.workers import Workers
from app.deadline import Deadline
from app.errors import MalformedRequest, NotReady, Overloaded, ShuttingDown, Unauthorized
from app.manifest import Manifest
from app.metrics import Metrics
from app.recogniser import Recogniser
from app.settings import Settings
from app.steps import Steps

Answer = TypeVar("Answer")

# So often it is asked of all requests that wait whether their clients are still there.
_HANG_UP_CHECK_S = 0.25


@dataclass(slots=True)
class ServiceState:
    """Settings, model and counters of one service. Touched by the event loop alone."""

    settings: Settings
    manifest: Manifest
    model_files: ModelFiles
    metrics: Metrics
    workers: Workers
    recogniser: Recogniser | None = None
    draining: bool = False
    in_flight: int = field(default=0)
    waiting: dict[asyncio.Future[Any], Request] = field(default_factory=dict)  # for a thread, or for its answer
    watch: asyncio.Task[None] | None = None  # over these, while there are any
    left_working: bool = False  # after the shutdown: whether a thread is still at work, for nobody

    @property
    def model(self) -> ModelName:
        return ModelName(name=self.manifest.name, version=self.manifest.version)

    def ready(self) -> Recogniser:
        """The recogniser. Raises NotReady before the model is loaded, ShuttingDown once shutdown has begun."""
        if self.draining:
            raise ShuttingDown("The service is shutting down; send the request to another replica.")
        if self.recogniser is None:
            raise NotReady("The model is still loading; try again in a second.")
        return self.recogniser

    def authorise(self, authorization: str | None, x_api_key: str | None) -> None:
        """Raises Unauthorized where keys are configured and the request carries none of them."""
        if not self.settings.api_keys:
            return
        scheme, _, token = (authorization or "").partition(" ")
        given = [token.strip().encode() if scheme.lower() == "bearer" else b"", (x_api_key or "").strip().encode()]
        # Every key is compared, so that the time tells nothing of which one it was.
        keys = [key.get_secret_value().encode() for key in self.settings.api_keys]
        matches = [hmac.compare_digest(one, key) for one in given for key in keys]
        if not any(matches):
            raise Unauthorized("Send an API key, as Authorization: Bearer KEY or X-API-Key: KEY.")

    @asynccontextmanager
    async def admitted(self) -> AsyncIterator[Deadline]:
        """One request in flight, within its deadline. Raises Overloaded, or DeadlineExceeded when time is up."""
        if self.in_flight >= self.settings.max_in_flight:
            raise Overloaded(f"{self.in_flight} requests are in flight already; try again in a second.")
        self.in_flight += 1
        self.metrics.in_flight.inc()
        deadline = Deadline(self.settings.request_timeout_s)
        try:
            async with asyncio.timeout(self.settings.request_timeout_s):
                yield deadline
        except TimeoutError:
            raise deadline.exceeded() from None
        finally:
            deadline.cancel()  # what still works for the request stops at its next step
            self.in_flight -= 1
            self.metrics.in_flight.dec()

    async def work(self, request: Request, task: Callable[[], Answer]) -> Answer:
        """Runs blocking work for a request off the event loop; it ends when its client hangs up.

        Raises MalformedRequest where the client hung up; nobody reads it.
        """
        return await self._awaited(request, self.workers.submit(task))

    async def work_in_steps(self, request: Request, steps: Steps[Answer]) -> Answer:
        """The same of work in steps, which may be done side by side with that of other requests."""
        return await self._awaited(request, self.workers.submit_steps(steps))

    async def _awaited(self, request: Request, running: asyncio.Future[Answer]) -> Answer:
        """What is running for a request, unless its client hangs up."""
        self.waiting[running] = request
        if self.watch is None:
            self.watch = asyncio.create_task(self._watch())
        try:
            return await running
        finally:
            del self.waiting[running]
            running.cancel()  # of no effect where it is done

    async def _watch(self) -> None:
        """Looks after the clients of all that waits; one timer for all costs less than one for each."""
        try:
            while self.waiting:
                await asyncio.sleep(_HANG_UP_CHECK_S)
                for running, request in list(self.waiting.items()):
                    await _end_without_client(running, request)
        finally:
            self.watch = None  # however it ends, the next request begins another


async def _end_without_client(running: asyncio.Future[Any], request: Request) -> None:
    try:
        await require_client(request)
    except MalformedRequest as error:
        if not running.done():
            running.set_exception(error)


async def require_client(request: Request) -> None:
    """Raises MalformedRequest where the client hung up; nobody reads it."""
    if await request.is_disconnected():
        raise MalformedRequest("The client hung up before it was answered.")
