"""From rows in PostgreSQL to a message, by real parts alone: the daemon, Prometheus with the
generated rules, Alertmanager with the generated routes, and a receiver.

The rows are the departures from New York of February 2013. On the 8th and 9th a blizzard cancelled
most of them: `dep_delay` is missing, and so is `late`, which follows from it. On the 11th they flew
again.
"""

import json
import time
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest

from driftwatch.config.load import load_settings
from driftwatch.config.settings import Settings
from driftwatch.demo.flights import load_flights
from driftwatch.exposition.rules.generate import Format, generate
from tests.daemon.alone import daemon
from tests.daemon.test_app import wait_for as wait_at_most
from tests.daemon.twin import WrittenClock
from tests.daemon.webhook import Receiver, receiver
from tests.servers.alertmanager import alertmanager_server
from tests.servers.parts import free_port
from tests.servers.prometheus import PrometheusServer, prometheus_server

CONFIG = """\
store: {store}
sources: {{logs: "{logs}"}}
listen: 127.0.0.1:{port}
links: {{driftwatch: "https://drift.example.org", grafana: "https://grafana.example.org"}}
monitors:
  - name: delays & cancellations
    table: flights
    timestamp: scheduled_at
    pane: 1h
    every: 1s
    delay: 0s
    windows: [1d]
    alert: {{k: 1, of: 1}}
    reference: {{from: 2013-01-02, to: 2013-02-01}}
    start: 2013-02-05
    labels: {{team: flights}}
    features: [dep_delay, late, distance, {{name: carrier, kind: categorical}}]
"""
MONITOR = "delays & cancellations"
DRIFT = f'ALERTS{{alertname="DriftwatchDrift",alertstate="firing",monitor="{MONITOR}"}}'


WITHIN_SECONDS = 40.0
"""Of each step, which takes a few: machines that run tests are busy."""


def wait_for(met: Callable[[], Any]) -> None:
    """Until a condition is met; AssertionError if it never is."""
    wait_at_most(met, seconds=WITHIN_SECONDS)


def february(day: int) -> datetime:
    """Ten minutes after midnight: the day before is complete."""
    return datetime(2013, 2, day, 0, 10, tzinfo=UTC)


def write_flights(url: str) -> None:
    """The departures of the first seven weeks of 2013 as a table of the user's."""
    flights = load_flights()
    rows = flights[flights["scheduled_at"] < "2013-02-18"]
    columns = ("scheduled_at", "dep_delay", "carrier", "distance")
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute(
            "CREATE TABLE flights (scheduled_at timestamptz, dep_delay float, carrier text, "
            "distance int, late boolean GENERATED ALWAYS AS (dep_delay > 15) STORED)"
        )
        with connection.cursor().copy(
            f"COPY flights ({', '.join(columns)}) FROM STDIN WITH (FORMAT csv)"
        ) as copy:
            # A bare timestamp would be read in the zone of the session.
            stamped = rows.assign(scheduled_at=rows["scheduled_at"] + "+00")
            copy.write(stamped[list(columns)].to_csv(index=False, header=False))
        connection.execute("CREATE INDEX ON flights (scheduled_at)")


def rules_of(settings: Settings) -> str:
    """As generated, but that Down waits for seconds."""
    text = generate(settings, Format.PROMETHEUS)
    assert "for: 5m\n" in text
    return text.replace("for: 5m\n", "for: 2s\n")


def routes_of(settings: Settings, url: str) -> str:
    """As generated, but that the receivers are ours and messages wait for a second."""
    text = generate(settings, Format.ALERTMANAGER)
    for generated, quick in (
        ("https://alerts.example.org/", url),
        ("group_wait: 30s", "group_wait: 1s"),
        ("group_interval: 5m", "group_interval: 1s"),
    ):
        assert generated in text
        text = text.replace(generated, quick)
    return text


@dataclass
class Told:
    """What came at the receiver."""

    posts: Receiver

    def messages(self, alert: str, status: str) -> list[tuple[dict[str, Any], dict[str, Any]]]:
        """Message and alert of each time that an alert of this name had this status."""
        return [
            (post, one)
            for post in list(self.posts.posts)
            for one in post["alerts"]
            if (one["labels"]["alertname"], one["status"]) == (alert, status)
        ]

    def features(self, status: str) -> set[str]:
        """Of which features a drift had this status in any message."""
        return {one["labels"]["feature"] for _, one in self.messages("DriftwatchDrift", status)}


def suppressed(alertmanager: str, alert: str) -> list[bool]:
    """Of each alert of this name that Alertmanager holds: whether another one mutes it."""
    with urllib.request.urlopen(f"http://{alertmanager}/api/v2/alerts", timeout=5) as answer:
        found = json.load(answer)
    return [
        one["status"]["state"] == "suppressed" and bool(one["status"]["inhibitedBy"])
        for one in found
        if one["labels"]["alertname"] == alert
    ]


@pytest.fixture
def config(postgres_url: str, tmp_path: Path) -> Path:
    """The configuration that the daemon reads; its store and the clock are beside it."""
    write_flights(postgres_url)
    store = f"sqlite:///{(tmp_path / 'store.db').as_posix()}"
    file = tmp_path / "config.yaml"
    file.write_text(CONFIG.format(store=store, logs=postgres_url, port=free_port()))
    return file


