"""BentoML: POST /predict answers a form with the field `file`.

`bentoml serve tests.benchmarks.peers.bentoml_server:Digits`
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import bentoml
import numpy as np

from tests.benchmarks.peers.network import MAX_BATCH_SIZE, Network, glyph


@bentoml.service(workers=1, logging={"access": {"enabled": False}})
class Digits:
    """BentoML chooses how long a batch waits; with a `max_latency_ms` under its 60 s it answers some with 503.

    `async`: a batch runs on the event loop's own thread, and is handed to no other one.
    """

    def __init__(self) -> None:
        self.network = Network()

    @bentoml.api(batchable=True, max_batch_size=MAX_BATCH_SIZE)  # type: ignore[untyped-decorator]  # not installed here
    async def predict(self, file: list[Path]) -> list[dict[str, Any]]:
        return self.network.answers(np.stack([glyph(image.read_bytes()) for image in file]))
