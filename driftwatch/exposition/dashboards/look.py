"""How verdicts, effects and shares look, the same in every view."""

from grafana_foundation_sdk.builders import common as common_builders
from grafana_foundation_sdk.builders import dashboard as builders
from grafana_foundation_sdk.models import common, dashboard

NOT_JUDGED, OK, WARNING, CRITICAL = -1, 0, 1, 2
"""Verdicts as numbers; those of judged ones are those of driftwatch_verdict_level."""

GREY, GREEN, ORANGE, RED, BLUE = "#8e8e8e", "green", "orange", "red", "blue"

_VERDICTS = {
    NOT_JUDGED: ("not judged", GREY),
    OK: ("ok", GREEN),
    WARNING: ("warning", ORANGE),
    CRITICAL: ("critical", RED),
}

FAR_EFFECT = 0.5
"""Standard deviations at which the colours of a heat map end."""


def values(*shown: tuple[str, str, str]) -> dashboard.ValueMap:
    """Words and colours for (value, text, colour)."""
    return dashboard.ValueMap(
        {
            value: dashboard.ValueMappingResult(text=text, color=color, index=index)
            for index, (value, text, color) in enumerate(shown)
        }
    )


def verdict_numbers() -> dashboard.ValueMap:
    """Of numbers: -1 grey, 0 green, 1 orange, 2 red."""
    return values(*((str(number), *shown) for number, shown in _VERDICTS.items()))


def verdict_words() -> dashboard.ValueMap:
    """Of the words that the store keeps."""
    return values(
        ("critical", "critical", RED),
        ("warning", "warning", ORANGE),
        ("ok", "ok", GREEN),
        *((word, word.replace("_", " "), GREY) for word in ("no_data", "learning", "error")),
    )


def alert_numbers() -> dashboard.ValueMap:
    """Of driftwatch_alert_level."""
    return values(("0", "quiet", GREEN), ("1", "warning", ORANGE), ("2", "critical", RED))


def up_down(up: str = "up", down: str = "down") -> dashboard.ValueMap:
    """Of gauges that are 1 where all is well."""
    return values(("0", down, RED), ("1", up, GREEN))


def not_judged_grey() -> dashboard.ValueMap:
    """Of effects: what was not judged has the number of no effect."""
    return values((str(NOT_JUDGED), "not judged", GREY))


def steps(*limits: tuple[float | None, str]) -> builders.ThresholdsConfig:
    """Colours from limits on; the first limit is None."""
    return builders.ThresholdsConfig().steps(
        [dashboard.Threshold(value=value, color=color) for value, color in limits]
    )


def bad_from(limit: float, color: str = RED) -> builders.ThresholdsConfig:
    """Green below, this colour from the limit on."""
    return steps((None, GREEN), (limit, color))


def color(mode: dashboard.FieldColorModeId, fixed: str | None = None) -> builders.FieldColor:
    made = builders.FieldColor().mode(mode)
    return made if fixed is None else made.fixed_color(fixed)


def by_threshold() -> builders.FieldColor:
    return color(dashboard.FieldColorModeId.THRESHOLDS)


def prop(name: str, value: object) -> dashboard.DynamicConfigValue:
    """One property of an override."""
    return dashboard.DynamicConfigValue(id_val=name, value=value)


def fixed(name: str) -> dashboard.DynamicConfigValue:
    """The property that paints a series."""
    return prop("color", {"mode": "fixed", "fixedColor": name})


def linked(to: builders.DashboardLink) -> dashboard.DynamicConfigValue:
    """The property that makes a value a link."""
    made = to.build()
    return prop("links", [{"title": made.title, "url": made.url}])


def in_colour(
    mapping: dashboard.ValueMap | None = None,
    *,
    thresholds: tuple[tuple[float | None, str], ...] = (),
) -> list[dashboard.DynamicConfigValue]:
    """The properties that paint the cells of a column, by mapping or from limits on."""
    cell = common.TableColoredBackgroundCellOptions(
        mode=common.TableCellBackgroundDisplayMode.BASIC
    )
    found = [prop("custom.cellOptions", cell)]
    if mapping is not None:
        found.append(prop("mappings", [mapping]))
    if thresholds:
        found.append(prop("thresholds", steps(*thresholds).build()))
    return found


def legend(*calcs: str) -> common_builders.VizLegendOptions:
    """A legend below; with calculations a table."""
    mode = common.LegendDisplayMode.TABLE if calcs else common.LegendDisplayMode.LIST
    return (
        common_builders.VizLegendOptions()
        .display_mode(mode)
        .placement(common.LegendPlacement.BOTTOM)
        .show_legend(True)
        .calcs(list(calcs))
    )


def no_legend() -> common_builders.VizLegendOptions:
    """Where names stand beside the rows already."""
    return legend().show_legend(False)


def all_at_once() -> common_builders.VizTooltipOptions:
    """A tooltip of every series at that moment, largest first."""
    return (
        common_builders.VizTooltipOptions()
        .mode(common.TooltipDisplayMode.MULTI)
        .sort(common.SortOrder.DESCENDING)
    )
