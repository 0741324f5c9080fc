"""The whole way from a file to settings, and what is told when it has problems."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from driftwatch.alert.policy import AlertPolicy
from driftwatch.config.load import load_settings
from driftwatch.config.settings import FeatureSettings, MonitorSettings, RelationSettings, Start
from driftwatch.errors import ConfigError
from driftwatch.verdict.policy import FixedThreshold, VolumeThreshold
from driftwatch.window import Interval
from tests.config.conftest import Load, Tell, monitor


def test_least_file_gets_every_default(load: Load) -> None:
    settings = load(monitor(columns="features: [distance, carrier]"))

    assert settings.monitors == (
        MonitorSettings(
            name="delay",
            source="logs",
            relation=RelationSettings("predictions", None, "scored_at"),
            features=(FeatureSettings("distance"), FeatureSettings("carrier")),
            reference=Interval(datetime(2026, 9, 1, tzinfo=UTC), datetime(2026, 10, 1, tzinfo=UTC)),
            pane_seconds=300,
            every_seconds=300,
            delay_seconds=120,
            window_seconds=(3600, 86_400),
            start=Start(None),
            catch_up_seconds=604_800,
            min_rows=100,
            volume=VolumeThreshold(2, 4, 1.8),
            alert=AlertPolicy(2, 3),
            place="config.yaml:3",
        ),
    )
    assert settings.store_url == "sqlite:///driftwatch.db"
    assert (settings.host, settings.port, settings.grace_seconds) == ("127.0.0.1", 10777, 10.0)
    assert settings.webhook is None
    assert settings.path == Path("config.yaml")
    source = settings.sources["logs"]
    assert (source.name, source.url) == ("logs", "sqlite:///logs.db")
    assert (source.statement_timeout_seconds, source.max_concurrent) == (30.0, 2)


def test_everything_written_is_taken(load: Load) -> None:
    settings = load(
        """\
store: postgresql://me@db.example/driftwatch
listen: "[::1]:0"
grace: 1m30s
sources:
  logs: {url: "sqlite:////var/logs.db", statement_timeout: 2m, max_concurrent: 7}
  other: sqlite:///other.db
notify:
  webhook: {url: "https://example.org/x?y=1", headers: {Authorization: Bearer t}, timeout: 3s}
monitors:
  - name: on
    source: other
    table: ml.predictions
    timestamp: {column: NO, format: epoch_ms}
    where: env = 'prod'
    prediction: {name: p_late, bins: {edges: [0.1, 1, 5e1]}}
    features:
      "odd \\" näme; drop":
      carrier: {kind: categorical, levels: 7}
      distance: {bins: 5, threshold: {kl: {critical: 0.5}}}
      dep_delay: {bins: {method: uniform, count: 3}}
    reference: {from: 2026-09-01T02:00+02:00, to: 2026-09-10 00:30}
    start: 2026-09-11T00:30Z
    pane: 30m
    every: 1h
    delay: 0s
    windows: [1d, 90m]
    catch_up: 1d
    min_rows: 7
    thresholds: {psi: {warning: 0.2}}
    volume: {warning: 3}
    alert: {k: 1, of: 1}
"""
    )

    assert settings.store_url == "postgresql+psycopg://me@db.example/driftwatch"
    assert (settings.host, settings.port, settings.grace_seconds) == ("::1", 0, 90.0)
    assert settings.sources["logs"].statement_timeout_seconds == 120.0
    assert settings.sources["logs"].max_concurrent == 7
    assert settings.webhook is not None
    assert settings.webhook.url == "https://example.org/x?y=1"
    assert settings.webhook.headers == {"Authorization": "Bearer t"}
    assert settings.webhook.timeout_seconds == 3
    (found,) = settings.monitors
    assert (found.name, found.source) == ("on", "other")
    assert found.relation == RelationSettings(
        "predictions", "ml", "NO", timestamp_format="epoch_ms", where="env = 'prod'"
    )
    assert [(f.name, f.prediction, f.kind, f.levels) for f in found.features] == [
        ("p_late", True, None, 50),
        ('odd " näme; drop', False, None, 50),
        ("carrier", False, "categorical", 7),
        ("distance", False, None, 50),
        ("dep_delay", False, None, 50),
    ]
    assert [(f.binning.method, f.binning.count, f.binning.edges) for f in found.features] == [
        ("explicit", 20, (0.1, 1.0, 50.0)),
        ("quantile", 20, ()),
        ("quantile", 20, ()),
        ("quantile", 5, ()),
        ("uniform", 3, ()),
    ]
    shared = FixedThreshold("psi", 0.2, None, 0.16)  # type: ignore[arg-type] # a word is equal
    own = FixedThreshold("kl", None, 0.5, 0.4)  # type: ignore[arg-type] # a word is equal
    assert [f.threshold for f in found.features] == [shared, shared, shared, own, shared]
    assert found.reference == Interval(
        datetime(2026, 9, 1, tzinfo=UTC), datetime(2026, 9, 10, 0, 30, tzinfo=UTC)
    )
    assert found.start == Start(int(datetime(2026, 9, 11, 0, 30, tzinfo=UTC).timestamp()))
    assert (found.pane_seconds, found.every_seconds, found.delay_seconds) == (1800, 3600, 0)
    assert (found.window_seconds, found.catch_up_seconds) == ((5400, 86_400), 86_400)
    assert found.min_rows == 7
    assert found.volume == VolumeThreshold(3, None, 2.6)
    assert found.alert == AlertPolicy(1, 1)


def test_all_problems_at_once_in_the_order_of_the_file(tell: Tell) -> None:
    lines = tell(
        """\
