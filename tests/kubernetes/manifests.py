"""The manifests of docker/kubernetes/, as kustomize builds them and as they are written."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from tests.conftest import ROOT

KUBERNETES = ROOT / "docker" / "kubernetes"
TARGETS = ["base", "overlays/lite", "overlays/production", "overlays/training", "overlays/bulk"]
COMPONENTS = ["components/monitoring", "components/traces", "components/models"]

Manifest = dict[str, Any]


@cache
def missing_kustomize() -> str:
    """Why nothing can be built here; empty where it can. Debian's own kubectl is too old to know components."""
    if shutil.which("kubectl") is None:
        return "kubectl is not installed"
    command = ["kubectl", "version", "--client", "--output", "json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)
    version = json.loads(done.stdout or "{}").get("kustomizeVersion", "none") if done.returncode == 0 else "none"
    major = re.match(r"v(\d+)\.", version)
    return "" if major and int(major[1]) >= 5 else f"kubectl's kustomize is {version}, and 5 is needed"


def built(folder: Path) -> list[Manifest]:
    """What `kubectl apply --kustomize` would send."""
    done = subprocess.run(
        ["kubectl", "kustomize", str(folder)], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert not done.stderr, done.stderr  # warnings of what is out of use
    return list(yaml.safe_load_all(done.stdout))


def written(folder: Path) -> list[Manifest]:
    """The resources that a kustomization names, its bases' and components' among them, before any patch."""
    kustomization = yaml.safe_load((folder / "kustomization.yaml").read_text())
    found: list[Manifest] = []
    for name in [*kustomization.get("resources", []), *kustomization.get("components", [])]:
        path = folder / name
        found += written(path) if path.is_dir() else [yaml.safe_load(path.read_text())]
    return found


def of_kind(manifests: list[Manifest], kind: str) -> list[Manifest]:
    return [manifest for manifest in manifests if manifest["kind"] == kind]


def pods(manifests: list[Manifest]) -> Iterator[Manifest]:
    """The spec of every pod that the manifests make."""
    for manifest in of_kind(manifests, "Deployment") + of_kind(manifests, "Job"):
        yield manifest["spec"]["template"]["spec"]


def containers(manifests: list[Manifest]) -> Iterator[Manifest]:
    for pod in pods(manifests):
        yield from pod.get("initContainers", [])
        yield from pod["containers"]


def bytes_of(quantity: str) -> int:
    """A quantity of memory, as in 512Mi."""
    number, unit = re.fullmatch(r"(\d+)(Ki|Mi|Gi)", quantity).groups()  # type: ignore[union-attr]  # else it fails
    return int(number) << 10 * (["Ki", "Mi", "Gi"].index(unit) + 1)