@pytest.mark.xdist_group("end_to_end")
def test_a_blizzard_is_told_survives_the_daemon_and_ends(config: Path) -> None:
    settings, rules = load_settings(config, {}), config.with_name("rules.yaml")
    rules.write_text(rules_of(settings), encoding="utf-8")
    clock = WrittenClock(config.with_name("now"))
    clock.set(february(7))
    with (
        receiver() as hook,
        alertmanager_server(routes_of(settings, hook.url)) as alertmanager,
        prometheus_server(
            f"127.0.0.1:{settings.port}", [rules], alertmanager=alertmanager
        ) as prometheus,
    ):
        told = Told(hook)
        with daemon(config, clock):
            the_drift_is_told(clock, prometheus, told)
        the_daemon_is_dead(alertmanager, prometheus, told)
        with daemon(config, clock):
            wait_for(lambda: told.messages("DriftwatchDown", "resolved"))
            assert prometheus.query(DRIFT)
            assert not told.messages("DriftwatchDrift", "resolved")
            a_threshold_is_changed(config, clock, prometheus, told)
            the_drift_ends(clock, prometheus, told)


def the_drift_is_told(clock: WrittenClock, prometheus: PrometheusServer, told: Told) -> None:
    prometheus.wait_for(
        f'driftwatch_verdict_level{{monitor="{MONITOR}",feature="dep_delay"}} == 0',
        within_seconds=WITHIN_SECONDS,
    )
    assert not prometheus.query('ALERTS{alertname="DriftwatchDrift"}')
    clock.set(february(9))
    wait_for(lambda: told.messages("DriftwatchDrift", "firing"))
    message, _ = told.messages("DriftwatchDrift", "firing")[0]
    assert message["receiver"] == "team-flights"
    assert message["groupLabels"] == {"job": "driftwatch", "source": "logs", "monitor": MONITOR}
    by_feature = {one["labels"]["feature"]: one for one in message["alerts"]}
    assert set(by_feature) == {"dep_delay", "late"}, "one message for all that drifts"
    labels, annotations = (by_feature["dep_delay"][part] for part in ("labels", "annotations"))
    assert (labels["alertname"], labels["window"], labels["kind"]) == (
        "DriftwatchDrift", "1d", "drift",
    )  # fmt: skip
    assert (labels["severity"], labels["team"]) == ("critical", "flights")
    (effect,) = prometheus.query(
        f'driftwatch_effect_size{{monitor="{MONITOR}",feature="dep_delay"}}'
    )
    shown = f"{float(effect['value'][1]):.3g}"
    assert annotations["description"].startswith(
        f"{MONITOR}: dep_delay over 1d drifts: effect {shown} standard deviations, limit 0.2; "
        "change missing_data, look first at data"
    )
    assert annotations["since"] == "2013-02-08 00:00 UTC"
    assert f"dep_delay {shown}" in annotations["top_features"]
    assert "late " in annotations["top_features"]
    of_feature = "monitor=delays+%26+cancellations&feature=dep_delay&window=1d"
    assert annotations["explanation_url"] == f"https://drift.example.org/explain?{of_feature}"
    assert annotations["dashboard_url"].startswith("https://grafana.example.org/d/")
    assert annotations["runbook_url"] == "docs/runbooks/DriftwatchDrift.md"


def the_daemon_is_dead(alertmanager: str, prometheus: PrometheusServer, told: Told) -> None:
    """It was killed. What fired goes on firing; nobody hears of an end."""
    wait_for(lambda: told.messages("DriftwatchDown", "firing"))
    assert not prometheus.query(f'driftwatch_alert_level{{monitor="{MONITOR}"}}')
    assert prometheus.query(DRIFT)
    wait_for(lambda: set(suppressed(alertmanager, "DriftwatchDrift")) == {True})
    assert not told.messages("DriftwatchDrift", "resolved")


def a_threshold_is_changed(
    config: Path, clock: WrittenClock, prometheus: PrometheusServer, told: Told
) -> None:
    """By a reload, of which the drift sees nothing: it fires at every moment, and the next window
    is judged by the new limit."""
    begun = time.time()
    limits = "    thresholds: {effect: {warning: 0.05, critical: 0.3}}\n"
    config.write_text(config.read_text() + limits)
    reload = f"http://127.0.0.1:{load_settings(config, {}).port}/-/reload"
    with urllib.request.urlopen(urllib.request.Request(reload, method="POST"), timeout=20) as one:
        assert one.status == 200
    clock.set(february(10))
    of_feature = f'monitor="{MONITOR}",feature="dep_delay",severity="critical"'
    prometheus.wait_for(f"driftwatch_drift_threshold{{{of_feature}}} == 0.3", within_seconds=20)
    ended = time.time()
    for shown in (
        f'{DRIFT[:-1]},feature="dep_delay"}}',
        f'driftwatch_alert_level{{monitor="{MONITOR}",feature="dep_delay",kind="drift"}} == 2',
        f"driftwatch_drift_threshold{{{of_feature}}}",
    ):
        (series,) = prometheus.query_range(shown, begun, ended)
        assert len(series["values"]) == int(ended - begun) + 1, f"a gap in {shown}"
    assert not told.messages("DriftwatchDrift", "resolved")


def the_drift_ends(clock: WrittenClock, prometheus: PrometheusServer, told: Told) -> None:
    clock.set(february(13))
    wait_for(lambda: told.features("resolved") == {"dep_delay", "late"})
    assert not prometheus.query(DRIFT)