stor: sqlite:///x.db
listen: here
sources:
  logs: mysql://h/db
  more: sqlite:///x.db
monitors:
  - name: a
    refrence: {from: 2026-09-01, to: 2026-10-01}
    source: mor
    timestamp: at
    table: t
    features: [x, x, at]
    windows: [1h, 7m, 5x]
  - name: a
    table: 7
"""
    )

    assert lines == [
        "1: stor: unknown key; did you mean 'store'?",
        "2: listen: 'here' is not an address; write host:port, such as 127.0.0.1:10777",
        "4: sources.logs: the dialect 'mysql' is not supported as a source; "
        "write sqlite or postgresql",
        "7: monitors[0].reference: missing; write what is compared with, such as "
        "{from: 2026-09-01, to: 2026-10-01} or {rolling: 28d}",
        "8: monitors[0].refrence: unknown key; did you mean 'reference'?",
        "9: monitors[0].source: 'mor' is not one of the sources; did you mean 'more'?",
        "12: monitors[0].features[1]: 'x' is watched already (line 12); keep one",
        "12: monitors[0].features[2]: 'at' is the timestamp; it always moves, so remove it here",
        "13: monitors[0].windows[2]: '5x' is not a duration; write it like 30s, 5m, 1h30m, 1d "
        "or 2w",
        "14: monitors[1].features: missing; list the columns to watch",
        "14: monitors[1].name: 'a' names a monitor on line 7 too; rename one",
        "14: monitors[1].reference: missing; write what is compared with, such as "
        "{from: 2026-09-01, to: 2026-10-01} or {rolling: 28d}",
        "14: monitors[1].source: missing; name one of the sources: logs, more",
        "14: monitors[1].timestamp: missing; name the column that holds each row's time",
        '15: monitors[1].table: must be text; put it in quotes: "..."',
    ]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("monitors: [{}]", "1: sources: missing; name at least one store"),
        ("sources: {}", "1: sources: names nothing; name at least one store"),
        ("sources: 3", "1: sources: is a number; name at least one store"),
        ("sources:", "1: sources: is nothing; name at least one store"),
        ("sources: {a: }", "1: sources.a: has no value; write a URL, or a mapping with url"),
        ("sources: {a: [x]}", "1: sources.a: must be a URL, or a mapping with url or url_file, n"),
        ("sources: {a/b: sqlite:///x.db}", "1: sources[not shown]: a source's name has letters,"),
        ("store: ", "1: store: has no value; write a URL, or a mapping"),
        ("store: {}", "1: store: has no address; add url or url_file"),
        ("store: sqlite:///a.db\nsources: {x: sqlite:///a.db}", "2: sources.x: the same file as"),
        ("sources: {x: sqlite:///driftwatch.db}", "1: sources.x: the same file as the store; g"),
        ("notify: 3", "1: notify: must be a mapping of keys, not a number"),
        ("notify: {webhok: }", "1: notify.webhok: unknown key; did you mean 'webhook'?"),
        ("notify: {webhook: 3}", "1: notify.webhook: must be a mapping of keys, not a number"),
        ("store: a.db\nmonitors:", "2: monitors: has no value; write a list of monitors, each"),
        ("store: a.db", "1: monitors: missing; write at least one monitor"),
        ("monitors: []", "1: monitors: lists nothing; write at least one monitor"),
        ("monitors: {name: x}", "1: monitors: must be a list of monitors, each a mapping with"),
        ("monitors: [x]", "1: monitors[0]: must be a mapping with name, table and timestamp, not"),
        ("defaults: 3", "1: defaults: must be a mapping of keys, not a number"),
        ("defaults: {table: t}", "1: defaults.table: belongs to each monitor; move it there"),
        ("defaults: {panes: 5m}", "1: defaults.panes: unknown key; did you mean 'pane'?"),
        ("defaults: {pane: 5}", "1: defaults.pane: '5' is not a duration; write it like 30s"),
        ("grace: 0s", "1: grace: '0s' must be longer than nothing; write it like"),
        ("listen: 1.2.3.4:70000", "1: listen: '1.2.3.4:70000' has a port above 65535; write"),
        ("sources: {a: {url: sqlite:///x, max_concurrent: 33}}", "1: sources.a.max_concurrent: m"),
    ],
)
def test_problem_of_the_top(tell: Tell, text: str, line: str) -> None:
    assert any(told.startswith(line) for told in tell(text)), tell(text)


def test_missing_file_is_told_with_its_reason(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"none\.yaml: cannot be read: No such file or directory"):
        load_settings(tmp_path / "none.yaml", {})


def test_problem_of_the_defaults_is_told_once_at_its_own_place(tell: Tell) -> None:
    text = monitor().replace(
        "monitors:", "defaults: {pane: 7m, thresholds: {psi: {}}, wndows: 1}\nmonitors:"
    )
    second = text[text.index("  - name") :].replace("delay", "other")

    lines = tell(text + second)

    assert [line.split(";")[0] for line in lines] == [
        "2: defaults.pane: a pane of 7m does not divide a day",
        "2: defaults.thresholds.psi: a threshold needs a warning or a critical limit",
        "2: defaults.wndows: unknown key",
    ]


def test_defaults_may_hold_half_of_a_mapping(load: Load) -> None:
    text = monitor().replace("monitors:", "defaults: {timestamp: {format: epoch_s}}\nmonitors:")

    (found,) = load(text.replace("timestamp: scored_at", "timestamp: {column: at}")).monitors

    assert (found.relation.timestamp, found.relation.timestamp_format) == ("at", "epoch_s")
