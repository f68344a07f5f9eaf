"""`python -m tests.api.measured BODY CONTENT-TYPE ACCEPT`: posts a file to a service, and tells what it cost.

One JSON line on stderr: the status, and by how many MiB the process's peak of resident memory rose. A process of its
own, since a peak never falls, with a classifier that needs no memory.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from app.manifest import open_version
from tests.api.services import OneDigit, running, with_classifier
from tests.conftest import MODELS
from tests.images import draw_number, encode
from tests.memory import peak_mib


def main(file: str, content_type: str, accept: str) -> None:
    version = open_version(MODELS, "digits", "latest")
    with running(version, with_classifier(OneDigit()), request_timeout_s=60) as service:
        warm_up = encode(draw_number("123", 200))
        assert service.post("/read", content=warm_up, headers={"Accept": accept}).status_code == 200
        body = Path(file).read_bytes()
        before = peak_mib()
        response = service.post("/read", content=body, headers={"Content-Type": content_type, "Accept": accept})
        print(json.dumps({"status": response.status_code, "rise_mib": peak_mib() - before}), file=sys.stderr)


if __name__ == "__main__":
    main(*sys.argv[1:])
