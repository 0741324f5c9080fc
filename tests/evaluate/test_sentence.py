"""The words for what a feature is compared with."""

import math
import re
from dataclasses import fields
from datetime import UTC, datetime
from pathlib import Path

import pytest

from driftwatch.config.settings import (
    CohortReference,
    Exclusion,
    FileReference,
    ReferenceSettings,
    RelationSettings,
    RollingReference,
    SeasonalReference,
    TableReference,
)
from driftwatch.evaluate import sentence
from driftwatch.stats.divergence import Divergence
from driftwatch.verdict.judge import Evidence, judge
from driftwatch.verdict.policy import CalibratedThreshold, FixedThreshold, Measure
from driftwatch.window import Interval
from tests.evaluate.log import day, rows
from tests.evaluate.world import World, X

SPRING = Interval(datetime(2013, 3, 1, tzinfo=UTC), datetime(2013, 7, 1, tzinfo=UTC))
JUNE = Interval(datetime(2013, 6, 1, tzinfo=UTC), datetime(2013, 7, 1, tzinfo=UTC))
DAY = 86_400


@pytest.mark.parametrize(
    ("reference", "captured", "words"),
    [
        (SPRING, None, "[2013-03-01T00:00:00Z, 2013-07-01T00:00:00Z)"),
        (SPRING, JUNE, "[2013-06-01T00:00:00Z, 2013-07-01T00:00:00Z)"),
        (RollingReference(28 * DAY), SPRING, "the 28 days before"),
        (RollingReference(DAY), None, "the day before"),
        (RollingReference(36 * 3_600), None, "the 36 hours before"),
        (SeasonalReference(8), None, "the same hours of the 8 weeks before"),
        (SeasonalReference(1), None, "the same hours of the week before"),
        (CohortReference("model = 'champion'"), None, "the cohort model = 'champion'"),
        (TableReference(RelationSettings("training", None, None)), None, "the table training"),
        (TableReference(RelationSettings("training", "ml", None)), None, "the table ml.training"),
        (
            TableReference(RelationSettings("the reference query", None, None, query="SELECT 1")),
            None,
            "the reference query",
        ),
        (FileReference(Path("train.parquet")), None, "the file train.parquet"),
    ],
)
def test_what_is_compared_with(
    reference: ReferenceSettings, captured: Interval | None, words: str
) -> None:
    assert sentence.reference_words(reference, captured) == words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (4 * DAY, "4 days"),
        (4 * DAY - 3_600, "4 days"),  # the clock was set forward
        (4 * DAY + 1_800, "4 days"),  # on Lord Howe Island by half an hour
        (DAY, "1 day"),
        (25 * 3_600, "25 hours"),
        (6 * 3_600, "6 hours"),
        (3_600, "1 hour"),
        (900, "15 minutes"),
        (90, "90 seconds"),
    ],
)
def test_lengths(seconds: int, words: str) -> None:
    assert sentence.length(seconds) == words


@pytest.mark.parametrize("measure", list(Measure))
@pytest.mark.parametrize(("rows", "reference_rows"), [(0, 0), (0, 9), (5, 0), (400, 0), (400, 9)])
def test_what_has_no_value_is_told_without_one(
    rows: int, reference_rows: int, measure: Measure
) -> None:
    nothing = Divergence(*(math.nan for _ in fields(Divergence)))
    evidence = Evidence(rows, reference_rows, 100, nothing, js_guard=math.nan)
    effect = measure is Measure.EFFECT
    limits = CalibratedThreshold() if effect else FixedThreshold(measure)
    told = sentence.drift(
        "x", judge(limits, evidence), limits, rows=rows, min_rows=100, missing=(math.nan, math.nan)
    )
    assert re.search(r"\bnan\b", told) is None, told


def test_a_reference_without_rows_is_said_to_have_none(small_empty_world: World) -> None:
    """All of it was excluded."""
    world = small_empty_world
    excluded = (Exclusion(Interval(day(11), day(13)), "campaign"),)
    world.configure(
        features=(X,), window_seconds=(DAY,), reference=RollingReference(DAY), exclusions=excluded
    )
    world.live(rows(8, 15))
    world.catch_up(15)
    found = {str(r["reason"]): r["message"] for r in world.results("x")}
    assert found["no_reference"] == "x: 480 rows, and none of the reference to compare them with"


def test_notes_follow_a_result() -> None:
    assert sentence.notes(None, "") == ""
    assert sentence.notes(JUNE, "") == "; judged on 30 days"
    assert sentence.notes(JUNE, "black week") == "; judged on 30 days; excluded: black week"


def test_versions() -> None:
    assert sentence.beside("v1") == "version v1, beside it"
    assert sentence.before("v1") == "version v1, before it"
    assert sentence.own_reference(7 * DAY) == "its own first 7 days"
    assert sentence.own_reference(DAY) == "its own first day"
    assert sentence.not_serving("v1") == "version v1 served no rows"
