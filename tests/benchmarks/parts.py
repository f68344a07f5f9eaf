"""The parts of the benchmark: which servers stand side by side, and how each is asked."""

from __future__ import annotations

import tempfile
from pathlib import Path

from tests.benchmarks import servers
from tests.benchmarks.figures import Rounds, Starts
from tests.benchmarks.rounds import Plan, Way, measured, standing, started
from tests.benchmarks.uploads import (
    Upload,
    digit_image,
    form,
    number_image,
    raw,
    tells_digit,
    tells_number,
    was_read,
)

ENGINES = ("keras", "litert")
PEERS = ("LitServe", "BentoML")
FLOOR_RAW, FLOOR_FORM = "floor raw", "floor multipart"
BATCHES_OFF, BATCHES_ON = "batch timeout 0", "batch timeout 1 ms"
PLAIN, EXPLAINED = "/predict", "/predict?explain=true"

CONNECTIONS = (1, 4, 16, 64)
FEWER_CONNECTIONS = (1, 16, 64)


def way_name(path: str, engine: str) -> str:
    """`path`: what is asked, such as `/predict raw`."""
    return f"{path}, {engine}"


def service(plan: Plan) -> Rounds:
    """The service with each engine beside the floor: /predict both ways, /read of five digits."""
    digit, number = digit_image(), number_image()
    with standing([servers.floor(), *map(servers.service, ENGINES)], plan) as (floor, *engines):
        ways = [
            Way(FLOOR_RAW, floor, "/raw", raw(digit, was_read(digit))),
            *(_asked("/predict raw", one, "/predict", raw(digit, tells_digit)) for one in engines),
            Way(FLOOR_FORM, floor, "/multipart", form(digit, was_read(digit))),
            *(_asked("/predict multipart", one, "/predict", form(digit, tells_digit)) for one in engines),
            *(_asked("/read raw", one, "/read", raw(number, tells_number)) for one in engines),
        ]
        return measured(ways, CONNECTIONS, plan)


def batching(plan: Plan) -> Rounds:
    """Each worker on its own interpreter (a batch timeout of 0) against micro-batches over requests."""
    settings = {BATCHES_OFF: "0", BATCHES_ON: "1"}
    kinds = [servers.service("litert", BATCH_TIMEOUT_MS=timeout) for timeout in settings.values()]
    digit, number = raw(digit_image(), tells_digit), raw(number_image(), tells_number)
    with standing(kinds, plan) as standing_servers:
        ways = [
            Way(way_name(path, name), one, path, upload)
            for path, upload in (("/predict", digit), ("/read", number))
            for name, one in zip(settings, standing_servers, strict=True)
        ]
        return measured(ways, FEWER_CONNECTIONS, plan)


def peers(plan: Plan) -> Rounds:
    """The same model behind other servers, all of them asked with forms."""
    upload = form(digit_image(), tells_digit)
    with tempfile.TemporaryDirectory() as home:
        others = [servers.litserve(), servers.bentoml(Path(home))]
        with standing([*map(servers.service, ENGINES), *others], plan) as standing_servers:
            ways = [Way(one.name, one, "/predict", upload) for one in standing_servers]
            return measured(ways, FEWER_CONNECTIONS, plan)


def explanation(plan: Plan) -> Rounds:
    """/predict with and without an explanation, one at a time and many."""
    upload = raw(digit_image(), tells_digit)
    with standing([servers.service("litert")], plan) as (engine,):
        ways = [Way(name, engine, name, upload) for name in (PLAIN, EXPLAINED)]
        return measured(ways, (1, 16), plan)


def startup(plan: Plan) -> dict[str, Starts]:
    """From the start of the process to the first 200 of /readyz, and the memory it has then."""
    return {engine: started(servers.service(engine), plan) for engine in ENGINES}


def _asked(name: str, server: servers.Running, path: str, upload: Upload) -> Way:
    return Way(way_name(name, server.name), server, path, upload)
