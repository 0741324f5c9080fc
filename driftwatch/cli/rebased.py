"""What `reference` and `accept` say of what they did."""

from collections.abc import Sequence

from rich.console import Console

from driftwatch.alert.policy import AlertState
from driftwatch.cli.shown import named
from driftwatch.cli.terminal import clean, plural, show
from driftwatch.evaluate.alerts import Change
from driftwatch.evaluate.rebase import Rebased
from driftwatch.window import format_duration


def tell_rebased(console: Console, found: Rebased, what: str) -> None:
    """One line per column with another reference, and one per alert that ended by it."""
    if not found.references:
        show(console, f"nothing changed: that is what is compared with already ({what})")
        return
    for one in found.references:
        show(
            console,
            f"{clean(one.column)}: reference version {one.version}, {one.rows:,} rows, {what}",
        )
    if found.parts:
        show(console, f"and {plural(found.parts, 'reference')} of segments")
    tell_ended(console, found.changes)


def tell_ended(console: Console, changes: Sequence[Change]) -> None:
    """Alerts that a command has ended."""
    ended = [one for one in changes if one.transition.from_state is AlertState.FIRING]
    for one in ended:
        key = one.key
        length = format_duration(key.window_seconds)
        what = f"{clean(named(key.feature, key.segment))} ({key.kind}, {length})"
        show(console, f"  resolved: {what}; it fires anew if it drifts from here", "green")
    if not ended:
        show(console, "  no alert was firing")
