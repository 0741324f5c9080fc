"""Every expression is parsed, and answered by a real Prometheus that scrapes a real page."""

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import promql_parser
import pytest

from driftwatch.alert.policy import AlertKind, AlertState, Severity
from driftwatch.config.settings import ALL_MAX_SERIES
from driftwatch.daemon.publish import Publisher
from driftwatch.exposition.health import Health
from driftwatch.exposition.page import Page
from driftwatch.exposition.reading import AlertReading, MonitorReading
from driftwatch.exposition.render import render
from driftwatch.exposition.web import Probes, WebServer, create_app
from driftwatch.verdict.policy import Reason, Verdict
from tests.evaluate.world import opened
from tests.exposition.dashboards import shown, story
from tests.exposition.dashboards.shown import Asked
from tests.exposition.readings import DAY, busy_health, feature_reading, full_reading
from tests.servers.prometheus import PrometheusServer, prometheus_server

pytestmark = pytest.mark.xdist_group("dashboards")  # one worker tells the story for all of them

USUAL = {
    "monitor": "m", "feature": "a", "window": "1d", "job": ".+", "instance": ".+",
    "__rate_interval": "10s", "__range": "1m",
}  # fmt: skip
EVERY = USUAL | {"monitor": ".+", "window": ".+"}
OTHERS = (
    USUAL | {"monitor": "learner", "feature": "carrier"},  # what is not judged, and why
    USUAL | {"monitor": "m", "feature": "p"},  # what is explained
)
GROUPS = ("critical", "warned", "learner", "calm")


def now() -> datetime:
    return datetime.now(UTC)


def others() -> Iterator[MonitorReading]:
    """Monitors of every colour beside the one of the story, which is critical."""
    warned = feature_reading(verdict=Verdict.WARNING)
    calm = feature_reading(verdict=Verdict.OK, reason=Reason.WITHIN_THRESHOLD, change=None)
    learning = feature_reading("carrier", verdict=Verdict.LEARNING, reason=Reason.TOO_FEW_ROWS)
    quiet = AlertReading("dep_delay", DAY, AlertKind.DRIFT)
    usual = full_reading("warned", features=(warned,))
    firing = AlertReading(
        "dep_delay", DAY, AlertKind.DRIFT, AlertState.FIRING, Severity.WARNING, segment="country=DE"
    )
    yield replace(usual, alerts=(quiet, firing))
    yield replace(usual, monitor="learner", features=(learning,), alerts=(quiet,))
    yield replace(usual, monitor="calm", features=(calm,), alerts=(quiet,))


def daemon_health() -> Health:
    health = busy_health("m", now())
    for name in ("warned", "learner", "calm"):
        health.monitor_added(name, now=now() - timedelta(days=1), interval_seconds=300)
    return health


@dataclass(frozen=True)
class Fleet:
    """A Prometheus that has scraped it all more than once."""

    prometheus: PrometheusServer

    def answer(self, text: str, values: dict[str, str]) -> list[dict[str, Any]]:
        return self.prometheus.query(shown.filled(text, values))

    def panel(self, title: str, ref: str = "A", **chosen: str) -> list[dict[str, Any]]:
        found = [one for one in shown.promql() if (one.title, one.ref) == (title, ref)]
        return self.answer(found[0].text, EVERY | chosen)


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    folder: Path = tmp_path_factory.mktemp("fleet")
    page = Page()
    with opened(f"sqlite:///{folder / 'log.db'}", f"sqlite:///{folder / 'store.db'}") as world:
        story.tell(world)
        week = timedelta(days=7)
        page.replace(
            Publisher(world.store, world.monitor, fresh_for=week, steady_now=now).publish(
                room=ALL_MAX_SERIES
            )
        )
    for one in others():
        page.replace(render(one))
    health = daemon_health()
    probes = Probes(now=now, heartbeat=now, not_ready=list)
    server = WebServer(create_app(page, health, probes), "127.0.0.1", 0)
    server.start()
    try:
        with prometheus_server(f"127.0.0.1:{server.address[1]}") as prometheus:
            prometheus.wait_for("driftwatch_build_info")
            work(health)
            prometheus.wait_for("rate(driftwatch_source_rows_read_total[10s]) > 0")
            yield Fleet(prometheus)
    finally:
        server.stop()


def work(health: Health) -> None:
    """One more evaluation, so that counters rise between two scrapes."""
    health.evaluation_started(delay_seconds=0.2)
    health.source_answered("logs", rows=930)
    stages = {"scan": 1.0, "store": 0.3, "judge": 0.2}
    health.evaluation_finished("m", outcome="success", finished=now(), seconds=1.5, stages=stages)
    health.evaluation_ended()


@pytest.mark.parametrize("asked", shown.promql(), ids=str)
def test_it_is_promql(asked: Asked) -> None:
    promql_parser.parse(shown.filled(asked.text, EVERY))


@pytest.mark.parametrize("asked", shown.label_queries(), ids=str)
def test_a_variable_asks_for_a_label_of_a_selector(asked: Asked) -> None:
    match = re.fullmatch(r"label_values\((.+), (\w+)\)", asked.text)
    assert match
    assert isinstance(
        promql_parser.parse(shown.filled(match[1], EVERY)), promql_parser.VectorSelector
    )


