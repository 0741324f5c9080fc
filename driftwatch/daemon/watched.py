"""What is at work of one monitor, and what a new configuration changes of all of them."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.engine import make_url

from driftwatch.config.secret import DatabaseSecrets
from driftwatch.config.settings import MonitorSettings, Settings
from driftwatch.daemon.publish import Publisher
from driftwatch.daemon.runner import MonitorRunner
from driftwatch.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Watched:
    """One monitor at work."""

    settings: MonitorSettings
    runner: MonitorRunner
    publisher: Publisher


@dataclass(frozen=True, slots=True)
class Difference:
    """What a new configuration means for the monitors: names of each, in the order of the file."""

    added: Sequence[str]
    changed: Sequence[str]
    removed: Sequence[str]
    unchanged: Sequence[str]

    def __str__(self) -> str:
        parts = {"added": self.added, "changed": self.changed, "removed": self.removed}
        told = [f"{what}: {', '.join(names)}" for what, names in parts.items() if names]
        return "; ".join([*told, f"{len(self.unchanged)} unchanged"])


def difference(before: Settings, after: Settings) -> Difference:
    """Which monitors a new configuration adds, changes, removes.

    A monitor is changed, too, where its source is, or whether anybody is notified.
    """
    old = {one.name: one for one in before.monitors}
    new = {one.name: one for one in after.monitors}
    notified = (before.webhook is None) == (after.webhook is None)

    def same(name: str) -> bool:
        source = new[name].source
        return old[name] == new[name] and before.sources[source] == after.sources[source]

    unchanged = [name for name in new if notified and name in old and same(name)]
    return Difference(
        added=[name for name in new if name not in old],
        changed=[name for name in new if name in old and name not in unchanged],
        removed=[name for name in old if name not in new],
        unchanged=unchanged,
    )


def refuse_what_needs_a_restart(before: Settings, after: Settings) -> None:
    """ConfigError: the new configuration cannot be taken up by a process that runs."""
    differs = {
        "store": _store_address(before) != _store_address(after),
        "listen": (before.host, before.port) != (after.host, after.port),
        "web": before.web_config != after.web_config,
    }
    changed = ", ".join(f"`{key}`" for key, other in differs.items() if other)
    if changed:
        raise ConfigError(
            f"{after.path}: {changed} cannot change while driftwatch runs; nothing of the file was "
            "taken up. Restart driftwatch, or put the old value back."
        )


def _store_address(settings: Settings) -> tuple[DatabaseSecrets, str]:
    """Where the store is. What files of secrets hold is followed at each new connection anyway."""
    secrets, url = settings.store_secrets, make_url(settings.store_url)
    if secrets.url_file is not None:
        return secrets, ""
    return secrets, url.render_as_string(hide_password=secrets.password_file is not None)


def used_sources(settings: Settings) -> Sequence[str]:
    """The names of the sources that monitors read."""
    return sorted({monitor.source for monitor in settings.monitors})
