"""PromQL that several rules share: one alert of two replicas, the labels of the configuration, and
a memory that a dead daemon does not wipe."""

import textwrap
from dataclasses import dataclass

from driftwatch.config.settings import Settings
from driftwatch.exposition.rules.document import Record

NEWEST_INFO = "monitor:driftwatch_monitor_info:newest"
HELD_LEVEL = "alert:driftwatch_alert_level:held"
HELD_SEGMENT_LEVEL = "segment:driftwatch_segment_alert_level:held"


def merged(metric: str, how: str = "max") -> str:
    """One series of those of several replicas.

    >>> merged("driftwatch_ready_hold")
    'max without (instance, pod) (driftwatch_ready_hold)'
    """
    return f"{how} without (instance, pod) ({metric})"


@dataclass(frozen=True, slots=True)
class Joined:
    """The labels that an alert about a monitor gets: its source, and those of the configuration.

    names: of the user's labels, sorted.
    """

    names: tuple[str, ...]

    @property
    def labels(self) -> tuple[str, ...]:
        return ("source", *self.names)

    def to(self, expr: str) -> str:
        """`expr` with the labels of its monitor; without them where no info is there: an alert is
        never lost for want of a label."""
        part = f"(\n{textwrap.indent(expr, '  ')}\n)"
        return (
            f"{part}\n* on (job, monitor) group_left ({', '.join(self.labels)}) {NEWEST_INFO}\n"
            f"or\n{part}\nunless on (job, monitor) {NEWEST_INFO}"
        )


def joined(settings: Settings) -> Joined:
    """The labels that any of the monitors has."""
    return Joined(tuple(sorted({name for one in settings.monitors for name in one.labels})))


_EVERY_TARGET_UP = "min by (job) (up) == 1"
"""Jobs all of whose targets answer: what they do not show is gone, and not merely out of sight."""


def newest_info(join: Joined) -> Record:
    """Exactly one series per monitor, whatever the replicas say meanwhile: a match with two would
    be an error, and an error silences the rule."""
    labels = ", ".join(("job", "monitor", *join.labels))
    return Record(
        NEWEST_INFO,
        f"""\
group by ({labels}) (
  topk by (job, monitor) (1, max by ({labels}) (
    driftwatch_monitor_info * on (job, instance) group_left ()
    max by (job, instance) (driftwatch_config_last_reload_success_timestamp_seconds)
  ))
)
or on (job, monitor)
group by ({labels}) (topk by (job, monitor) (1, driftwatch_monitor_info))
or on (job, monitor)
({NEWEST_INFO} unless on (job) {_EVERY_TARGET_UP})""",
        why=(
            "One series per monitor. While a label is changed, one replica after the other, the "
            "one that read its configuration last is right."
        ),
    )


def held(name: str, metric: str, join: Joined, why: str) -> Record:
    """What fires, for as long as nobody who knows says otherwise."""
    return Record(
        name,
        f"""\
{join.to(f"{merged(metric)} > 0")}
or
{name}
unless on (job, monitor) driftwatch_monitor_info
unless on (job) {_EVERY_TARGET_UP}""",
        why,
    )


def records(join: Joined) -> tuple[Record, ...]:
    """What the alerts of the same group read; in this order."""
    return (
        newest_info(join),
        held(
            HELD_LEVEL,
            "driftwatch_alert_level",
            join,
            "What fires, with the labels of its monitor. It remembers itself: where nobody shows "
            "the monitor and a target of the job does not answer (or none is left), it is as it "
            "was, for hours or days. With every target up, what is not shown has ended or was "
            "removed.",
        ),
        held(
            HELD_SEGMENT_LEVEL,
            "driftwatch_segment_alert_level",
            join,
            "The same of segments and versions that page.",
        ),
    )
