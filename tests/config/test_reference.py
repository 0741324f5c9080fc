"""The kinds of reference, of a monitor and of a column: exactly one, and what it needs."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from driftwatch.config.settings import (
    CohortReference,
    FileReference,
    ReferenceSettings,
    RelationSettings,
    RollingReference,
    SeasonalReference,
    SourceSettings,
    TableReference,
)
from driftwatch.window import Interval
from tests.config.conftest import Load, Tell, monitor

RANGE = "{from: 2026-09-01, to: 2026-10-01}"
LOGS = SourceSettings("logs", "sqlite:///logs.db")
KINDS: list[tuple[str, ReferenceSettings]] = [
    (RANGE, Interval(datetime(2026, 9, 1, tzinfo=UTC), datetime(2026, 10, 1, tzinfo=UTC))),
    ("{rolling: 28d}", RollingReference(28 * 86_400)),
    ("{rolling: 1d}", RollingReference(86_400)),
    ("{seasonal: 8w}", SeasonalReference(8)),
    ("{seasonal: 7d}", SeasonalReference(1)),
    ("{table: training}", TableReference(RelationSettings("training", None, None))),
    (
        "{table: ml.training, where: a > 1, source: logs}",
        TableReference(RelationSettings("training", "ml", None, where="a > 1"), LOGS),
    ),
    (
        "{table: {schema: a.b, name: c d}}",
        TableReference(RelationSettings("c d", "a.b", None)),
    ),
    (
        "{query: select 1 as distance, where: distance > 0}",
        TableReference(
            RelationSettings(
                "the reference query of monitor 'delay'",
                None,
                None,
                where="distance > 0",
                query="select 1 as distance",
            )
        ),
    ),
    ("{file: data/training.parquet}", FileReference(Path("data/training.parquet"))),
    ("{file: training.csv}", FileReference(Path("training.csv"))),
    ("{file: /data/training.csv.gz}", FileReference(Path("/data/training.csv.gz"))),
    ("{cohort: \"model = 'champion'\"}", CohortReference("model = 'champion'")),
]


@pytest.mark.parametrize(("written", "reference"), KINDS)
def test_every_kind_of_a_monitor(load: Load, written: str, reference: ReferenceSettings) -> None:
    (found,) = load(monitor().replace(RANGE, written)).monitors

    assert found.reference == reference
    assert [found.reference_of(feature) for feature in found.features] == [reference]


@pytest.mark.parametrize(("written", "reference"), KINDS)
def test_every_kind_of_a_column(load: Load, written: str, reference: ReferenceSettings) -> None:
    text = monitor(columns=f"features: [distance, {{name: a, reference: {written}}}]").replace(
        f"reference: {RANGE}", "reference: {rolling: 2d}", 1
    )

    (found,) = load(text).monitors

    assert [found.reference_of(feature) for feature in found.features] == [
        RollingReference(2 * 86_400),
        reference,
    ]


ALL_KINDS = (
    "{from: 2026-09-01, to: 2026-10-01}, {rolling: 28d}, {seasonal: 8w}, {table: training}, "
    '{query: "select ..."}, {file: training.parquet}, {cohort: "model = \'champion\'"}'
)


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("{}", f": says nothing to compare with; write one of {ALL_KINDS}"),
        ("{source: logs}", f": says nothing to compare with; write one of {ALL_KINDS}"),
        ("{rolling: ~}", f": says nothing to compare with; write one of {ALL_KINDS}"),
        ("{rolling: 28d, seasonal: 8w}", ": says several kinds (rolling, seasonal); keep one"),
        (
            "{from: 2026-09-01, to: 2026-10-01, cohort: a}",
            ": says several kinds (range, cohort); keep one",
        ),
        ("{table: a, query: select 1}", ": says several kinds (table, query); keep one"),
        ("28d", ": must be a mapping, such as {from: 2026-09-01, to: 2026-10-01}, not text"),
        ("{roling: 28d}", ".roling: unknown key; did you mean 'rolling'?"),
        ("{rolling: 1 month}", ".rolling: '1 month' is not a duration; write it like 30s, 5m,"),
        ("{rolling: 36h1m}", ".rolling: '36h1m' is not a multiple of the pane (5m); change one"),
        (
            "{rolling: 6h}",
            ".rolling: '6h' is shorter than the longest window (1d); compare with at least as much",
        ),
        ("{seasonal: 10d}", ".seasonal: '10d' is not whole weeks; write it like 8w"),
        ("{seasonal: 8}", ".seasonal: '8' is not a duration; write it like"),
        ("{seasonal: 0w}", ".seasonal: '0w' must be longer than nothing"),
        ("{table: [a]}", ".table: must be a table name, or a mapping with schema and name"),
        ("{table: {schema: a}}", ".table.name: missing; add it"),
        (
            "{table: a, source: log}",
            ".source: 'log' is not one of the sources; did you mean 'logs'?",
        ),
        (
            "{rolling: 2d, source: logs}",
            ".source: belongs to a table or query, not to rolling; remove it",
        ),
        (
            "{cohort: a, where: b}",
            ".where: belongs to a table or query, not to cohort; remove it",
        ),
        ("{query: ' '}", ".query: must not be blank; remove the key or write a value"),
        ("{cohort: ' '}", ".cohort: must not be blank; remove the key or write a value"),
        ("{cohort: true}", '.cohort: must be text; put it in quotes: "..."'),
        (
            "{file: training.feather}",
            ".file: 'training.feather' ends with none of .csv, .csv.gz, .parquet; write a file",
        ),
        ("{file: training.gz}", ".file: 'training.gz' ends with none of"),
        ("{file: training.CSV}", ".file: 'training.CSV' ends with none of"),
        (
            "{file: 's3://bucket/training.parquet'}",
            ".file: is a URL; files are read from a disk: write a path",
        ),
    ],
)
def test_what_is_no_reference(tell: Tell, written: str, told: str) -> None:
    (line,) = tell(monitor().replace(RANGE, written))
    assert line.startswith(f"6: monitors[0].reference{told}")

    columns = f"features: [distance, {{name: a, reference: {written}}}]"
    (line,) = tell(monitor(columns=columns))
    assert line.startswith(f"7: monitors[0].features[1].reference{told}")


def test_seasons_have_windows_of_at_most_a_week(tell: Tell) -> None:
    lines = tell(monitor("windows: [1d, 14d]").replace(RANGE, "{seasonal: 8w}"))

    assert lines == [
        "6: monitors[0].reference.seasonal: the weeks before a window of 14d would be part of it; "
        "keep windows of at most 7d, or compare with another kind of reference"
    ]


def test_a_length_is_not_held_against_what_is_wrong_itself(tell: Tell) -> None:
    text = monitor("pane: 7m", "windows: [1h, soon]").replace(RANGE, "{rolling: 50m}")

    assert [line.partition(" ")[2].split(":")[0] for line in tell(text)] == [
        "monitors[0].pane",
        "monitors[0].windows[1]",
    ]


@pytest.mark.parametrize(
    ("default", "own", "reference"),
    [
        ("{rolling: 28d}", RANGE, KINDS[0][1]),
        (RANGE, "{rolling: 28d}", RollingReference(28 * 86_400)),
        ("{from: 2026-09-01}", "{to: 2026-10-01}", KINDS[0][1]),
        ("{rolling: 28d}", "{rolling: 2d}", RollingReference(2 * 86_400)),
        (
            "{table: a, where: x > 1}",
            "{table: b}",
            TableReference(RelationSettings("b", None, None, where="x > 1")),
        ),
        (
            "{table: a, where: x > 1}",
            "{query: select 1}",
            TableReference(
                RelationSettings(
                    "the reference query of monitor 'delay'", None, None, query="select 1"
                )
            ),
        ),
    ],
)
def test_another_kind_replaces_the_default(
    load: Load, default: str, own: str, reference: ReferenceSettings
) -> None:
    text = monitor().replace(RANGE, own)

    (found,) = load(f"defaults: {{reference: {default}}}\n{text}").monitors

    assert found.reference == reference


def test_the_prediction_has_a_reference_of_its_own_too(load: Load) -> None:
    (found,) = load(monitor("prediction: {name: p, reference: {seasonal: 4w}}")).monitors

    assert found.reference_of(found.features[0]) == SeasonalReference(4)
