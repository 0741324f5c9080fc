"""What panels ask the store, in the words of its database.

Only times differ between SQLite and PostgreSQL, so the statements are the same but for them. No
macro of a plugin is used: `${__from}` and `${__to}` are milliseconds since 1970 in either, and
`${name:sqlstring}` is a quoted text.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.cog.variants import Dataquery
from grafana_foundation_sdk.models.common import DataSourceRef

from driftwatch.verdict.policy import Verdict

ALL_ROWS = "all rows"
"""What the variable `segment` says where the tables say ''."""

PARTS = 400
"""Cells of a row of a heat map, at most."""

MONITOR, FEATURE = "${monitor:sqlstring}", "${feature:sqlstring}"
SEGMENT = f"CASE ${{segment:sqlstring}} WHEN '{ALL_ROWS}' THEN '' ELSE ${{segment:sqlstring}} END"
_WINDOW = "${window:sqlstring}"

_UNITS = (("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1))
"""As in `driftwatch.window.format_duration`."""

JUDGED = ", ".join(f"'{one}'" for one in Verdict if one.judged)


_LINES = re.compile(r" (?=(?:SELECT|FROM|JOIN|WHERE|AND|WINDOW|GROUP BY|ORDER BY|LIMIT)\b)")
"""Where a statement goes on in a new line, for who opens it in Grafana's editor."""


class StoreKind(StrEnum):
    """The databases that a store can be in, each with the Grafana plugin that reads it."""

    SQLITE = "frser-sqlite-datasource"
    POSTGRESQL = "grafana-postgresql-datasource"


class SqlQuery(Dataquery, Builder[Dataquery]):
    """One statement as a target: rows of a table; `times` are its columns that are moments."""

    def __init__(self, kind: StoreKind, statement: str, times: Sequence[str], ref: str) -> None:
        self._kind, self._statement, self._times, self._ref = kind, statement, list(times), ref

    def build(self) -> Dataquery:
        return self

    def to_json(self) -> dict[str, object]:
        target: dict[str, object] = {"refId": self._ref, "datasource": datasource(self._kind)}
        if self._kind is StoreKind.SQLITE:
            return target | {
                "queryText": self._statement,
                "rawQueryText": self._statement,
                "queryType": "table",
                "timeColumns": self._times,
            }
        return target | {
            "rawSql": self._statement,
            "rawQuery": True,
            "editorMode": "code",
            "format": "table",
        }


@dataclass(frozen=True, slots=True)
class Store:
    """How statements are written for one kind of store."""

    kind: StoreKind

    def query(self, statement: str, *times: str, ref: str = "A") -> SqlQuery:
        """A target of a statement whose columns `times` are moments."""
        return SqlQuery(self.kind, _LINES.sub("\n", statement), times, ref)

    def moment(self, column: str) -> str:
        """A column of moments as the plugin takes one: whole seconds where there is no type."""
        return self._seconds(column) if self.kind is StoreKind.SQLITE else column

    @property
    def start(self) -> str:
        """Where the shown time begins."""
        return self._bound("${__from}")

    @property
    def end(self) -> str:
        """Where it ends."""
        return self._bound("${__to}")

    def shown(self, column: str) -> str:
        """Whether a moment lies in the shown time, its end included."""
        return f"{column} >= {self.start} AND {column} <= {self.end}"

    def slot(self, column: str) -> str:
        """The number of a part of the shown time, of which a heat map has room for so many.

        A status history draws nothing where a row has more cells than half its pixels. Windows
        that are longer than a part have one of their own.
        """
        part = f"((${{__to}} - ${{__from}}) / {PARTS} + 1)"
        return f"(({self._seconds(column)} * 1000 - ${{__from}}) / {part})"

    def _seconds(self, column: str) -> str:
        if self.kind is StoreKind.SQLITE:
            return f"CAST(strftime('%s', {column}) AS INTEGER)"
        return f"CAST(EXTRACT(EPOCH FROM {column}) AS BIGINT)"

    def _bound(self, milliseconds: str) -> str:
        if self.kind is StoreKind.SQLITE:
            # In microseconds, as the store writes them: texts of other widths do not compare.
            return f"strftime('%Y-%m-%dT%H:%M:%f000Z', {milliseconds} / 1000.0, 'unixepoch')"
        return f"to_timestamp({milliseconds} / 1000.0)"


def datasource(kind: StoreKind) -> DataSourceRef:
    """The data source that the variable `sql` names."""
    return DataSourceRef(type_val=kind.value, uid="${sql}")


def window_text(seconds: str) -> str:
    """A length in seconds as `window` has it in metrics, such as 1h30m."""
    parts = []
    left = seconds
    # Every side of || in parentheses: SQLite binds it more tightly than a division.
    for unit, size in _UNITS:
        parts.append(f"CASE WHEN {left} >= {size} THEN (({left}) / {size}) || '{unit}' ELSE '' END")
        left = f"{seconds} % {size}"
    return " || ".join(parts)


def in_window(alias: str) -> str:
    """Whether a row is about windows of the chosen length.

    The lengths are looked up among the newest results, which are few, so that the big table is
    found by its key.
    """
    return (
        f"{alias}.window_seconds IN (SELECT l.window_seconds FROM latest_result l"
        f" WHERE l.monitor = {MONITOR} AND {window_text('l.window_seconds')} = {_WINDOW})"
    )


def level(alias: str) -> str:
    """A verdict as a number: -1 where nothing was judged."""
    return (
        f"CASE {alias}.verdict WHEN 'critical' THEN 2 WHEN 'warning' THEN 1"
        " WHEN 'ok' THEN 0 ELSE -1 END"
    )


def effect(alias: str) -> str:
    """The effect; -1 where nothing was judged. As a double everywhere: SQLite's plugin takes the
    type of a column from its first value."""
    return f"CASE WHEN {alias}.verdict IN ({JUDGED}) THEN {alias}.effect ELSE -1.0 END"
