"""`python -m tests.cli.stuck`: `digit-ocr serve` with a network that does not come back from what it is asked."""

from __future__ import annotations

import sys

import pytest

from app.api import server
from app.manifest import open_version
from app.settings import load_settings
from tests.api.services import Blocking, with_classifier


def main() -> int:
    settings = load_settings()
    version = open_version(settings.model_dir, settings.model_name, settings.model_version)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(server, "build_recogniser", with_classifier(Blocking()))
        return server.serve(settings, version)


if __name__ == "__main__":
    sys.exit(main())
