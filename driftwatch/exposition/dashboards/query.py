"""What panels ask Prometheus."""

from grafana_foundation_sdk.builders.prometheus import Dataquery
from grafana_foundation_sdk.models.common import DataSourceRef
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

PROMETHEUS = "prometheus"
DATASOURCE = DataSourceRef(type_val=PROMETHEUS, uid="${datasource}")

_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def over_time(expression: str, legend: str, ref: str = "A") -> Dataquery:
    """A curve per series, named by `legend`."""
    return _query(expression, ref).range().legend_format(legend)


def at_end(expression: str, legend: str = "__auto", ref: str = "A") -> Dataquery:
    """The value at the end of the shown time."""
    return _query(expression, ref).instant().legend_format(legend)


def as_rows(expression: str, ref: str = "A") -> Dataquery:
    """The same as rows of a table, a column per label."""
    return _query(expression, ref).instant().format(PromQueryFormat.TABLE)


def ref(number: int) -> str:
    """The name of the query of this number."""
    return _LETTERS[number]


def _query(expression: str, name: str) -> Dataquery:
    return Dataquery().datasource(DATASOURCE).expr(expression).ref_id(name)
