"""What explains the drift of a prediction, in words."""

from collections.abc import Collection, Sequence

from driftwatch.stats.joint import EXPLAINS

_SHOWN = 4
_LEAST = 0.05
"""Smaller shares are within what a share is known by."""


def explained_words(shares: Sequence[tuple[str, float]], flagged: Collection[str]) -> str:
    """shares: 0..1 by feature, the greatest first, those that are applicable; flagged: the features
    that drift in the same window. "" without shares.

    >>> explained_words([("dep_delay", 0.93), ("carrier", 0.11), ("hour", 0.01)], {"dep_delay"})
    'explained by: dep_delay 93 %, carrier 11 %'
    >>> explained_words([("dep_delay", 0.08)], {"dep_delay"})
    'prediction only: model, serving or an unwatched input (the best input, dep_delay, explains \
8 %)'
    >>> explained_words([("hour", 0.7), ("carrier", 0.1)], {"carrier"})
    'no flagged input explains half of it; hour explains 70 % and is not flagged itself'
    """
    if not shares:
        return ""
    best, most = shares[0]
    if any(share >= EXPLAINS for name, share in shares if name in flagged):
        told = [f"{name} {_percent(share)}" for name, share in shares[:_SHOWN] if share >= _LEAST]
        return f"explained by: {', '.join(told)}"
    if most >= EXPLAINS:
        return (
            f"no flagged input explains half of it; {best} explains {_percent(most)} and is not "
            "flagged itself"
        )
    return (
        "prediction only: model, serving or an unwatched input "
        f"(the best input, {best}, explains {_percent(most)})"
    )


def _percent(share: float) -> str:
    """A share is not known by more than a whole percent."""
    return f"{100 * share:.0f} %"
