"""What every test stands on: an environment without settings, and the model version of this repository."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

from app.composition import build_recogniser
from app.manifest import ModelVersion, open_version
from app.recogniser import Recogniser
from app.settings import Settings

ROOT = Path(__file__).parents[1]
MODELS = ROOT / "models"


@pytest.fixture(scope="session", autouse=True)
def _no_settings_from_outside() -> Iterator[None]:
    """Takes the developer's own settings away; the folder of evaluation images is none."""
    with pytest.MonkeyPatch.context() as patch:
        for name in list(os.environ):
            if name.upper().startswith("DIGIT_OCR_") and name != "DIGIT_OCR_DATA_DIR":
                patch.delenv(name)
        yield


@pytest.fixture(scope="session")
def version() -> ModelVersion:
    """The model version that the service serves by default."""
    return open_version(MODELS, "digits", "latest")


@pytest.fixture(scope="session", autouse=True)
def _plain_logs() -> Iterator[None]:
    """Structlog's own default draws every local variable around an error, which takes seconds."""
    structlog.configure(processors=[structlog.processors.format_exc_info, structlog.processors.JSONRenderer()])
    yield
    structlog.reset_defaults()


@pytest.fixture(scope="module")
def released(version: ModelVersion) -> Iterator[Recogniser]:
    """What reads with that model, by the engine `litert`."""
    settings = Settings(engine="litert", model_dir=MODELS, model_version=version.manifest.version)
    made = build_recogniser(settings, version)
    yield made
    made.close()
