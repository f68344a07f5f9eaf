"""20,000 damaged images: each is an image, or a problem of its sender's; none brings the process down."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.imaging.decode import decode_image
from app.manifest import ModelVersion
from tests.api.problems import assert_problem
from tests.api.services import OneDigit, Service, running, with_classifier
from tests.conftest import ROOT
from tests.memory import PROCESS_STATUS, resident_mib
from tests.robustness.decoding import MAX_PIXELS
from tests.robustness.mutations import mutant

COUNT = 20_000
PROCESSES = 2
SERVED = 300
SLUGS = ("unsupported-image", "corrupt-image", "image-too-large", "missing-file", "malformed-request")

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:PIL")


def saved(tmp_path: Path, index: int, what: str) -> str:
    """Keeps the bytes of a mutant, and tells where."""
    recipe, data = mutant(index)
    (tmp_path / f"mutant-{index}").write_bytes(data)
    return f"{what}: mutant {index} ({recipe}), kept as {tmp_path / f'mutant-{index}'}"


@pytest.mark.timeout(600)
def test_every_mutant_is_an_image_or_an_error_of_the_sender(tmp_path: Path) -> None:
    """In processes of their own, so that one which crashes is a failed test with its bytes at hand."""
    share = COUNT // PROCESSES
    reports = [tmp_path / f"report-{number}" for number in range(PROCESSES)]
    decoders = []
    for number, report in enumerate(reports):
        span = [str(number * share), str((number + 1) * share)]
        command = [sys.executable, "-m", "tests.robustness.decoding", *span, str(report)]
        decoders.append(subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL))
    complaints: list[str] = []
    try:
        for decoder, report in zip(decoders, reports, strict=True):
            complaints += _complaints(decoder, report, tmp_path)
    finally:
        for decoder in decoders:
            decoder.kill()
            decoder.wait()
    assert not complaints, "\n".join(complaints[:20])


def _complaints(decoder: subprocess.Popen[bytes], report: Path, tmp_path: Path) -> Iterator[str]:
    try:
        _, errors = decoder.communicate(timeout=500)
        ended = f"the process ended with status {decoder.returncode}" if decoder.returncode else ""
    except subprocess.TimeoutExpired:
        errors, ended = b"", "the process hangs"
    current, *found = report.read_text().splitlines() or [""]
    if ended:
        text = errors.decode(errors="replace")[-2000:]
        yield f"{saved(tmp_path, int(current), ended)}\n{text}" if current.strip() else f"{ended}\n{text}"
    for line in found:
        entry = json.loads(line)
        yield saved(tmp_path, entry["index"], entry["complaint"])


def test_the_mutants_are_of_every_kind() -> None:
    """The counterpart: they are not all refused at the first byte, and the same number gives the same mutant."""
    outcomes: Counter[str] = Counter()
    for index in range(400):
        try:
            decode_image(mutant(index)[1], MAX_PIXELS)
            outcomes["image"] += 1
        except Exception as error:
            outcomes[type(error).__name__] += 1
    assert set(outcomes) == {"image", "CorruptImage", "UnsupportedImage", "ImageTooLarge"}
    assert min(outcomes.values()) >= 4
    assert mutant(17) == mutant(17)


@pytest.fixture(scope="module")
def service(version: ModelVersion) -> Iterator[Service]:
    with running(version, with_classifier(OneDigit()), threads=2, max_pixels=4_000_000) as started:
        yield started


@pytest.mark.timeout(300)
def test_a_service_answers_them_all(service: Service, tmp_path: Path) -> None:
    """By every way in; what it cannot read is a problem of its own, and afterwards it is as it was."""
    for index in range(COUNT, COUNT + SERVED):
        recipe, data = mutant(index)
        ways = {
            "/predict": service.post("/predict", content=data),
            "/read": service.post("/read", files={"file": ("3.png", data)}),
            "/read, as PNG": service.post("/read", content=data, headers={"Accept": "image/png"}),
        }
        for way, response in ways.items():
            assert response.status_code in (200, 400, 413, 415, 422), saved(tmp_path, index, f"{way}: {response}")
            if response.status_code != 200:
                assert_problem(response, _slug(response.json()["type"]))
        batch = service.post("/predict/batch", files=[("file", data), ("file", b"")])
        items = batch.json()["results"]
        assert items[0]["status"] == ways["/predict"].status_code or not data, recipe
        assert items[1]["status"] in (415, 422)
    assert service.state.in_flight == 0


def _slug(problem_type: str) -> str:
    slug = problem_type.removeprefix("/problems/")
    assert slug in SLUGS
    return slug


@pytest.mark.skipif(not PROCESS_STATUS.exists(), reason="resident memory is read from Linux's /proc")
@pytest.mark.timeout(300)
def test_mutants_leave_nothing_behind(service: Service) -> None:
    """The resident memory after many is that after some."""
    bodies = [mutant(index)[1] for index in range(COUNT, COUNT + 100)]
    sizes = []
    for _ in range(4):
        for data in bodies:
            service.post("/predict", content=data)
        sizes.append(resident_mib())
    assert sizes[-1] < sizes[0] + 48, sizes
