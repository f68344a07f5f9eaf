"""`python -m tests.api.logged FORMAT`: a few requests to a service that logs as it is deployed; the log is on stderr.

A process of its own, since logging is set up once for a process.
"""

from __future__ import annotations

import sys
from typing import Literal, cast

from app.logs import configure_logging
from app.manifest import open_version
from tests.api.services import Raising, running, with_classifier
from tests.conftest import MODELS
from tests.images import draw_digit, encode

KEY = "the-secret-key"
WRONG_KEY = "a-mistyped-key"
IMAGE = encode(draw_digit(3))


def main(log_format: str) -> None:
    configure_logging("info", cast(Literal["json", "console"], log_format))
    version = open_version(MODELS, "digits", "latest")
    classifier = Raising(None)
    with running(version, with_classifier(classifier), api_keys=KEY) as service:
        key = {"X-API-Key": KEY}
        service.post("/predict", content=IMAGE, headers={**key, "X-Request-ID": "good"})
        service.post("/read", content=b"no image", headers={"Authorization": f"Bearer {KEY}", "X-Request-ID": "bad"})
        service.post("/read", content=IMAGE, headers={"X-API-Key": WRONG_KEY, "X-Request-ID": "stranger"})
        form = {"Content-Type": "multipart/form-data; boundary=b", "X-Request-ID": "malformed"}
        service.post("/read", content=IMAGE, headers={**key, **form})
        service.post("/nothing/at/all", content=IMAGE, headers={**key, "X-Request-ID": "lost"})
        classifier.error = RuntimeError("the engine is broken")
        service.post("/read", files={"file": IMAGE}, headers={**key, "X-Request-ID": "unforeseen"})
        files = [("file", IMAGE)] * 2
        service.post("/read/batch", files=files, headers={**key, "X-Request-ID": "unforeseen-in-a-batch"})


if __name__ == "__main__":
    main(*sys.argv[1:])
