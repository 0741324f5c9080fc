"""The manifests fit the schemas of Kubernetes, each other, and what the daemon answers."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from driftwatch.config.load import load_settings
from driftwatch.config.settings import Settings
from driftwatch.exposition.page import Page
from driftwatch.exposition.web import Probes, create_app
from tests.exposition.readings import NOW, busy_health

FOLDER = Path(__file__).parents[2] / "deploy" / "kubernetes"
VERSIONS = ("1.28", "1.32", kubernetes_validate.latest_version())
OF_OTHERS = {"Kustomization", "ServiceMonitor", "PrometheusRule"}
"""Kinds that Kubernetes itself does not know: no schema of them is at hand."""


def documents() -> dict[str, Any]:
    return {file.name: yaml.safe_load(file.read_text()) for file in sorted(FOLDER.glob("*.yaml"))}


MANIFESTS = {name: one for name, one in documents().items() if "kind" in one}
DEPLOYMENT = MANIFESTS["deployment.yaml"]["spec"]
POD = DEPLOYMENT["template"]["spec"]
(CONTAINER,) = POD["containers"]
PROBES = ("startupProbe", "livenessProbe", "readinessProbe")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Of the configuration in the folder, with its secret where this machine can have it."""
    (tmp_path / "logs-password").write_text("s3cret")
    text = (FOLDER / "config.yaml").read_text()
    assert "/run/secrets/driftwatch/logs-password" in text
    (tmp_path / "config.yaml").write_text(text.replace("/run/secrets/driftwatch", str(tmp_path)))
    return load_settings(tmp_path / "config.yaml", {})


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(
    "name", [name for name, one in MANIFESTS.items() if one["kind"] not in OF_OTHERS]
)
def test_each_fits_its_schema(name: str, version: str) -> None:
    kubernetes_validate.validate(MANIFESTS[name], version, strict=True)


def test_a_schema_refuses_what_is_not_in_it() -> None:
    wrong = yaml.safe_load((FOLDER / "deployment.yaml").read_text())
    wrong["spec"]["template"]["spec"]["containers"][0]["livenesProbe"] = {}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(wrong, VERSIONS[-1], strict=True)


def test_the_kustomization_names_every_manifest_but_the_secret() -> None:
    listed = set(MANIFESTS["kustomization.yaml"]["resources"])
    assert listed == set(MANIFESTS) - {"kustomization.yaml", "secret.example.yaml"}
    (generated,) = MANIFESTS["kustomization.yaml"]["configMapGenerator"]
    assert [(FOLDER / file).is_file() for file in generated["files"]] == [True]


def test_it_listens_where_the_probes_and_the_service_ask(settings: Settings) -> None:
    assert settings.host == "0.0.0.0"
    (port,) = CONTAINER["ports"]
    assert port["containerPort"] == settings.port
    (served,) = MANIFESTS["service.yaml"]["spec"]["ports"]
    assert (served["targetPort"], served["port"]) == (port["name"], settings.port)
    (scraped,) = MANIFESTS["servicemonitor.yaml"]["spec"]["endpoints"]
    assert scraped["port"] == served["name"]
    (allowed,) = MANIFESTS["networkpolicy.yaml"]["spec"]["ingress"]
    assert [one["port"] for one in allowed["ports"]] == [port["name"]]
    app = create_app(Page(), busy_health(), Probes(lambda: NOW, lambda: NOW, list))
    paths = {getattr(route, "path", "") for route in app.routes}
    asked = {probe: CONTAINER[probe]["httpGet"] for probe in PROBES}
    assert {one["port"] for one in asked.values()} == {port["name"]}
    assert [asked[probe]["path"] for probe in PROBES] == [
        "/-/healthy", "/-/healthy", "/-/ready",
    ]  # fmt: skip
    assert {one["path"] for one in asked.values()} <= paths


def test_one_pod_at_a_time_with_time_to_stop(settings: Settings) -> None:
    assert (DEPLOYMENT["replicas"], DEPLOYMENT["strategy"]) == (1, {"type": "Recreate"})
    assert POD["terminationGracePeriodSeconds"] > settings.grace_seconds


def test_nothing_is_root_and_nothing_else_is_written(settings: Settings) -> None:
    assert POD["automountServiceAccountToken"] is False
    of_pod, of_container = POD["securityContext"], CONTAINER["securityContext"]
    assert (of_pod["runAsNonRoot"], of_pod["seccompProfile"]) == (True, {"type": "RuntimeDefault"})
    assert of_pod["runAsUser"] == of_pod["runAsGroup"] == of_pod["fsGroup"] == 10001
    assert of_container == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    mounts = {one["mountPath"]: one for one in CONTAINER["volumeMounts"]}
    written = {path for path, one in mounts.items() if not one.get("readOnly")}
    assert written == {"/var/lib/driftwatch", "/tmp"}
    assert settings.store_url.removeprefix("sqlite:///").startswith("/var/lib/driftwatch/")


def test_what_is_mounted_is_there() -> None:
    names = {one["name"] for one in POD["volumes"]}
    assert {one["name"] for one in CONTAINER["volumeMounts"]} == names
    volumes = {one["name"]: one for one in POD["volumes"]}
    (generated,) = MANIFESTS["kustomization.yaml"]["configMapGenerator"]
    assert volumes["config"]["configMap"]["name"] == generated["name"]
    assert (
        volumes["state"]["persistentVolumeClaim"]["claimName"]
        == (MANIFESTS["volume.yaml"]["metadata"]["name"])
    )
    secret = MANIFESTS["secret.example.yaml"]
    assert volumes["secrets"]["secret"]["secretName"] == secret["metadata"]["name"]
    assert set(secret["stringData"]) == {"logs-password"}


def selectors() -> Iterator[tuple[str, dict[str, str]]]:
    yield "deployment", DEPLOYMENT["selector"]["matchLabels"]
    yield "service", MANIFESTS["service.yaml"]["spec"]["selector"]
    yield "policy", MANIFESTS["networkpolicy.yaml"]["spec"]["podSelector"]["matchLabels"]


@pytest.mark.parametrize(("what", "labels"), list(selectors()))
def test_selectors_find_the_pod(what: str, labels: dict[str, str]) -> None:
    assert labels.items() <= DEPLOYMENT["template"]["metadata"]["labels"].items(), what


def test_the_rules_are_about_the_job_that_the_monitor_makes() -> None:
    """The operator names the job by the service."""
    groups = MANIFESTS["prometheusrule.yaml"]["spec"]["groups"]
    expressions = [rule["expr"] for group in groups for rule in group["rules"]]
    assert (
        f'absent(up{{job="{MANIFESTS["service.yaml"]["metadata"]["name"]}"}} == 1)' in expressions
    )


def test_the_monitor_finds_the_service() -> None:
    wanted = MANIFESTS["servicemonitor.yaml"]["spec"]["selector"]["matchLabels"]
    assert wanted.items() <= MANIFESTS["service.yaml"]["metadata"]["labels"].items()


def test_the_rules_ask_for_the_job_that_the_monitor_makes() -> None:
    """Of a ServiceMonitor without `jobLabel` the job is the name of the service."""
    assert "jobLabel" not in MANIFESTS["servicemonitor.yaml"]["spec"]
    groups = MANIFESTS["prometheusrule.yaml"]["spec"]["groups"]
    jobs = {
        job
        for group in groups
        for rule in group["rules"]
        for job in re.findall(r'job="([^"]*)"', rule["expr"])
    }
    assert jobs == {MANIFESTS["service.yaml"]["metadata"]["name"]}
