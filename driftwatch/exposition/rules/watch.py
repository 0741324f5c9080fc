"""Alerts about the watching itself: the daemon, its store, its sources and its schedule."""

from collections.abc import Iterator

from driftwatch.alert.policy import Severity
from driftwatch.config.settings import LinkSettings
from driftwatch.exposition.rules import annotation as text
from driftwatch.exposition.rules.annotation import name
from driftwatch.exposition.rules.document import Alert, Group, Record
from driftwatch.exposition.rules.expression import Joined, merged

_FAILURES = "monitor:driftwatch_evaluation_failures:increase1h"
_SUCCESSES = "monitor:driftwatch_evaluation_successes:increase1h"
_WEB_CONFIG = "driftwatch_web_config_last_reload_successful"


def group(job: str, join: Joined, links: LinkSettings) -> Group:
    """The rules. job: under which Prometheus scrapes the daemon."""
    found: tuple[Record | Alert, ...] = (
        *_records(),
        *_daemon(job, links),
        *_stores(links),
        *_evaluations(join, links),
        _notifications(links),
    )
    return Group("driftwatch-daemon", found)


def _links(links: LinkSettings, alert: str) -> dict[str, str]:
    return {**text.dashboard(links, "driftwatch-health"), **text.runbook(links, alert)}


def _records() -> Iterator[Record]:
    """Evaluations by how they ended, in the last hour."""
    for record, outcomes, why in (
        (
            _FAILURES,
            'outcome!~"success|no_data|conflict|cancelled"',
            "Failures are every outcome but those that did the work, lost a race to a replica, or "
            "stopped with the daemon.",
        ),
        (_SUCCESSES, 'outcome=~"success|no_data"', ""),
    ):
        counter = f"driftwatch_evaluations_total{{{outcomes}}}"
        yield Record(record, f"sum without (instance, pod, outcome) (increase({counter}[1h]))", why)


def _daemon(job: str, links: LinkSettings) -> Iterator[Alert]:
    alert = "DriftwatchDown"
    yield Alert(
        alert,
        f'absent(up{{job="{job}"}} == 1)',
        Severity.CRITICAL,
        "No driftwatch daemon answers.",
        {
            "description": "Nothing is watched for drift until a daemon runs again; it will catch "
            "up on what it missed. Drift that fired is kept as it was.",
            **_links(links, alert),
        },
        lasting="5m",
        labels={"job": job},
        why=(
            "A dead daemon exposes nothing. Only `up` is left to say so, and absent() of a "
            "comparison also covers a target that is gone from the service discovery."
        ),
    )
    alert = "DriftwatchInstanceDown"
    yield Alert(
        alert,
        f'up{{job="{job}"}} == 0',
        Severity.WARNING,
        "One driftwatch daemon does not answer.",
        {
            "description": f"{name('instance')} is not reached by Prometheus.",
            **_links(links, alert),
        },
        lasting="5m",
    )
    alert = "DriftwatchSchedulerStuck"
    yield Alert(
        alert,
        f"time() - {merged('driftwatch_scheduler_heartbeat_timestamp_seconds')} > 300",
        Severity.CRITICAL,
        "The daemon answers but its scheduler does not turn.",
        {
            "description": "The last heartbeat is {{ $value | humanizeDuration }} old.",
            **_links(links, alert),
        },
        lasting="2m",
    )
    alert = "DriftwatchConfigRejected"
    configs = ("driftwatch_config_last_reload_successful", _WEB_CONFIG)
    yield Alert(
        alert,
        "\nor\n".join(f"{merged(one, 'min')} == 0" for one in configs),
        Severity.WARNING,
        "The configuration was refused; the one before it is in use.",
        {
            "description": "The daemon's log names file, line and remedy; so does driftwatch "
            "check.",
            **_links(links, alert),
        },
        lasting="2m",
        why=(
            "Also that of TLS and users, which is read again when a file of it changes: a "
            "certificate that comes before its key is refused for a moment, hence `for:`."
        ),
    )


def _stores(links: LinkSettings) -> Iterator[Alert]:
    alert = "DriftwatchStoreDown"
    yield Alert(
        alert,
        f"{merged('driftwatch_store_up')} == 0",
        Severity.CRITICAL,
        "driftwatch's own store does not answer.",
        {
            "description": "Nothing is judged and nothing is kept until it answers; then the "
            "monitors catch up.",
            **_links(links, alert),
        },
        lasting="5m",
    )
    alert = "DriftwatchSourceDown"
    yield Alert(
        alert,
        f"{merged('driftwatch_source_up')} == 0",
        Severity.WARNING,
        "A source does not answer.",
        {
            "description": f"{name('source')}: the monitors that read it are blind until it "
            "answers; then they catch up.",
            **_links(links, alert),
        },
        lasting="5m",
    )


def _evaluations(join: Joined, links: LinkSettings) -> Iterator[Alert]:
    last = merged("driftwatch_evaluation_last_success_timestamp_seconds")
    added = merged("driftwatch_monitor_added_timestamp_seconds", "min")
    limit = f"3 * {merged('driftwatch_evaluation_interval_seconds')} + 300"
    alert = "DriftwatchStale"
    yield Alert(
        alert,
        join.to(
            f"time() - {last}\n> {limit}\nor\n(\ntime() - {added}\n> {limit}\nunless {last}\n)"
        ),
        Severity.WARNING,
        "A monitor has not been evaluated for three of its intervals.",
        {
            "description": f"{name('monitor')}: the last evaluation that succeeded is "
            "{{ $value | humanizeDuration }} ago.",
            **_links(links, alert),
        },
        why=(
            "The second half covers a monitor that never succeeded since it was added, and so has "
            "no last success."
        ),
    )
    alert = "DriftwatchEvaluationFailing"
    yield Alert(
        alert,
        join.to(f"{_FAILURES} > 0\nunless {_SUCCESSES} > 0"),
        Severity.WARNING,
        "The evaluations of a monitor fail.",
        {
            "description": f"{name('monitor')}: {{{{ $value | humanize }}}} evaluations failed in "
            "the last hour and none succeeded.",
            **_links(links, alert),
        },
        lasting="10m",
    )


def _notifications(links: LinkSettings) -> Alert:
    def increase(outcome: str) -> str:
        counter = f'driftwatch_notifications_total{{outcome="{outcome}"}}'
        return f"sum without (instance, pod, outcome) (increase({counter}[30m])) > 0"

    alert = "DriftwatchNotificationsFailing"
    return Alert(
        alert,
        f"{increase('failed')}\nunless\n{increase('delivered')}",
        Severity.WARNING,
        "Notifications are not delivered.",
        {
            "description": "The webhook's receiver has taken none for half an hour; they wait in "
            "the store and are tried again.",
            **_links(links, alert),
        },
        lasting="10m",
    )
