"""The generated inhibit rules, as a real Alertmanager applies them."""

import json
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from driftwatch.config.load import load_settings
from driftwatch.exposition.rules.generate import Format, generate
from tests.servers.alertmanager import alertmanager_server

SAMPLE = Path(__file__).parents[2] / "config.yaml"
JOB = {"job": "driftwatch"}


def alert(name: str, **labels: str) -> dict[str, str]:
    return {"alertname": f"Driftwatch{name}", **JOB, **labels}


def drift(monitor: str, **labels: str) -> dict[str, str]:
    usual = {"source": "logs", "feature": "x", "window": "1d", "kind": "drift"}
    return alert("Drift", monitor=monitor, **{**usual, **labels})


@pytest.fixture(scope="module")
def alertmanager() -> Iterator[str]:
    text = generate(load_settings(SAMPLE, {}), Format.ALERTMANAGER)
    with alertmanager_server(text) as address:
        yield f"http://{address}/api/v2/alerts"


def muted(alertmanager: str, *alerts: dict[str, str], case: str) -> list[bool]:
    """Of each of the alerts whether another of them mutes it, when all fire. case: a label that
    keeps those of other tests apart."""
    named = [{**one, "job": f"{one['job']}-{case}"} for one in alerts]
    request = urllib.request.Request(
        alertmanager,
        data=json.dumps([{"labels": one} for one in named]).encode(),
        headers={"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=5):
        pass
    with urllib.request.urlopen(alertmanager, timeout=5) as answer:
        states = {
            frozenset(one["labels"].items()): bool(one["status"]["inhibitedBy"])
            for one in json.load(answer)
        }
    return [states[frozenset(one.items())] for one in named]


@pytest.mark.parametrize(
    ("case", "source", "targets"),
    [
        (
            "down",
            alert("Down", severity="critical"),
            [
                (drift("m", severity="critical"), True),
                (alert("InstanceDown", instance="a"), True),
                (alert("Stale", monitor="m"), True),
                ({**drift("m"), "job": "another"}, False),
                ({"alertname": "HostDown", **JOB}, False),
            ],
        ),
        (
            "store",
            alert("StoreDown"),
            [(alert("EvaluationFailing", monitor="m"), True), (drift("m"), False)],
        ),
        (
            "source",
            alert("SourceDown", source="logs"),
            [
                (alert("Stale", monitor="m", source="logs"), True),
                (alert("Stale", monitor="n", source="lake"), False),
            ],
        ),
        (
            "shared",
            alert("SharedFeature", source="logs", feature="x", team="risk"),
            [
                (drift("m", team="risk", severity="critical"), True),
                (drift("n", team="risk", window="1h"), True),
                (drift("m", team="web"), False),
                (drift("m"), False),
                (drift("m", team="risk", feature="y"), False),
                (drift("m", team="risk", source="lake"), False),
                (alert("Volume", source="logs", feature="x", team="risk"), False),
            ],
        ),
        (
            "threshold",
            drift("m", severity="warning"),
            [
                (alert("AboveThreshold", monitor="m", feature="x", window="1d"), True),
                (alert("AboveThreshold", monitor="m", feature="x", window="1h"), False),
            ],
        ),
    ],
)
def test_what_mutes_what(
    alertmanager: str,
    case: str,
    source: dict[str, str],
    targets: list[tuple[dict[str, str], bool]],
) -> None:
    found = muted(alertmanager, source, *(one for one, _ in targets), case=case)
    assert found == [False, *(expected for _, expected in targets)]
