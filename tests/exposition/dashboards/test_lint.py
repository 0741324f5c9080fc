"""The rules of Grafana's dashboard-linter, on the generated dashboards.

That program is not in any package index, so its rules are written again here, by their names. Those
that are left out, and why:

- template-datasource-rule asks that, of several data sources, each variable has the name of its
  type; `grafana-postgresql-datasource_datasource` is no name of a variable. The Prometheus of every
  dashboard is `datasource`, as the rule wants it of a dashboard with one; the store is `sql`.
- template-job-rule, template-instance-rule, target-job-rule and target-instance-rule hold for the
  view of the daemon alone. The others are about monitors, whose names are the key whatever job and
  instance tells of them: of two replicas, one row.
- target-logql-rule and target-logql-auto-rule: nothing asks Loki.
"""

import re
from typing import Any

import promql_parser
import pytest

from driftwatch.exposition.dashboards.sql import StoreKind
from tests.exposition.dashboards import shown
from tests.exposition.dashboards.shown import Asked, Json

BOARDS = [board for kind in StoreKind for board in shown.dashboards(kind).values()]
PANELS = [(board, panel) for board in BOARDS for panel in shown.panels(board)]
UNITS = {"none", "short", "percentunit", "s", "bytes", "ops", "rps", "sci"}
"""The units that are used here; all of them are units that Grafana knows."""

of_each_board = pytest.mark.parametrize("board", BOARDS, ids=lambda board: str(board["uid"]))
of_each_panel = pytest.mark.parametrize(
    ("board", "panel"), PANELS, ids=lambda one: str(one.get("uid", one.get("title")))
)
of_each_query = pytest.mark.parametrize("asked", shown.promql(), ids=str)


@of_each_board
def test_template_datasource_rule(board: Json) -> None:
    variables = shown.variables(board)
    sources = {name: one for name, one in variables.items() if one["type"] == "datasource"}
    assert (sources["datasource"]["query"], sources["datasource"]["label"]) == (
        "prometheus", "Data source",
    )  # fmt: skip
    assert set(sources) <= {"datasource", "sql"}
    assert "${DS_" not in str(board)
    assert "__inputs" not in board


@pytest.mark.parametrize("name", ["job", "instance"])
def test_template_job_rule_and_template_instance_rule(name: str) -> None:
    one = shown.variables(shown.dashboards()["driftwatch-health"])[name]
    assert one["label"] == name.capitalize()
    assert one["datasource"]["uid"] == "${datasource}"
    assert (one["type"], one["multi"], one["allValue"]) == ("query", True, ".+")


@of_each_query
def test_target_job_rule_and_target_instance_rule(asked: Asked) -> None:
    if asked.dashboard != "driftwatch-health":
        assert "$job" not in asked.text
        return
    selectors = re.findall(r"\w\{([^}]*)\}", asked.text)
    assert selectors
    for selector in selectors:
        assert selector.startswith('job=~"$job",instance=~"$instance"')


@of_each_board
def test_template_on_time_change_reload_rule(board: Json) -> None:
    for one in shown.variables(board).values():
        if one["type"] == "query":
            assert one["refresh"] == 2


@of_each_board
def test_uneditable_dashboard(board: Json) -> None:
    assert board["editable"] is False


@of_each_panel
def test_panel_datasource_rule(board: Json, panel: Json) -> None:
    names = {f"${{{name}}}" for name in shown.variables(board)}
    assert panel["datasource"]["uid"] in names
    for target in panel["targets"]:
        assert target["datasource"] == panel["datasource"]


@of_each_panel
def test_panel_title_description_rule(board: Json, panel: Json) -> None:
    assert panel["title"]
    assert re.fullmatch(r"[A-Z].*\.", panel["description"]), panel["description"]


@of_each_panel
def test_panel_units_rule(board: Json, panel: Json) -> None:
    assert panel["fieldConfig"]["defaults"]["unit"] in UNITS
    for override in panel["fieldConfig"]["overrides"]:
        for one in override["properties"]:
            assert one["id"] != "unit" or one["value"] in UNITS


@of_each_panel
def test_panel_no_targets_rule(board: Json, panel: Json) -> None:
    assert panel["targets"]
    refs = [target["refId"] for target in panel["targets"]]
    assert len(set(refs)) == len(refs)


@of_each_query
def test_target_rate_interval_rule_and_counters(asked: Asked) -> None:
    """Every range is $__rate_interval, but for the range of the dashboard; every counter has a
    rate, and nothing else has."""
    ranges = re.findall(r"(\w+)\((\w+)\{[^}]*\}\[([^]]+)\]", asked.text)
    assert len(ranges) == asked.text.count("["), "each range is in a function"
    for function, metric, length in ranges:
        if function in ("rate", "increase"):
            assert re.search("_(total|bucket|sum)$", metric)
            assert length == "$__rate_interval"
        else:
            assert function in ("max_over_time", "last_over_time")
            assert not metric.endswith("_total")
            assert length in ("$__rate_interval", "$__range")
    counters = set(re.findall(r"\w+_total\b", asked.text))
    assert counters <= {metric for function, metric, _ in ranges if function != "last_over_time"}


