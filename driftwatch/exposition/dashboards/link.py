"""Ways from one view to the next, with what was chosen."""

from grafana_foundation_sdk.builders.dashboard import DashboardLink
from grafana_foundation_sdk.models.dashboard import DashboardLinkType

TAG = "driftwatch"
FLEET, MONITOR, FEATURE, HEALTH = (
    f"driftwatch-{name}" for name in ("fleet", "monitor", "feature", "health")
)
"""The uids: fixed, so that links and bookmarks outlive an update."""

_SOURCES = "${datasource:queryparam}"


def of_row(column: str) -> str:
    """The value of a column in the row that was clicked."""
    return f"${{__data.fields.{column}}}"


def of_series(label: str) -> str:
    """The label of the series that was clicked."""
    return f"${{__field.labels.{label}}}"


def chosen(variable: str) -> str:
    """What a variable says."""
    return f"${{{variable}}}"


def to_monitor(monitor: str) -> DashboardLink:
    """To the view of one monitor, in the same time."""
    return _link("Monitor", MONITOR, monitor=monitor)


def to_feature(monitor: str, feature: str, window: str | None = None) -> DashboardLink:
    """To the view of one feature, in the same time."""
    return _link("Feature", FEATURE, monitor=monitor, feature=feature, window=window)


def to_the_others() -> DashboardLink:
    """Links to every view, above the panels; what was chosen goes along."""
    return (
        DashboardLink("driftwatch")
        .type(DashboardLinkType.DASHBOARDS)
        .tags([TAG])
        .include_vars(True)
        .keep_time(True)
    )


def _link(title: str, uid: str, **variables: str | None) -> DashboardLink:
    asked = "&".join(f"var-{name}={value}" for name, value in variables.items() if value)
    return DashboardLink(title).url(f"/d/{uid}?{_SOURCES}&{asked}&${{__url_time_range}}")
