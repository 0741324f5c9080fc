"""`driftwatch accept`: what was seen since a moment is right from now on."""

from contextlib import closing

from driftwatch.cli.rebased import tell_rebased
from driftwatch.cli.terminal import moment, open_console
from driftwatch.cli.usage import find_feature, find_monitors, moment_of, reason_of
from driftwatch.config.settings import Settings
from driftwatch.daemon.clock import process_now
from driftwatch.evaluate.accept import Acceptance
from driftwatch.evaluate.accept import accept as accept_change
from driftwatch.store.engine import open_store
from driftwatch.store.migrate import ensure_schema


def accept(
    settings: Settings, monitor: str, column: str | None, *, since: str, reason: str
) -> None:
    """Accept a change. DriftwatchError where there is nothing that could be accepted."""
    (chosen,) = find_monitors(settings, [monitor])
    name = find_feature(chosen, column) if column else None
    wanted = Acceptance(chosen, name, moment_of(since, "--since"), reason_of(reason))
    with closing(open_store(settings.store_url)) as store:
        ensure_schema(store)
        found = accept_change(
            wanted, store=store, now=process_now(), notify=settings.webhook is not None
        )
    tell_rebased(open_console(), found, f"since {moment(wanted.since)}: {wanted.reason}")
