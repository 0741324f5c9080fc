"""`driftwatch prune`: forgets at once what is older than it is kept."""

from collections import Counter
from contextlib import closing

from driftwatch.cli.terminal import open_console, plural, rows, show
from driftwatch.config.settings import Settings
from driftwatch.daemon.clock import process_now
from driftwatch.store import retention
from driftwatch.store.engine import open_store
from driftwatch.store.migrate import ensure_schema


def prune(settings: Settings) -> None:
    """Delete until nothing is left that is too old; a daemon may run beside it."""
    console = open_console()
    calendars = {monitor.name: monitor.calendar for monitor in settings.monitors}
    gone: Counter[str] = Counter()
    with closing(open_store(settings.store_url)) as store:
        ensure_schema(store)
        while True:
            with store.write() as connection:
                found = retention.prune(
                    connection, settings.retention, monitors=calendars, now=process_now()
                )
            gone.update(found)
            if not any(found.values()):
                break
        name = store.name
    show(console, f"{name}: deleted {plural(gone.total(), 'row')}")
    lines = [(table, f"{count:>12,}") for table, count in sorted(gone.items()) if count]
    if lines:
        show(console, rows(lines))