def test_every_expression_is_answered(fleet: Fleet) -> None:
    silent = [
        str(asked)
        for asked in shown.promql()
        if not any(
            fleet.answer(asked.text, values)
            for values in ([USUAL, *OTHERS] if one_monitor(asked) else [EVERY])
        )
    ]
    assert silent == []


def test_two_replicas_are_one_row(fleet: Fleet) -> None:
    """What is about a monitor is put together over the instances that tell it."""
    for asked in shown.promql():
        if asked.dashboard != "driftwatch-health":
            for values in (USUAL, *OTHERS, EVERY):
                found = fleet.answer(asked.text, values)
                assert not [one for one in found if "instance" in one["metric"]], str(asked)


def one_monitor(asked: Asked) -> bool:
    return asked.dashboard in ("driftwatch-monitor", "driftwatch-feature")


def test_every_variable_finds_values(fleet: Fleet) -> None:
    for asked in shown.label_queries():
        match = re.fullmatch(r"label_values\((.+), (\w+)\)", asked.text)
        assert match
        values = USUAL if one_monitor(asked) else EVERY
        found = {one["metric"].get(match[2]) for one in fleet.answer(match[1], values)}
        assert found
        assert None not in found, str(asked)


def test_every_metric_is_one_that_the_daemon_exports(fleet: Fleet) -> None:
    asked = {one.text for one in [*shown.promql(), *shown.label_queries()]}
    named = {name for text in asked for name in re.findall(r"\bdriftwatch_[a-z_]+", text)}
    plain = {re.sub("_(bucket|sum|count)$", "", name) for name in named}
    answers = fleet.prometheus.query('count by (__name__) ({__name__=~"driftwatch_.+"})')
    exported = {one["metric"]["__name__"] for one in answers}
    families = exported | {re.sub("_(bucket|sum|count)$", "", name) for name in exported}
    assert len(named) > 30
    assert plain <= families


def test_what_is_exported_on_request_alone_is_in_no_panel() -> None:
    """A panel that is empty for most users would say nothing."""
    on_request = (
        "driftwatch_p_value", "driftwatch_detectable_effect_size", "driftwatch_inflation_ratio",
        "driftwatch_reference_wobble_size", "driftwatch_js_divergence_noise_nats",
        "driftwatch_js_distance_ratio",
    )  # fmt: skip
    assert not [str(one) for one in shown.promql() if any(name in one.text for name in on_request)]


def test_the_worst_monitors_stand_first_and_each_in_one_group(fleet: Fleet) -> None:
    groups = [fleet.panel("Worst verdict per monitor", ref) for ref in "ABCD"]
    names = [[one["metric"]["monitor"] for one in group] for group in groups]
    assert names == [["m"], ["warned"], ["learner"], ["calm"]]
    assert [[one["value"][1] for one in group] for group in groups] == [["2"], ["1"], ["-1"], ["0"]]


def test_grey_is_also_what_was_not_known_yet(fleet: Fleet) -> None:
    """A range that begins before the daemon: the row is grey there, and not missing."""
    (asked,) = {one.text for one in shown.promql() if "Worst" in one.title and one.ref == "A"}
    end = int(time.time())
    (series,) = fleet.prometheus.query_range(shown.filled(asked, EVERY), end - 3_600, end)
    values = [value for _, value in series["values"]]
    assert len(values) == 3_601
    assert (values[0], values[-1]) == ("-1", "2")
    assert set(values) == {"-1", "2"}


def test_the_tiles_count_monitors(fleet: Fleet) -> None:
    tiles = ("Watched", "Firing", "Judged", "Learning", "Blind", "Stale")
    found = [fleet.panel(title)[0]["value"][1] for title in tiles]
    assert found == ["4", "2", "3", "1", "1", "3"]


def test_what_fires_has_its_change_and_segments_have_none(fleet: Fleet) -> None:
    found = fleet.panel("What fires")
    levels = [float(one["value"][1]) for one in found]
    assert levels == sorted(levels, reverse=True)
    assert levels[0] == 2
    rows = {(one["metric"]["feature"], one["metric"]["window"]): one["metric"] for one in found}
    assert rows["a", "1d"]["change"]
    assert rows["a", "1d"]["next_step"]
    (of_segment,) = (one["metric"] for one in found if one["metric"].get("segment") == "country=DE")
    assert "change" not in of_segment


def test_what_explains_the_prediction_is_told_largest_first(fleet: Fleet) -> None:
    found = fleet.panel("What explains the prediction's drift", monitor="m", window="1d")
    assert found[0]["metric"]["feature"] == "a"
    assert float(found[0]["value"][1]) > 0.9


def test_a_value_and_its_limits_are_of_one_measure(fleet: Fleet) -> None:
    title = "What is judged, and its limits"
    value = fleet.panel(title, "A", monitor="m", feature="a", window="1d")
    limits = fleet.panel(title, "B", monitor="m", feature="a", window="1d")
    assert {one["metric"]["measure"] for one in [*value, *limits]} == {"js_distance"}
    assert {one["metric"]["severity"] for one in limits} == {"warning", "critical"}