@of_each_query
def test_a_quantile_is_of_rates_of_buckets(asked: Asked) -> None:
    for inner in re.findall(r"histogram_quantile\([\d.]+, (.*)\)$", asked.text):
        assert re.match(r"sum by \(le(, \w+)?\) \(rate\(\w+_bucket\{", inner)


@of_each_query
def test_a_legend_says_what_is_no_number(asked: Asked) -> None:
    """Labels that a legend names are there; a series of several has one that tells them apart."""
    (target,) = (one for one in asked.panel["targets"] if one["refId"] == asked.ref)
    if target.get("format") == "table":
        return
    legend = target["legendFormat"]
    kept = set(re.findall(r"\w+", " ".join(re.findall(r"by \(([^)]*)\)", asked.text))))
    assert set(re.findall(r"\{\{(\w+)\}\}", legend)) <= kept
    if asked.panel["type"] in ("timeseries", "state-timeline", "bargauge"):
        assert legend != "__auto"


@of_each_board
def test_what_makes_a_dashboard_provisionable(board: Json) -> None:
    assert board["id"] is None
    assert board["uid"] in (
        "driftwatch-fleet",
        "driftwatch-monitor",
        "driftwatch-feature",
        "driftwatch-health",
    )
    assert "version" not in board
    numbers = [one["id"] for one in board["panels"]]
    assert numbers == list(range(1, len(numbers) + 1))
    assert len({one["title"] for one in shown.panels(board)}) == len(shown.panels(board))


@of_each_board
def test_panels_fill_rows_and_do_not_overlap(board: Json) -> None:
    taken: dict[tuple[int, int], str] = {}
    for one in board["panels"]:
        at = one["gridPos"]
        for x in range(at["x"], at["x"] + at["w"]):
            for y in range(at["y"], at["y"] + at["h"]):
                assert x < 24, one["title"]
                assert (x, y) not in taken, (one["title"], taken.get((x, y)))
                taken[x, y] = one["title"]
    for y in {y for _, y in taken}:
        assert {x for x, other in taken if other == y} == set(range(24))


@of_each_board
def test_links_lead_to_dashboards_with_variables_that_they_have(board: Json) -> None:
    boards = {one["uid"]: one for one in BOARDS}
    mine = set(shown.variables(board))
    assert [one["tags"] for one in board["links"]] == [["driftwatch"]]
    assert board["tags"] == ["driftwatch"]
    assert board["links"][0]["keepTime"]
    assert board["links"][0]["includeVars"]
    for url in _urls(board):
        match = re.fullmatch(r"/d/([\w-]+)\?(.+)", url)
        assert match
        theirs = set(shown.variables(boards[match[1]]))
        parts = match[2].split("&")
        assert "${__url_time_range}" in parts
        assert "${datasource:queryparam}" in parts
        for part in parts:
            if found := re.fullmatch(r"var-(\w+)=\$\{(.+)\}", part):
                assert found[1] in theirs
                assert found[2] in mine or re.match(
                    r"__(data\.fields|field\.labels)\.\w+$", found[2]
                )


def _urls(made: Any) -> list[str]:
    if isinstance(made, dict):
        own = [made["url"]] if str(made.get("url", "")).startswith("/d/") else []
        return own + [url for one in made.values() for url in _urls(one)]
    return [url for one in made for url in _urls(one)] if isinstance(made, list) else []


@of_each_board
def test_links_and_annotations_stand_above_the_panels(board: Json) -> None:
    """Without a place of their own: the other one is a menu, where nobody looks."""
    for one in [*board["links"], *board["annotations"].get("list", [])]:
        assert "placement" not in one


def test_the_fleet_leads_to_monitors_and_these_to_features() -> None:
    def reached(uid: str) -> set[str]:
        return {url.split("?")[0] for url in _urls(shown.dashboards()[uid])}

    assert reached("driftwatch-fleet") == {"/d/driftwatch-monitor", "/d/driftwatch-feature"}
    assert reached("driftwatch-monitor") == {"/d/driftwatch-feature"}


def test_the_variables_of_the_views() -> None:
    found = {uid: list(shown.variables(board)) for uid, board in shown.dashboards().items()}
    assert found["driftwatch-monitor"] == ["datasource", "sql", "monitor", "window", "segment"]
    assert found["driftwatch-feature"] == [
        "datasource", "sql", "monitor", "feature", "window", "segment",
    ]  # fmt: skip


def test_a_broken_expression_is_found() -> None:
    with pytest.raises(ValueError, match="unclosed left parenthesis"):
        promql_parser.parse("max by (monitor (driftwatch_verdict_level)")
