"""`driftwatch exclude`: ranges that are shown, but page nobody and teach nothing."""

from contextlib import closing

from rich.text import Text

from driftwatch.cli.rebased import tell_ended
from driftwatch.cli.status import nothing_yet
from driftwatch.cli.terminal import clean, columns, moment, open_console, show
from driftwatch.cli.usage import find_feature, find_monitors, interval_of, reason_of
from driftwatch.config.settings import Exclusion, MonitorSettings, Settings
from driftwatch.daemon.clock import process_now
from driftwatch.evaluate.exclude import exclude as exclude_range
from driftwatch.evaluate.exclude import remove
from driftwatch.store import exclusions
from driftwatch.store.engine import open_store
from driftwatch.store.exclusions import ExclusionRow
from driftwatch.store.migrate import ensure_schema, has_schema


def exclude(
    settings: Settings,
    monitor: str,
    column: str | None,
    *,
    start: str,
    end: str,
    reason: str,
) -> None:
    """Exclude a range of a column, or of all of the monitor."""
    chosen = _monitor(settings, monitor)
    feature = find_feature(chosen, column) if column else ""
    wanted = Exclusion(interval_of(start, end), reason_of(reason), feature)
    with closing(open_store(settings.store_url)) as store:
        ensure_schema(store)
        found = exclude_range(
            chosen, wanted, store=store, now=process_now(), notify=settings.webhook is not None
        )
    console = open_console()
    what = f"{wanted.interval} of {chosen.name} {feature or '(all features)'}"
    show(console, clean(f"excluded {what}" if found.new else f"{what} was excluded already"))
    if found.new:
        tell_ended(console, found.changes)


def list_exclusions(settings: Settings, monitor: str) -> None:
    """Every exclusion of a monitor, those that were taken back, too."""
    chosen, console = _monitor(settings, monitor), open_console()
    with closing(open_store(settings.store_url)) as store:
        if not has_schema(store):
            show(console, nothing_yet(store))
            return
        with store.read() as connection:
            known = exclusions.listed(connection, chosen.name)
    if not known:
        show(console, f"nothing of {chosen.name} was ever excluded")
        return
    table = columns("id", "column", "range", "origin", "", "reason")
    for one in known:
        table.add_row(*_line(one))
    show(console, table)


def remove_exclusion(settings: Settings, monitor: str, exclusion_id: int) -> None:
    """Take back what a command has excluded. DriftwatchError if there is no such exclusion."""
    chosen, console = _monitor(settings, monitor), open_console()
    with closing(open_store(settings.store_url)) as store:
        ensure_schema(store)
        taken = remove(chosen, exclusion_id, store=store, now=process_now())
    told = "is taken back" if taken else "was taken back before"
    show(console, f"exclusion {exclusion_id} of {chosen.name} {told}")


def _monitor(settings: Settings, name: str) -> MonitorSettings:
    (chosen,) = find_monitors(settings, [name])
    return chosen


def _line(one: ExclusionRow) -> tuple[str | Text, ...]:
    exclusion = one.exclusion
    removed = "" if one.removed_at is None else f"taken back {moment(one.removed_at)}"
    return (
        str(one.id),
        Text(exclusion.feature or "(all features)"),
        f"[{moment(exclusion.interval.start)}, {moment(exclusion.interval.end)})",
        str(one.origin),
        removed,
        Text(clean(exclusion.reason)),
    )
