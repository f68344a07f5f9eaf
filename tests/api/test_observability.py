"""Grafana's dashboard and Prometheus' alerts ask for metrics that the service has, and leave none of them out."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from tests.api.services import Service
from tests.conftest import ROOT
from tests.images import draw_digit, encode

DASHBOARD: dict[str, Any] = json.loads((ROOT / "docker" / "grafana" / "dashboards" / "digit-ocr.json").read_text())
ALERTS: dict[str, Any] = yaml.safe_load((ROOT / "docker" / "prometheus" / "alerts.yml").read_text())
DATASOURCES = yaml.safe_load((ROOT / "docker/grafana/provisioning/datasources/prometheus.yml").read_text())
_SELECTOR = re.compile(r"\b((?:digit_ocr|process)_\w+)(?:\{([^}]*)\})?")
_OF_PROMETHEUS = {"job", "instance", "le"}


def asked(text: str) -> set[tuple[str, frozenset[str]]]:
    """The metrics of an expression, each with the labels that it is chosen by."""
    return {
        (name, frozenset(re.findall(r"(\w+)\s*(?:=~|!=|=|!~)", labels))) for name, labels in _SELECTOR.findall(text)
    }


def expressions() -> list[str]:
    panels = [target["expr"] for panel in DASHBOARD["panels"] for target in panel["targets"]]
    return panels + [rule["expr"] for group in ALERTS["groups"] for rule in group["rules"]]


@pytest.fixture(scope="module")
def samples(client: Service) -> dict[str, set[str]]:
    """Every sample that the service has once it has answered and refused, with its labels."""
    client.post("/predict", content=encode(draw_digit(3)))
    client.post("/predict", content=b"no image")
    found: dict[str, set[str]] = {}
    for family in text_string_to_metric_families(client.get("/metrics").text):
        for sample in family.samples:
            found.setdefault(sample.name, set()).update(sample.labels)
    return found


@pytest.mark.parametrize("expression", expressions())
def test_what_is_asked_for_is_there(samples: dict[str, set[str]], expression: str) -> None:
    metrics = asked(expression)
    assert metrics
    for name, labels in metrics:
        assert name in samples
        assert labels <= samples[name] | _OF_PROMETHEUS


def test_labels_that_group_are_there(samples: dict[str, set[str]]) -> None:
    labels = set().union(*samples.values()) | _OF_PROMETHEUS
    for expression in expressions():
        for names in re.findall(r"\b(?:by|on|without)\s*\(([^)]*)\)", expression):
            assert {name.strip() for name in names.split(",")} <= labels


def test_the_dashboard_shows_every_metric_of_the_service(samples: dict[str, set[str]]) -> None:
    def family(name: str) -> str:
        return re.sub(r"_(bucket|sum|count|created|total)$", "", name)

    shown = {family(name) for panel in DASHBOARD["panels"] for t in panel["targets"] for name, _ in asked(t["expr"])}
    assert {family(name) for name in samples if name.startswith("digit_ocr_")} <= shown


def test_the_dashboard_asks_the_provisioned_prometheus() -> None:
    (source,) = DATASOURCES["datasources"]
    uids = {panel["datasource"]["uid"] for panel in DASHBOARD["panels"]}
    assert uids == {source["uid"]}
    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
    assert source["url"] == "http://prometheus:9090"
    assert "prometheus" in services
    home = services["grafana"]["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]
    mounts = dict(volume.split(":")[:2] for volume in services["grafana"]["volumes"])
    (folder,) = (here for here, there in mounts.items() if home.startswith(f"{there}/"))
    assert (ROOT / folder / home.rsplit("/", 1)[1]).exists()


@pytest.mark.parametrize(
    "rule", [rule for group in ALERTS["groups"] for rule in group["rules"]], ids=lambda r: r["alert"]
)
def test_an_alert_says_what_is_wrong_and_what_to_do(rule: dict[str, Any]) -> None:
    assert rule["labels"]["severity"] in {"warning", "critical"}
    assert rule["annotations"]["summary"]
    assert rule["annotations"]["description"]
    assert rule["for"]
