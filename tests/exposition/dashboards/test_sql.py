"""Every statement runs on a store of its kind, filled by real evaluations, and answers."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from driftwatch.exposition.dashboards.sql import ALL_ROWS, StoreKind, window_text
from driftwatch.window import format_duration
from tests.evaluate.log import day
from tests.evaluate.world import opened
from tests.exposition.dashboards import shown, story
from tests.exposition.dashboards.shown import Asked
from tests.servers.postgres import PostgresServer

pytestmark = pytest.mark.xdist_group("dashboards")  # one worker tells the story for all of them

Rows = list[dict[str, Any]]

USUAL = {
    "monitor": "m",
    "feature": "a",
    "window": "1d",
    "segment": ALL_ROWS,
    "__from": str(round(day(6).timestamp() * 1000)),
    "__to": str(round(day(story.END).timestamp() * 1000)),
}
COLUMNS = {
    "How far each feature is": ("time", "feature", "effect"),
    "Verdict of each feature": ("time", "feature", "verdict"),
    "Newest window of each feature": (
        "feature", "verdict", "effect", "change", "next_step", "says", "missing", "unseen", "rows",
        "until",
    ),
    "Segments that drift": ("segment", "feature", "verdict", "effect", "rows", "until"),
    "Alerts": ("until", "feature", "kind", "segment", "to_state", "to_severity", "message"),
    "Current against reference": ("bin", "reference", "current"),
    "What carries the drift": ("bin", "role", "reference", "current", "js", "p"),
    "How far it is in each segment": ("time", "segment", "effect"),
    "Results": (
        "until", "verdict", "effect", "value", "rows", "change", "next_step", "says",
        "compared_with", "excluded",
    ),
    "$segment": ("shown",),
}  # fmt: skip
NOTE = ("time", "timeEnd", "text", "tags", "title")


@dataclass(frozen=True)
class Told:
    """A store in which everything happened."""

    kind: StoreKind
    engine: sa.Engine

    def ask(self, text: str, **chosen: str) -> Rows:
        """The rows of a statement, as the plugin would send it."""
        with self.engine.connect() as connection:
            plain = connection.execution_options(no_parameters=True)
            found = plain.exec_driver_sql(shown.filled(text, USUAL | chosen))
            return [dict(row) for row in found.mappings()]

    def panel(self, title: str, **chosen: str) -> Rows:
        """The rows of the one statement of this name."""
        (found,) = {one.text for one in shown.statements(self.kind) if one.title == title}
        return self.ask(found, **chosen)


@pytest.fixture(scope="module", params=list(StoreKind), ids=lambda kind: kind.name.lower())
def told(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Told]:
    if request.param is StoreKind.SQLITE:
        yield from _told(request.param, tmp_path_factory.mktemp("told"), None)
    else:
        server: PostgresServer = request.getfixturevalue("postgres")
        with server.database() as url:
            yield from _told(request.param, tmp_path_factory.mktemp("told"), url)


def _told(kind: StoreKind, folder: Path, url: str | None) -> Iterator[Told]:
    store = url or f"sqlite:///{folder / 'store.db'}"
    with opened(f"sqlite:///{folder / 'log.db'}", store) as world:
        story.tell(world)
    engine = sa.create_engine(store, poolclass=sa.NullPool)
    yield Told(kind, engine)


def test_every_statement_answers_with_the_columns_that_its_panel_knows(told: Told) -> None:
    asked = list(shown.statements(told.kind))
    assert {one.title for one in asked if one.ref != "annotation"} == set(COLUMNS)
    for one in asked:
        rows = told.ask(one.text, feature="b" if one.ref == "annotation" else "a")
        assert rows, f"{one}: no rows"
        expected = NOTE if one.ref == "annotation" else COLUMNS[one.title]
        assert tuple(rows[0]) == expected, str(one)
        assert _columns_named(one) <= set(expected), str(one)
        # SQLite's plugin takes the type of a column from its first value.
        for column in expected:
            kinds = {type(row[column]) for row in rows} - {type(None)}
            assert len(kinds) == 1, f"{one}: {column} has {kinds}"


def _columns_named(one: Asked) -> set[str]:
    """Columns that the panel's own settings name, by the names of the statement."""
    renamed: dict[str, str] = {}
    named: set[str] = set()
    for change in one.panel.get("transformations", []):
        options = change["options"]
        renamed |= {new: old for old, new in options.get("renameByName", {}).items()}
        named |= {*options.get("fields", []), *options.get("excludeByName", {})}
        named |= set(options.get("renameByName", {}))
    for override in one.panel.get("fieldConfig", {}).get("overrides", []):
        name = override["matcher"]["options"]
        named.add(renamed.get(name, name))
    return named


def test_what_the_worst_features_are_stands_first(told: Told) -> None:
    rows = told.panel("How far each feature is")
    order = list(dict.fromkeys(row["feature"] for row in rows))
    newest = {row["feature"]: row["effect"] for row in rows}
    assert order == sorted(newest, key=lambda one: -newest[one])
    assert order[-1] == "b"
    for feature in order:
        times = [row["time"] for row in rows if row["feature"] == feature]
        assert times == sorted(times)
        assert len(times) == story.END - 6
    assert "@volume" in {row["feature"] for row in told.panel("Verdict of each feature")}


