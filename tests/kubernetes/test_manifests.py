"""The manifests against Kubernetes' schemas, and against the service, the image and the figures they speak of."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from fastapi.routing import APIRoute
from kubernetes_validate import validate

from app.api.routes import operations_routes
from app.cli import shard
from app.settings import CLIENT_API_KEY, PREFIX, Settings
from tests.conftest import MODELS, ROOT
from tests.kubernetes.manifests import (
    COMPONENTS,
    KUBERNETES,
    TARGETS,
    Manifest,
    built,
    bytes_of,
    containers,
    missing_kustomize,
    of_kind,
    pods,
    written,
)

README = (ROOT / "README.md").read_text()
DOCKERFILE = (ROOT / "Dockerfile").read_text()
# The oldest that has all that the manifests use, and the newest whose schemas there are.
VERSIONS = ["1.30", "1.37"]
SERVICE = {"app.kubernetes.io/name": "digit-ocr", "app.kubernetes.io/component": "service"}

needs_kustomize = pytest.mark.skipif(bool(missing_kustomize()), reason=missing_kustomize())


@pytest.fixture(params=["written", pytest.param("built", marks=needs_kustomize)])
def all_manifests(request: pytest.FixtureRequest) -> dict[str, list[Manifest]]:
    """By the folder that is applied."""
    load = built if request.param == "built" else written
    return {target: load(KUBERNETES / target) for target in TARGETS}


@pytest.fixture
def manifests(all_manifests: dict[str, list[Manifest]]) -> list[Manifest]:
    """Of every folder."""
    return [manifest for found in all_manifests.values() for manifest in found]


@pytest.mark.parametrize("version", VERSIONS)
def test_they_are_what_kubernetes_takes(manifests: list[Manifest], version: str) -> None:
    for manifest in manifests:
        if manifest["kind"] != "ServiceMonitor":  # the operator's, which has no schema here
            validate(manifest, version, strict=True)


@needs_kustomize
def test_components_can_be_added(tmp_path: Path) -> None:
    for component in COMPONENTS:
        folder = tmp_path / component
        folder.mkdir(parents=True)
        kustomization = {
            "resources": [_from(folder, KUBERNETES / "base")],
            "components": [_from(folder, KUBERNETES / component)],
        }
        (folder / "kustomization.yaml").write_text(yaml.safe_dump(kustomization))
        manifests = built(folder)
        assert manifests != built(KUBERNETES / "base")
        for manifest in manifests:
            if manifest["kind"] != "ServiceMonitor":
                validate(manifest, VERSIONS[0], strict=True)
        assert all(bytes_of(c["resources"]["limits"]["memory"]) for c in containers(manifests))


def test_every_pod_runs_without_privileges(manifests: list[Manifest]) -> None:
    """As the Pod Security Standard "restricted" asks, and with a root file system that nobody writes to."""
    uid = int(re.findall(r"^USER (\d+):", DOCKERFILE, re.MULTILINE)[-1])
    for pod in pods(manifests):
        context = pod["securityContext"]
        assert context["runAsNonRoot"] is True
        assert (context["runAsUser"], context["runAsGroup"]) == (uid, uid)
        assert context["seccompProfile"] == {"type": "RuntimeDefault"}
        assert pod["automountServiceAccountToken"] is False
    for container in containers(manifests):
        context = container["securityContext"]
        assert context["allowPrivilegeEscalation"] is False
        assert context["readOnlyRootFilesystem"] is True
        assert context["capabilities"] == {"drop": ["ALL"]}


def test_no_service_link_becomes_a_setting(manifests: list[Manifest]) -> None:
    """The Service digit-ocr would be DIGIT_OCR_PORT in every pod, and stop the start."""
    assert all(pod["enableServiceLinks"] is False for pod in pods(manifests))


def test_every_variable_is_one_that_the_service_knows(manifests: list[Manifest]) -> None:
    known = {PREFIX + name.upper() for name in Settings.model_fields} | {CLIENT_API_KEY}
    names = {variable["name"] for container in containers(manifests) for variable in container.get("env", [])}
    assert {name for name in names if name.startswith(PREFIX)} <= known


def test_ports_and_paths_are_the_service_s(manifests: list[Manifest]) -> None:
    paths = {route.path for route in operations_routes.routes if isinstance(route, APIRoute)}
    exposed = int(re.search(r"^EXPOSE (\d+)$", DOCKERFILE, re.MULTILINE)[1])  # type: ignore[index]
    for deployment in of_kind(manifests, "Deployment"):
        (container,) = deployment["spec"]["template"]["spec"]["containers"]
        assert container["ports"] == [{"name": "http", "containerPort": exposed}]
        probed = {kind: container[f"{kind}Probe"]["httpGet"] for kind in ("startup", "readiness", "liveness")}
        assert {probe["port"] for probe in probed.values()} == {"http"}
        assert {kind: probe["path"] for kind, probe in probed.items()} == {
            "startup": "/readyz",
            "readiness": "/readyz",
            "liveness": "/livez",  # one that is alive but not ready must not be killed
        }
        assert {probe["path"] for probe in probed.values()} <= paths
    for monitor in of_kind(manifests, "ServiceMonitor"):
        (endpoint,) = monitor["spec"]["endpoints"]
        (service,) = {str(one["spec"]["ports"]) for one in of_kind(manifests, "Service")}
        assert f"'name': '{endpoint['port']}'" in service
        assert endpoint["path"] in paths


def test_whatever_selects_the_service_finds_it(manifests: list[Manifest]) -> None:
    for deployment in of_kind(manifests, "Deployment"):
        assert deployment["spec"]["selector"]["matchLabels"] == SERVICE
        assert deployment["spec"]["template"]["metadata"]["labels"].items() >= SERVICE.items()
    for service in of_kind(manifests, "Service"):
        assert service["spec"]["selector"] == SERVICE
        assert service["metadata"]["labels"].items() >= SERVICE.items()  # by which the monitor finds it
    for kind in ("PodDisruptionBudget", "ServiceMonitor"):
        assert all(one["spec"]["selector"]["matchLabels"] == SERVICE for one in of_kind(manifests, kind))
    for autoscaler in of_kind(manifests, "HorizontalPodAutoscaler"):
        assert autoscaler["spec"]["scaleTargetRef"]["name"] == of_kind(manifests, "Deployment")[0]["metadata"]["name"]


def test_a_pod_outlives_the_service_s_own_grace(manifests: list[Manifest]) -> None:
    grace = Settings.model_fields["shutdown_grace_s"].default
    for deployment in of_kind(manifests, "Deployment"):
        pod = deployment["spec"]["template"]["spec"]
        (container,) = pod["containers"]
        pause = container["lifecycle"]["preStop"]["sleep"]["seconds"]
        assert pause + grace < pod["terminationGracePeriodSeconds"]
        # Until it is no endpoint any more, it is asked.
        readiness = container["readinessProbe"]
        assert pause >= readiness["periodSeconds"] * readiness["failureThreshold"]


def test_memory_is_what_was_measured_and_what_bodies_in_flight_take(all_manifests: dict[str, list[Manifest]]) -> None:
    measured = re.search(r"`litert` is ready .* with (\d+) MB, `keras` .* with (\d+) MB", README)
    assert measured
    litert, keras = (int(megabytes) * 10**6 for megabytes in measured.groups())
    bodies = Settings.model_fields["max_in_flight"].default * Settings.model_fields["max_body_bytes"].default
    for target, manifests in all_manifests.items():
        for deployment in of_kind(manifests, "Deployment"):
            (container,) = deployment["spec"]["template"]["spec"]["containers"]
            resources = container["resources"]
            ready = litert if "lite" in container["image"] else keras
            assert bytes_of(resources["requests"]["memory"]) > ready, target
            (volume,) = deployment["spec"]["template"]["spec"]["volumes"]
            tmp = bytes_of(volume["emptyDir"]["sizeLimit"])
            assert bytes_of(resources["limits"]["memory"]) > ready + bodies + tmp, target
            assert resources["requests"]["cpu"] == resources["limits"]["cpu"]  # threads are as many as the limit


def test_network_policies_let_in_and_out_what_is_meant(all_manifests: dict[str, list[Manifest]]) -> None:
    (policy,) = of_kind(all_manifests["base"], "NetworkPolicy")
    assert policy["spec"]["podSelector"]["matchLabels"] == SERVICE
    assert policy["spec"]["policyTypes"] == ["Ingress", "Egress"]
    assert policy["spec"]["egress"] == []
    assert [rule["ports"] for rule in policy["spec"]["ingress"]] == [[{"protocol": "TCP", "port": "http"}]]
    for target in ("overlays/training", "overlays/bulk"):
        (policy,) = of_kind(all_manifests[target], "NetworkPolicy")
        (job,) = of_kind(all_manifests[target], "Job")
        assert (
            policy["spec"]["podSelector"]["matchLabels"].items()
            <= job["spec"]["template"]["metadata"]["labels"].items()
        )
        assert policy["spec"]["ingress"] == []


def test_a_job_s_pods_are_no_endpoints_of_the_service(all_manifests: dict[str, list[Manifest]]) -> None:
    for target in ("overlays/training", "overlays/bulk"):
        (job,) = of_kind(all_manifests[target], "Job")
        assert not job["spec"]["template"]["metadata"]["labels"].items() >= SERVICE.items()


def test_the_bulk_job_has_a_pod_for_every_shard(all_manifests: dict[str, list[Manifest]]) -> None:
    (job,) = of_kind(all_manifests["overlays/bulk"], "Job")
    spec = job["spec"]
    assert spec["completionMode"] == "Indexed"
    (container,) = spec["template"]["spec"]["containers"]
    options = dict(argument.split("=") for argument in container["args"] if argument.startswith("--"))
    given = [shard(options["--shard"].replace("$(JOB_COMPLETION_INDEX)", str(n))) for n in range(spec["completions"])]
    assert [(one.index, one.count) for one in given] == [(n, spec["completions"]) for n in range(spec["completions"])]
    assert "$(JOB_COMPLETION_INDEX)" in options["--output"]  # a file for each
    mounted = [mount["mountPath"] for mount in container["volumeMounts"]]
    assert str(Path(options["--output"]).parent) in mounted
    assert container["args"][-1] in mounted
    (service,) = of_kind(all_manifests["base"], "Service")
    assert options["--server"] == f"http://{service['metadata']['name']}"
    assert service["spec"]["ports"][0]["port"] == 80


def test_the_bulk_command_is_one_that_the_command_line_takes(all_manifests: dict[str, list[Manifest]]) -> None:
    from app.cli import main

    (job,) = of_kind(all_manifests["overlays/bulk"], "Job")
    (container,) = job["spec"]["template"]["spec"]["containers"]
    arguments = [one.replace("$(JOB_COMPLETION_INDEX)", "3") for one in container["args"]]
    with pytest.raises(SystemExit) as ended:
        main([*arguments, "--help"])  # parsed after all the others
    assert ended.value.code == 0


def test_training_writes_where_the_models_are(all_manifests: dict[str, list[Manifest]]) -> None:
    (job,) = of_kind(all_manifests["overlays/training"], "Job")
    pod = job["spec"]["template"]["spec"]
    mounted = {mount["name"]: mount for mount in pod["containers"][0]["volumeMounts"]}
    assert mounted["data"] == {"name": "data", "mountPath": "/data", "readOnly": True}
    workdir = re.search(r"^WORKDIR (/srv.*)$", (ROOT / "docker/training.Dockerfile").read_text(), re.MULTILINE)
    assert workdir
    assert mounted["models"]["mountPath"] == f"{workdir[1]}/models"
    (claim,) = of_kind(all_manifests["overlays/training"], "PersistentVolumeClaim")
    assert claim["metadata"]["name"] in {
        volume.get("persistentVolumeClaim", {}).get("claimName") for volume in pod["volumes"]
    }


def test_the_released_models_are_copied_beside_those_that_are_there(
    all_manifests: dict[str, list[Manifest]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (job,) = of_kind(all_manifests["overlays/training"], "Job")
    (container,) = job["spec"]["template"]["spec"]["initContainers"]
    program = container["command"][-1].replace("/volume", str(tmp_path / "volume"))
    assert program != container["command"][-1]
    for version in ("1.0.0", "1.1.0"):
        (tmp_path / "models" / "digits" / version).mkdir(parents=True)
        (tmp_path / "models" / "digits" / version / "manifest.json").write_text("image's")
    (tmp_path / "volume" / "digits" / "1.1.0").mkdir(parents=True)
    (tmp_path / "volume" / "digits" / "1.1.0" / "manifest.json").write_text("trained here")
    monkeypatch.chdir(tmp_path)
    exec(program, {})  # noqa: S102  # it is the manifest's
    found = {path.parent.name: path.read_text() for path in (tmp_path / "volume").rglob("manifest.json")}
    assert found == {"1.0.0": "image's", "1.1.0": "trained here"}


@needs_kustomize
def test_images_are_of_this_version_and_models_are_in_them() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    images: dict[str, set[str]] = {}
    for target in TARGETS:
        found = list(containers(built(KUBERNETES / target)))
        images[target] = {container["image"] for container in found}
        for variable in (one for container in found for one in container.get("env", [])):
            if variable["name"] == "DIGIT_OCR_MODEL_VERSION":
                assert (MODELS / "digits" / variable["value"] / "manifest.json").exists()
    lite = {f"digit-ocr:{version}-lite"}
    assert images == {
        "base": {f"digit-ocr:{version}"},
        "overlays/lite": lite,
        "overlays/production": lite,
        "overlays/training": {f"digit-ocr:{version}", f"digit-ocr-training:{version}"},
        "overlays/bulk": lite,
    }


@needs_kustomize
def test_production_needs_keys_and_is_watched() -> None:
    manifests = built(KUBERNETES / "overlays/production")
    (container,) = containers(manifests)
    environment: dict[str, Any] = {one["name"]: one for one in container["env"]}
    assert "secretKeyRef" in environment["DIGIT_OCR_API_KEYS"]["valueFrom"]
    assert of_kind(manifests, "ServiceMonitor")
    (budget,) = of_kind(manifests, "PodDisruptionBudget")
    (autoscaler,) = of_kind(manifests, "HorizontalPodAutoscaler")
    assert autoscaler["spec"]["minReplicas"] > budget["spec"]["maxUnavailable"]


def test_every_manifest_belongs_to_a_kustomization() -> None:
    named = {
        (folder.parent / name).resolve()
        for folder in KUBERNETES.rglob("kustomization.yaml")
        for name in yaml.safe_load(folder.read_text()).get("resources", [])
    }
    files = {path.resolve() for path in KUBERNETES.rglob("*.yaml") if path.name != "kustomization.yaml"}
    assert files == {path for path in named if path.is_file()}


def _from(folder: Path, target: Path) -> str:
    """The way from one folder to another: kustomize takes no absolute paths."""
    up = [".."] * len(folder.resolve().parts[1:])
    return "/".join([*up, *target.resolve().parts[1:]])
