"""What a reader chooses above the panels."""

from grafana_foundation_sdk.builders.dashboard import DatasourceVariable, QueryVariable
from grafana_foundation_sdk.models.dashboard import (
    VariableOption,
    VariableRefresh,
    VariableSort,
)

from driftwatch.exposition.dashboards.query import DATASOURCE, PROMETHEUS
from driftwatch.exposition.dashboards.sql import ALL_ROWS, MONITOR, StoreKind, datasource

ANY = ".+"


def prometheus() -> DatasourceVariable:
    """Which Prometheus."""
    return DatasourceVariable("datasource").label("Data source").type(PROMETHEUS)


def store(kind: StoreKind) -> DatasourceVariable:
    """Which store of driftwatch."""
    return DatasourceVariable("sql").label("Store").type(kind.value)


def one(name: str, label: str, query: str) -> QueryVariable:
    """One value of a label."""
    return (
        QueryVariable(name)
        .label(label)
        .datasource(DATASOURCE)
        .query(query)
        .refresh(VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(VariableSort.NATURAL_ASC)
    )


def several(name: str, label: str, query: str) -> QueryVariable:
    """Several values of a label, at first all."""
    return (
        one(name, label, query)
        .multi(True)
        .include_all(True)
        .all_value(ANY)
        .current(VariableOption(selected=True, text=["All"], value=["$__all"]))
    )


def monitor() -> QueryVariable:
    return one("monitor", "Monitor", "label_values(driftwatch_monitor_info, monitor)")


def window() -> QueryVariable:
    """A length of window of the monitor."""
    found = 'label_values(driftwatch_features_drifting{monitor="$monitor"}, window)'
    return one("window", "Window", found)


def feature() -> QueryVariable:
    found = 'label_values(driftwatch_window_rows{monitor="$monitor"}, feature)'
    return one("feature", "Feature", found)


def segment(kind: StoreKind) -> QueryVariable:
    """Which rows: only the store knows segments. All rows come first."""
    found = (
        f"SELECT CASE WHEN segment = '' THEN '{ALL_ROWS}' ELSE segment END AS shown"
        f" FROM latest_result WHERE monitor = {MONITOR} AND segment NOT LIKE '@%'"
        " GROUP BY segment ORDER BY segment"
    )
    return (
        QueryVariable("segment")
        .label("Segment")
        .datasource(datasource(kind))
        .query(found)
        .refresh(VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(VariableSort.DISABLED)
        .current(VariableOption(selected=True, text=ALL_ROWS, value=ALL_ROWS))
    )
