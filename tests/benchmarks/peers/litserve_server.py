"""LitServe: POST /predict answers a form with the field `file`.

`python -m tests.benchmarks.peers.litserve_server PORT`
"""

# No `from __future__ import annotations`: LitServe gives the annotation of `request` to FastAPI as it stands.

import sys
from typing import Annotated, Any

import litserve
import numpy as np
from fastapi import File
from numpy.typing import NDArray

from tests.benchmarks.peers.network import MAX_BATCH_SIZE, Network, glyph


class DigitApi(litserve.LitAPI):  # type: ignore[misc]  # not installed here
    """Batches as LitServe makes them: decoding and imaging of all of a batch's images, then the network once."""

    def setup(self, _: str) -> None:
        self.network = Network()

    def decode_request(self, request: Annotated[bytes, File(alias="file")]) -> NDArray[np.uint8]:
        return glyph(request)

    def batch(self, inputs: list[NDArray[np.uint8]]) -> NDArray[np.uint8]:
        return np.stack(inputs)

    def predict(self, x: NDArray[np.uint8]) -> list[dict[str, Any]]:
        return self.network.answers(x)

    def unbatch(self, output: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return output

    def encode_response(self, output: dict[str, Any]) -> dict[str, Any]:
        return output


if __name__ == "__main__":
    # Of the settings tried, none of which makes much of a difference, those that took the least CPU: ZeroMQ between its
    # processes, the HTTP server on a thread. Batches wait a millisecond; without, the worker asks its queue in a loop.
    server = litserve.LitServer(
        DigitApi(max_batch_size=MAX_BATCH_SIZE, batch_timeout=0.001),
        accelerator="cpu",
        devices=1,
        workers_per_device=1,
        fast_queue=True,
    )
    server.run(
        host="127.0.0.1",
        port=int(sys.argv[1]),
        num_api_servers=1,
        api_server_worker_type="thread",
        log_level="warning",
        generate_client_file=False,
    )
