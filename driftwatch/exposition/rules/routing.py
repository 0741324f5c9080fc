"""A sample of Alertmanager's configuration for these rules: who is told, and what mutes what."""

from typing import Any

from driftwatch.config.settings import Settings
from driftwatch.exposition.rules.expression import joined

DEFAULT_RECEIVER = "driftwatch"
QUIET_RECEIVER = "driftwatch-quiet"
TEAM_LABEL = "team"
_PLACEHOLDER = "https://alerts.example.org/"

Plain = dict[str, Any]


def alertmanager(settings: Settings) -> Plain:
    """Routes by team, where monitors have that label; receivers are placeholders."""
    teams = sorted(
        {one.labels[TEAM_LABEL] for one in settings.monitors if TEAM_LABEL in one.labels}
    )
    quiet: Plain = {"matchers": [_is("severity", "info")], "receiver": QUIET_RECEIVER}
    routes = [quiet]
    routes += [
        {"matchers": [_is(TEAM_LABEL, team)], "receiver": f"{TEAM_LABEL}-{team}"} for team in teams
    ]
    receivers = [_receiver(DEFAULT_RECEIVER)]
    receivers += [_receiver(f"{TEAM_LABEL}-{team}") for team in teams]
    return {
        "route": {
            "receiver": DEFAULT_RECEIVER,
            "group_by": ["job", "source", "monitor"],
            "group_wait": "30s",
            "group_interval": "5m",
            "repeat_interval": "12h",
            "routes": routes,
        },
        "inhibit_rules": inhibitions(joined(settings).names),
        "receivers": [*receivers, {"name": QUIET_RECEIVER}],
    }


def inhibitions(names: tuple[str, ...]) -> list[Plain]:
    """What need not be told while something else is. names: the user's labels."""
    return [
        _mute(
            [_is("alertname", "DriftwatchDown")],
            ['alertname=~"Driftwatch.+"', 'alertname!="DriftwatchDown"'],
            "job",
        ),
        _mute(
            ['alertname=~"DriftwatchSchedulerStuck|DriftwatchStoreDown"'],
            ['alertname=~"DriftwatchStale|DriftwatchEvaluationFailing"'],
            "job",
        ),
        _mute(
            [_is("alertname", "DriftwatchSourceDown")],
            ['alertname=~"DriftwatchStale|DriftwatchEvaluationFailing"'],
            *("job", "source"),
        ),
        _mute(
            [_is("alertname", "DriftwatchSharedFeature")],
            [_is("alertname", "DriftwatchDrift"), _is("kind", "drift")],
            *("job", "source", "feature", *names),
        ),
        _mute(
            [_is("alertname", "DriftwatchDrift")],
            [_is("alertname", "DriftwatchAboveThreshold")],
            *("job", "monitor", "feature", "window"),
        ),
    ]


def _mute(source: list[str], target: list[str], *equal: str) -> Plain:
    return {"source_matchers": source, "target_matchers": target, "equal": list(equal)}


def _is(label: str, value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'{label}="{escaped}"'


def _receiver(name: str) -> Plain:
    return {"name": name, "webhook_configs": [{"url": _PLACEHOLDER, "send_resolved": True}]}
