"""`driftwatch replay`: what a policy would have led to, before anybody is paged by it."""

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace

import typer

from driftwatch.cli.replayed import Side, tell
from driftwatch.cli.status import nothing_yet
from driftwatch.cli.terminal import open_console
from driftwatch.cli.usage import find_feature, find_monitors, interval_of, moment_of, window_length
from driftwatch.config.alternative import CONFIGURED, alternative
from driftwatch.config.settings import MonitorSettings, Settings
from driftwatch.errors import DriftwatchError
from driftwatch.evaluate.history import history
from driftwatch.evaluate.replay import Replay
from driftwatch.evaluate.replay import replay as judge_again
from driftwatch.store.engine import open_store
from driftwatch.store.migrate import has_schema


@dataclass(frozen=True, slots=True)
class Asked:
    """What was typed. policy excludes effect and alpha; None: as configured."""

    policy: str | None = None
    effect: str | None = None
    alpha: str | None = None
    alert: str | None = None
    against: str | None = None

    def words(self) -> str:
        """The policy in one word, see `config.alternative`. BadParameter for two at once."""
        if self.policy is not None and (self.effect or self.alpha):
            raise typer.BadParameter(
                "--effect and --alpha are a policy of their own; write all in one, like "
                "--policy effect:0.1,0.3@0.001"
            )
        word = CONFIGURED if self.policy is None else self.policy
        if self.effect or self.alpha:
            word = "effect" + (f":{self.effect}" if self.effect else "")
            word += f"@{self.alpha}" if self.alpha else ""
        return word + (f":{self.alert}" if self.alert else "")


@dataclass(frozen=True, slots=True)
class Shown:
    """Which part is asked for; None: all."""

    start: str | None = None
    end: str | None = None
    window: str | None = None
    feature: str | None = None


def replay(settings: Settings, monitor: str, asked: Asked, shown: Shown) -> None:
    """Print what one policy led to, or two. BadParameter for what cannot be meant; DriftwatchError
    where nothing was counted. It reads driftwatch's own store alone, and writes nothing."""
    (chosen,) = find_monitors(settings, [monitor])
    feature = find_feature(chosen, shown.feature) if shown.feature else None
    seconds = window_length(chosen, shown.window) if shown.window else None
    if shown.start and shown.end:
        interval_of(shown.start, shown.end)
    start = moment_of(shown.start, "--from") if shown.start else None
    end = moment_of(shown.end, "--to") if shown.end else None
    word = asked.words()
    policies = [(word, _applied(word, chosen, "--policy"))]
    against = asked.against or (CONFIGURED if word != CONFIGURED else None)
    if against is not None:
        policies.append((against, _applied(against, chosen, "--against")))
    sides = []
    with closing(open_store(settings.store_url)) as store:
        if not has_schema(store):
            raise DriftwatchError(nothing_yet(store))
        for letter, (text, by) in zip("AB", policies, strict=False):
            past = history(by, store, start=start, end=end)
            with _told(text) as on_progress:
                found = judge_again(by, past, store=store, seconds=seconds, on_progress=on_progress)
            sides.append(Side.of(letter, text, _only(found, feature)))
    tell(open_console(), sides)


@contextmanager
def _told(policy: str) -> Iterator[Callable[[float], None]]:
    """How far it is, for a person who waits at a terminal."""
    console = open_console(stderr=True)
    if not console.is_terminal:
        yield lambda _: None
        return
    with console.status(f"Judging again by {policy} ...") as line:
        yield lambda share: line.update(f"Judging again by {policy} ... {share:.0%}")


def _applied(text: str, monitor: MonitorSettings, option: str) -> MonitorSettings:
    try:
        return alternative(text).of(monitor)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint=option) from error


def _only(found: Replay, feature: str | None) -> Replay:
    """All features were judged, for each is a discovery among the others."""
    if feature is None:
        return found
    findings = {one: some for one, some in found.findings.items() if one.feature == feature}
    raised = tuple(one for one in found.raised if one.key.feature == feature)
    return replace(found, findings=findings, raised=raised)
