"""docs/reference/metrics.md says what a real scrape says."""

import re
from pathlib import Path

import pytest
from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families

from driftwatch.alert.policy import AlertKind, Severity
from driftwatch.config.label import RESERVED_LABELS
from driftwatch.exposition.outcomes import (
    LOG_LEVELS,
    OUTCOMES,
    PRUNED_TABLES,
    SKIP_REASONS,
    STAGES,
    DeliveryOutcome,
)
from driftwatch.exposition.page import Page
from driftwatch.exposition.render import render
from driftwatch.exposition.scrape import scrape
from driftwatch.stats.calibration import Shortcoming
from driftwatch.stats.kind import ChangeKind
from driftwatch.verdict.explanation import NextStep
from driftwatch.verdict.policy import Measure, Reason
from tests.exposition.readings import NOW, busy_health, full_reading

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "metrics.md"
HOLDS = " It holds from the last evaluation."
OF_JUDGED = {
    Reason.WITHIN_THRESHOLD,
    Reason.ABOVE_THRESHOLD,
    Reason.WITHIN_NOISE,
    Reason.PREDICTION_STAYS,
    Reason.AT_MOST_WARNING,
}


def rows_of(text: str, columns: int) -> list[list[str]]:
    rows = [line.strip("| ").split(" | ") for line in text.splitlines() if line.startswith("| `")]
    return [row for row in rows if len(row) == columns]


def documented() -> dict[str, tuple[str, set[str], str]]:
    text = PAGE.read_text().replace("|  |", "| - |")
    found = {
        name.strip("`"): (kind, set(re.findall("`([a-z_]+)`", labels)), meaning)
        for name, kind, labels, _, meaning in rows_of(text, 5)
    }
    assert len(found) == len(rows_of(text, 5)), "a metric is there twice"
    return found


def exported() -> dict[str, tuple[str, set[str], str]]:
    page = Page()
    page.replace(render(full_reading(labels={})))
    text = scrape(page, busy_health(), NOW).body.decode()
    return {
        name_of(family): (
            family.type,
            {label for sample in family.samples for label in sample.labels} - {"le"},
            family.documentation.removesuffix(HOLDS).replace("||", "‖"),
        )
        for family in text_string_to_metric_families(text)
        if family.name.startswith("driftwatch_")
    }


def name_of(family: Metric) -> str:
    return f"{family.name}_total" if family.type == "counter" else family.name


def test_every_metric_is_documented_as_it_is() -> None:
    assert documented() == exported()


@pytest.mark.parametrize(
    ("label", "values"),
    [
        ("`severity`", set(Severity)),
        ("`kind`", set(AlertKind)),
        ("`measure`", {*Measure, "volume", "@volume"}),
        ("`reason` of `driftwatch_not_judged`", set(Reason) - OF_JUDGED),
        ("`reason` of `driftwatch_verdict_caveat`", set(Shortcoming)),
        ("`change`", set(ChangeKind)),
        ("`next_step`", set(NextStep)),
        ("`outcome` of `driftwatch_evaluations_total`", set(OUTCOMES)),
        ("`reason` of `driftwatch_evaluations_skipped_total`", set(SKIP_REASONS)),
        ("`outcome` of `driftwatch_notifications_total`", set(DeliveryOutcome)),
        ("`stage`", set(STAGES)),
        ("`table`", set(PRUNED_TABLES)),
        ("`level`", set(LOG_LEVELS)),
    ],
)
def test_the_closed_lists_are_documented_whole(label: str, values: set[str]) -> None:
    listed = dict(rows_of(PAGE.read_text(), 2))
    assert set(re.findall("`([^`]+)`", listed[label])) == values


def test_no_label_of_the_user_can_be_one_of_ours() -> None:
    assert {label for _, names, _ in exported().values() for label in names} <= RESERVED_LABELS


def test_no_label_is_one_that_prometheus_or_its_users_set() -> None:
    labels = {label for _, names, _ in exported().values() for label in names}
    assert not labels & {"type", "service", "env", "cluster", "owner", "job", "instance", "pod"}
