"""The kinds of panel that the views are made of. Each has a title, a description and a unit."""

from collections.abc import Iterable
from typing import Protocol, Self, TypeVar

from grafana_foundation_sdk.builders import (
    barchart,
    bargauge,
    stat,
    statetimeline,
    statushistory,
    table,
    timeseries,
)
from grafana_foundation_sdk.builders import common as builders
from grafana_foundation_sdk.builders.dashboard import Dashboard
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.cog.variants import Dataquery
from grafana_foundation_sdk.models import common
from grafana_foundation_sdk.models.common import DataSourceRef
from grafana_foundation_sdk.models.dashboard import (
    DashboardCursorSync,
    DataTransformerConfig,
    FieldColorModeId,
    Panel,
    VariableModel,
)

from driftwatch.exposition.dashboards import link, look
from driftwatch.exposition.dashboards.query import DATASOURCE

COUNT, RATIO, SECONDS, NUMBER = "short", "percentunit", "s", "none"
"""Units: what is counted; 0..1 as percent; seconds; plain numbers, such as nats."""

ROWS_PER_PAGE = 40
"""Of timelines and heat maps."""


class _Panel(Protocol):
    def title(self, title: str) -> Self: ...
    def description(self, description: str) -> Self: ...
    def unit(self, unit: str) -> Self: ...
    def height(self, h: int) -> Self: ...
    def span(self, w: int) -> Self: ...
    def datasource(self, datasource: DataSourceRef) -> Self: ...
    def targets(self, targets: list[Builder[Dataquery]]) -> Self: ...
    def build(self) -> Panel: ...


P = TypeVar("P", bound=_Panel)


class _Built(Builder[Panel]):
    """A panel that is made already, as a builder."""

    def __init__(self, made: Panel) -> None:
        self._made = made

    def build(self) -> Panel:
        return self._made


def said(panel: P, title: str, description: str, unit: str) -> P:
    """With what every panel has."""
    return panel.title(title).description(description).unit(unit)


def asking(panel: P, *targets: Builder[Dataquery], of: DataSourceRef = DATASOURCE) -> P:
    """With its queries, all of one data source."""
    return panel.datasource(of).targets(list(targets))


def placed(panel: P, *, wide: int, high: int) -> P:
    """With its size: a row is 24 wide."""
    return panel.span(wide).height(high)


def laid(made: Dashboard, panels: Iterable[_Panel], *, wide: int, high: int) -> Dashboard:
    """The dashboard with more panels of one size, side by side while there is room."""
    for one in panels:
        made.with_panel(_Built(placed(one, wide=wide, high=high).build()))
    return made


def choosing(made: Dashboard, *variables: Builder[VariableModel]) -> Dashboard:
    """The dashboard with variables above its panels, in this order."""
    for one in variables:
        made.with_variable(one)
    return made


def number(title: str, description: str, unit: str = COUNT) -> stat.Panel:
    """One number, its background coloured."""
    return (
        said(stat.Panel(), title, description, unit)
        .color_scheme(look.by_threshold())
        .thresholds(look.steps((None, look.GREEN)))
        .color_mode(common.BigValueColorMode.BACKGROUND_SOLID)
        .graph_mode(common.BigValueGraphMode.NONE)
        .reduce_options(builders.ReduceDataOptions().calcs(["lastNotNull"]))
    )


def curves(title: str, description: str, unit: str) -> timeseries.Panel:
    """Lines over time; a table of names and last values below."""
    return (
        said(timeseries.Panel(), title, description, unit)
        .legend(look.legend("lastNotNull", "max"))
        .tooltip(look.all_at_once())
        .fill_opacity(0)
        .line_width(1)
        .show_points(common.VisibilityMode.AUTO)
        .color_scheme(look.color(FieldColorModeId.PALETTE_CLASSIC_BY_NAME))
    )


def amounts(title: str, description: str, unit: str) -> timeseries.Panel:
    """Bars over time that stand on each other."""
    return (
        curves(title, description, unit)
        .draw_style(common.GraphDrawStyle.BARS)
        .fill_opacity(80)
        .line_width(0)
        .stacking(builders.StackingConfig().mode(common.StackingMode.NORMAL).group("A"))
        .min(0)
    )


