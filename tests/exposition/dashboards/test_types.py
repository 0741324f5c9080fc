"""The dashboards have the types of Grafana's own schema, their panels' options included."""

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from driftwatch.exposition.dashboards.sql import StoreKind
from tests.exposition.dashboards import shown
from tests.servers.typescript import complaints

Board = dict[str, Any]


def named(kind: StoreKind) -> dict[str, Board]:
    return {
        f"{uid.removeprefix('driftwatch-')}_{kind.name.lower()}": board
        for uid, board in shown.dashboards(kind).items()
    }


def test_every_dashboard_has_the_types_of_the_schema(tmp_path: Path) -> None:
    assert complaints(tmp_path, {**named(StoreKind.SQLITE), **named(StoreKind.POSTGRESQL)}) == []


def _timeline(board: Board) -> Board:
    (found,) = (one for one in board["panels"] if one["type"] == "state-timeline")
    return dict(found)


BROKEN: dict[str, Callable[[Board], Any]] = {
    "a key that there is not": lambda board: board.update(refreshed="5m"),
    "a value of another type": lambda board: board.update(editable="no"),
    "a word that is none of its list": lambda board: board["templating"]["list"][0].update(
        type="source"
    ),
    "a panel without its place": lambda board: board["panels"][1].update(gridPos={"x": 0}),
    "an option that the panel has not": lambda board: _timeline(board)["options"].update(
        height=0.9
    ),
    "an option's value that it does not take": lambda board: _timeline(board)["options"].update(
        showValue="sometimes"
    ),
    "a look that the panel has not": lambda board: _timeline(board)["fieldConfig"]["defaults"][
        "custom"
    ].update(fillOpacity="full"),
    "a color mode that there is not": lambda board: _timeline(board)["fieldConfig"]["defaults"][
        "color"
    ].update(mode="rainbow"),
}


def test_what_the_schema_does_not_have_is_found(tmp_path: Path) -> None:
    """Each mistake in a board of its own, so that one compilation finds them all."""
    boards = {}
    for number, breaking in enumerate(BROKEN.values()):
        boards[f"broken_{number}"] = copy.deepcopy(shown.dashboards()["driftwatch-fleet"])
        breaking(boards[f"broken_{number}"])
    found = complaints(tmp_path, boards)
    lines = (tmp_path / "boards.ts").read_text("utf-8").splitlines()
    complained = {lines[int(one.split("(")[1].split(",")[0]) - 1].split()[2] for one in found}
    missed = [
        what
        for number, what in enumerate(BROKEN)
        if not any(f"{one}_".startswith(f"broken_{number}_") for one in complained)
    ]
    assert missed == []


@pytest.mark.parametrize("kind", StoreKind, ids=lambda kind: str(kind.name.lower()))
def test_the_views_of_monitors_ask_the_store_that_is_configured(kind: StoreKind) -> None:
    for uid in ("driftwatch-monitor", "driftwatch-feature"):
        assert shown.variables(shown.dashboards(kind)[uid])["sql"]["query"] == kind.value
