"""`python -m tests.api.measured BODY CONTENT-TYPE ACCEPT`: posts a file to a service, and tells what it cost.

One JSON line on stderr: the status, and by how many MiB the process's peak of resident memory rose. A process of its
own, since a peak never falls, with a classifier that needs no memory.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

from app.manifest import open_version
from tests.api.services import OneDigit, running, with_classifier
from tests.conftest import MODELS
from tests.images import draw_number, encode

PROCESS_STATUS = Path("/proc/self/status")  # Linux alone has it


def main(file: str, content_type: str, accept: str) -> None:
    version = open_version(MODELS, "digits", "latest")
    with running(version, with_classifier(OneDigit()), request_timeout_s=60) as service:
        warm_up = encode(draw_number("123", 200))
        assert service.post("/read", content=warm_up, headers={"Accept": accept}).status_code == 200
        body = Path(file).read_bytes()
        before = _peak_mib()
        response = service.post("/read", content=body, headers={"Content-Type": content_type, "Accept": accept})
        print(json.dumps({"status": response.status_code, "rise_mib": _peak_mib() - before}), file=sys.stderr)


def _peak_mib() -> float:
    match = re.search(r"VmHWM:\s+(\d+) kB", PROCESS_STATUS.read_text())
    assert match is not None
    return int(match.group(1)) / 1024


if __name__ == "__main__":
    main(*sys.argv[1:])