def test_a_row_of_a_heat_map_has_few_cells_and_the_worst_of_each_part(told: Told) -> None:
    """Shown over three years, all days of the story lie in at most four parts of it."""
    whole = {"__from": str(round(day(-1000).timestamp() * 1000))}
    rows = told.panel("How far each feature is", **whole)
    shown_then = [row["effect"] for row in rows if row["feature"] == "a"]
    by_day = [row for row in told.panel("How far each feature is") if row["feature"] == "a"]
    assert len(shown_then) <= 4 < len(by_day)
    assert max(shown_then) == max(row["effect"] for row in by_day)
    segments = told.panel("How far it is in each segment", **whole)
    assert len([row for row in segments if row["segment"] == ALL_ROWS]) == len(shown_then)


def test_sqlite_finds_results_by_their_key_and_joins_no_copies(tmp_path: Path) -> None:
    """Without statistics, as a store usually is: a fortnight is found, and not all history read.
    PostgreSQL chooses by the size of the table."""
    (told,) = _told(StoreKind.SQLITE, tmp_path, None)
    titles = ("How far each feature is", "Verdict of each feature", "How far it is in each segment")
    key = "(monitor=? AND feature=? AND window_seconds=? AND window_end>? AND window_end<?)"
    for one in shown.statements(told.kind):
        if one.title in (*titles, "Results"):
            plan = [str(row["detail"]) for row in told.ask(f"EXPLAIN QUERY PLAN {one.text}")]
            assert any("SEARCH r " in step and key in step for step in plan), plan
            assert not any("MATERIALIZE" in step or "AUTOMATIC" in step for step in plan), plan


def test_levels_are_those_of_the_verdicts(told: Told) -> None:
    found = {row["feature"]: row["verdict"] for row in told.panel("Verdict of each feature")}
    assert (found["a"], found["b"]) == (2, 0)


def test_the_chosen_window_and_segment_are_the_ones_that_are_shown(told: Told) -> None:
    days = told.panel("Results")
    quarters = told.panel("Results", window="6h")
    assert len(quarters) == 4 * len(days)
    germany = told.panel("Results", segment="country=DE")
    assert {row["rows"] for row in germany} < set(range(days[0]["rows"]))
    assert told.panel("Results", segment="country=ES") == []
    assert told.panel("Results", window="2h") == []


def test_the_shown_time_has_both_its_ends(told: Told) -> None:
    until = str(round(day(9).timestamp() * 1000))
    assert len(told.panel("Results", __from=until, __to=until)) == 1
    later = str(round((day(9) + timedelta(seconds=1)).timestamp() * 1000))
    assert len(told.panel("Results", __from=later, __to=later)) == 0


def test_the_shares_of_bins_are_whole_and_those_that_carry_come_first(told: Told) -> None:
    bins = told.panel("Current against reference")
    for side in ("reference", "current"):
        assert sum(row[side] for row in bins) == pytest.approx(1)
    assert [row["bin"] for row in bins][-1] == "missing"
    roles = [row["role"] for row in told.panel("What carries the drift")]
    assert roles == sorted(roles, reverse=True)
    assert 0 < roles.count("carries the change") < len(roles)


def test_an_older_picture_is_that_of_the_end_of_the_shown_time(told: Told) -> None:
    newest = told.panel("Current against reference")
    ninth = told.panel("Current against reference", __to=str(round(day(9).timestamp() * 1000)))
    assert ninth
    assert ninth != newest


def test_segments_are_offered_and_all_rows_first(told: Told) -> None:
    offered = [row["shown"] for row in told.panel("$segment")]
    assert offered[0] == ALL_ROWS
    assert {"country=DE", "country=FR", "version=v2"} <= set(offered)


def test_notes_are_of_their_kinds_and_of_their_feature(told: Told) -> None:
    def kinds(title: str, uid: str, **chosen: str) -> set[tuple[str, str]]:
        (one,) = (
            one for one in shown.statements(told.kind) if (one.title, one.dashboard) == (title, uid)
        )
        return {(row["tags"], row["title"]) for row in told.ask(one.text, **chosen)}

    of_monitor, of_feature = "driftwatch-monitor", "driftwatch-feature"
    assert ("new_version", "") in kinds("Releases", of_monitor)
    assert kinds("Exclusions", of_monitor) == {("excluded", "b")}
    assert kinds("Accepted changes", of_monitor) >= {("accepted", "b")}
    assert kinds("Counted again", of_monitor) == {("revised", "")}
    assert kinds("Exclusions", of_feature) == set()
    assert kinds("Exclusions", of_feature, feature="b") == {("excluded", "b")}


def test_hostile_names_are_text(told: Told) -> None:
    for one in shown.statements(told.kind):
        for name in ("monitor", "feature", "segment", "window"):
            told.ask(one.text, **{name: "'; drop table result; --"})
    assert told.panel("Results")


@pytest.mark.parametrize("seconds", [1, 59, 60, 300, 3_600, 5_400, 86_400, 90_061, 604_800])
def test_lengths_of_windows_are_told_as_metrics_tell_them(told: Told, seconds: int) -> None:
    (row,) = told.ask(f"SELECT {window_text('n')} AS text FROM (SELECT {seconds} AS n) one")
    assert row["text"] == format_duration(seconds)
