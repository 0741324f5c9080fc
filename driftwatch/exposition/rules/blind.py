"""Alerts about what a monitor cannot see, and about its log, its versions and its references."""

from collections.abc import Iterator
from datetime import timedelta

from driftwatch.alert.policy import Severity
from driftwatch.config.settings import LinkSettings
from driftwatch.exposition.rules import annotation as text
from driftwatch.exposition.rules.annotation import name
from driftwatch.exposition.rules.document import INFO, Alert, Group
from driftwatch.exposition.rules.expression import Joined, merged
from driftwatch.verdict.policy import Reason

INCURABLE = (
    Reason.ALL_MISSING, Reason.TOO_MANY_LEVELS, Reason.NO_REFERENCE, Reason.NO_ORDERED_VALUES,
)  # fmt: skip
"""Why a feature is not judged that does not go away by itself."""

PASSING = (Reason.NOT_SCANNED, Reason.TOO_FEW_ROWS)
"""Why a feature is not judged that may go away by itself."""

CONFIGURED = (Reason.FEW_REFERENCE_WINDOWS,)
"""Why a volume is not judged for as long as its reference is so short: known, and no incident."""

_NINE_OF_TEN = (
    "Nine of ten hours of three days (66 of 72): a new monitor learns, and quiet nights have too "
    "few rows. No `for:`, which a restart of the daemon would begin again."
)
_WHERE = f"{name('monitor')}: {name('feature')} over {name('window')}"


def group(join: Joined, links: LinkSettings, old_reference: timedelta) -> Group:
    """The rules. old_reference: the age from which a reference is told to be old."""
    found = (
        *_not_judged(join, links),
        _not_counted(join, links),
        *_log(join, links),
        _new_version(join, links),
        _old_reference(join, links, old_reference),
    )
    return Group("driftwatch-blind", found)


def _links(links: LinkSettings, alert: str) -> dict[str, str]:
    return {
        **text.dashboard(links, "driftwatch-monitor", "monitor"),
        **text.runbook(links, alert),
    }


def _not_judged(join: Joined, links: LinkSettings) -> Iterator[Alert]:
    described = f"{_WHERE} is not judged: {name('reason')}."
    alert = "DriftwatchBlind"
    yield Alert(
        alert,
        join.to(merged(f'driftwatch_not_judged{{reason=~"{"|".join(INCURABLE)}"}}')),
        Severity.WARNING,
        "A feature cannot be judged and will not recover by itself.",
        {"description": described, **_links(links, alert)},
        lasting="1h",
    )
    alert = "DriftwatchNotJudged"
    for severity, reasons in ((Severity.WARNING.value, PASSING), (INFO, CONFIGURED)):
        metric = f'driftwatch_not_judged{{reason=~"{"|".join(reasons)}"}}'
        yield Alert(
            alert,
            join.to(
                f"{merged(metric)}\nand on (job, monitor, feature, window)\n"
                f"count_over_time(max without (instance, pod, reason) ({metric})[3d:1h]) > 65"
            ),
            severity,
            "A feature has not been judged for three days.",
            {"description": described, **_links(links, alert)},
            why=_NINE_OF_TEN if reasons is PASSING else "",
        )


def _not_counted(join: Joined, links: LinkSettings) -> Alert:
    alert = "DriftwatchFeaturesNotCounted"
    return Alert(
        alert,
        join.to(
            f"{merged('driftwatch_features_not_counted')} > 0\n"
            'unless on (job, monitor) driftwatch_alert_state{kind="column"} == 2'
        ),
        Severity.WARNING,
        "The scans of a monitor cannot count some of its features.",
        {
            "description": f"{name('monitor')}: the newest scan left out "
            "{{ $value | humanize }} of its features.",
            **_links(links, alert),
        },
        lasting="10m",
        why="Long before a window ends, and DriftwatchColumn can say so, the scans know.",
    )


def _log(join: Joined, links: LinkSettings) -> Iterator[Alert]:
    alert = "DriftwatchReadyHold"
    yield Alert(
        alert,
        join.to(
            f"{merged('driftwatch_ready_hold')} == 1\nunless "
            f"{merged('changes(driftwatch_watermark_timestamp_seconds[1d])')} > 0"
        ),
        Severity.WARNING,
        "The log of a monitor has not been complete for a day.",
        {
            "description": f"{name('monitor')}: the readiness query holds the watermark; nothing "
            "new is counted or judged.",
            **_links(links, alert),
        },
        lasting="1d",
        why="A batch that came between two scrapes moved the watermark, too.",
    )
    alert = "DriftwatchLogShrinks"
    yield Alert(
        alert,
        join.to(f"{merged('increase(driftwatch_shrunk_panes_total[1h])')} > 0"),
        INFO,
        "The log holds fewer rows than were counted; the counts are kept.",
        {
            "description": f"{name('monitor')}: {{{{ $value | humanize }}}} panes in the last "
            "hour.",
            **_links(links, alert),
        },
    )


def _new_version(join: Joined, links: LinkSettings) -> Alert:
    alert = "DriftwatchNewVersion"
    seen = merged("driftwatch_model_version_first_seen_timestamp_seconds")
    return Alert(
        alert,
        join.to(
            f"time() - {seen} < 86400\nand on (job, monitor)\ncount by (job, monitor) ({seen}) > 1"
        ),
        INFO,
        "A new version of a model has put out its first predictions.",
        {
            "description": f"{name('monitor')}: version {name('version')}, "
            "{{ $value | humanizeDuration }} ago.",
            **_links(links, alert),
        },
        why=(
            "The first version that a monitor ever saw is no news. first_seen is event time: a "
            "replay of the past tells nothing."
        ),
    )


def _old_reference(join: Joined, links: LinkSettings, old: timedelta) -> Alert:
    alert = "DriftwatchOldReference"
    created = "driftwatch_reference_created_timestamp_seconds"
    limit = f"{old.total_seconds():.0f}"
    filled = text.selector(created, ("job", "monitor"))
    features = text.several(
        f"topk(20, time() - min by (feature) ({filled}) > {limit})",
        ("job", "monitor"),
        '{{ $one | label "feature" }}',
    )
    return Alert(
        alert,
        join.to(f"time() - min without (instance, pod, feature) ({created}) > {limit}"),
        INFO,
        "A monitor compares with references that were captured long ago.",
        {
            "description": f"{name('monitor')}: the oldest reference is "
            "{{ $value | humanizeDuration }} old.",
            "features": features,
            **_links(links, alert),
        },
    )
