"""One service with the real model for the whole run, and cheap ones beside it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any

import pytest

from app.classifier import Classifier
from app.composition import build_recogniser
from app.manifest import ModelVersion
from tests.api.services import OneDigit, Service, running, with_classifier

Start = Callable[..., AbstractContextManager[Service]]


@pytest.fixture(scope="session")
def client(version: ModelVersion) -> Iterator[Service]:
    """The service as it is deployed: the real model, and the settings' defaults."""
    with running(version, build_recogniser) as started:
        yield started


@pytest.fixture
def start(version: ModelVersion) -> Start:
    """Starts a service around a classifier, by default one that always says 7, with other settings."""

    def service(classifier: Classifier | None = None, **settings: Any) -> AbstractContextManager[Service]:
        return running(version, with_classifier(classifier or OneDigit()), **{"threads": 2, **settings})

    return service