def timeline(title: str, description: str) -> statetimeline.Panel:
    """A row per series, coloured by verdict; neighbours of one colour are one block."""
    return (
        said(statetimeline.Panel(), title, description, NUMBER)
        .mappings([look.verdict_numbers()])
        .color_scheme(look.by_threshold())
        .thresholds(look.steps((None, look.GREY)))
        .merge_values(True)
        .show_value(common.VisibilityMode.NEVER)
        .row_height(0.85)
        .fill_opacity(85)
        .line_width(0)
        .per_page(ROWS_PER_PAGE)
        .legend(look.no_legend())
        .tooltip(builders.VizTooltipOptions().mode(common.TooltipDisplayMode.SINGLE))
    )


def heat_map(title: str, description: str, unit: str) -> statushistory.Panel:
    """A row per series and a cell per window, darker the larger its value is."""
    return (
        said(statushistory.Panel(), title, description, unit)
        .color_scheme(look.color(FieldColorModeId.CONTINUOUS_YL_RD))
        .min(0)
        .max(look.FAR_EFFECT)
        .decimals(2)
        .mappings([look.not_judged_grey()])
        .show_value(common.VisibilityMode.NEVER)
        .row_height(0.95)
        .col_width(0.95)
        .fill_opacity(85)
        .line_width(0)
        .per_page(ROWS_PER_PAGE)
        .legend(look.no_legend())
        .tooltip(builders.VizTooltipOptions().mode(common.TooltipDisplayMode.SINGLE))
    )


def rows_of(title: str, description: str, unit: str = COUNT) -> table.Panel:
    """A table."""
    return (
        said(table.Panel(), title, description, unit)
        .cell_height(common.TableCellHeight.SM)
        .show_header(True)
        .filterable(True)
    )


def bars(title: str, description: str, unit: str, *, named_by: str) -> barchart.Panel:
    """Groups of bars, one group per row."""
    return (
        said(barchart.Panel(), title, description, unit)
        .x_field(named_by)
        .orientation(common.VizOrientation.VERTICAL)
        .show_value(common.VisibilityMode.NEVER)
        .x_tick_label_rotation(-45)
        .x_tick_label_max_length(20)
        .group_width(0.8)
        .bar_width(0.95)
        .fill_opacity(80)
        .line_width(0)
        .legend(look.legend())
        .tooltip(look.all_at_once())
    )


def shares(title: str, description: str) -> bargauge.Panel:
    """A bar per series, from 0 to all."""
    return (
        said(bargauge.Panel(), title, description, RATIO)
        .orientation(common.VizOrientation.HORIZONTAL)
        .display_mode(common.BarGaugeDisplayMode.BASIC)
        .color_scheme(look.color(FieldColorModeId.CONTINUOUS_YL_RD))
        .min(0)
        .max(1)
        .reduce_options(builders.ReduceDataOptions().calcs(["lastNotNull"]))
    )


def series_per(column: str) -> DataTransformerConfig:
    """Rows of a table as one series per value of a column, in the order of the rows."""
    options = {"fields": [column], "keepFields": False, "naming": {"asLabels": True}}
    return DataTransformerConfig(id_val="partitionByValues", options=options)


def without(*columns: str, renamed: dict[str, str] | None = None) -> DataTransformerConfig:
    """Columns left out, and others under names that people read."""
    options = {"excludeByName": dict.fromkeys(columns, True), "renameByName": renamed or {}}
    return DataTransformerConfig(id_val="organize", options=options)


def joined() -> DataTransformerConfig:
    """The tables of several queries as one, by the labels that they share."""
    return DataTransformerConfig(id_val="merge", options={})


def view(uid: str, title: str, description: str, *, since: str, refresh: str) -> Dashboard:
    """An empty dashboard with what all of them share."""
    return (
        Dashboard(f"driftwatch / {title}")
        .uid(uid)
        .description(description)
        .tags([link.TAG])
        .readonly()
        .time(since, "now")
        .timezone("utc")
        .refresh(refresh)
        .tooltip(DashboardCursorSync.CROSSHAIR)
        .link(link.to_the_others())
    )
