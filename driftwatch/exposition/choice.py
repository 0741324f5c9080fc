"""Which features are exposed where a limit of series leaves no room for all: the worst ones, and
not others at every evaluation."""

from collections.abc import Iterable, Mapping, Sequence

from driftwatch.exposition.reading import FeatureReading
from driftwatch.verdict.policy import VOLUME, Verdict

SURE_SHARE = 0.8
"""The part of the room that goes to the worst features, whatever was shown before."""

_URGENCY: Mapping[Verdict, int] = {Verdict.CRITICAL: 3, Verdict.WARNING: 2, Verdict.OK: 0}
"""A feature that could not be judged stands between those that drift and those that do not."""


def worst_first(results: Iterable[FeatureReading]) -> Sequence[str]:
    """The features by their worst window: the volume, critical, warning, not judged, ok; then by
    effect; then by name."""
    worst: dict[str, tuple[int, float]] = {}
    for one in results:
        # NaN is not known; nothing is compared with it.
        effect = one.effect if one.effect >= 0 else 0.0
        urgency = 4 if one.feature == VOLUME else _URGENCY.get(one.verdict, 1)
        worst[one.feature] = max(worst.get(one.feature, (0, 0.0)), (urgency, effect))
    return sorted(worst, key=lambda name: (-worst[name][0], -worst[name][1], name))


def choose(
    sizes: Mapping[str, int], order: Sequence[str], *, room: int, before: frozenset[str]
) -> frozenset[str]:
    """The features for which there is room, each with all of its series or none.

    Hysteresis: the first `SURE_SHARE` of the room goes to the first of `order`. What is left goes
    to those that were shown before, and only then to the next in order: a feature that wavers about
    the limit does not come and go with every evaluation.

    sizes: series per feature; order: the features that matter most first; before: those that were
    shown last.

    >>> sizes = dict.fromkeys("abcde", 1)
    >>> sorted(choose(sizes, "abcde", room=3, before=frozenset()))
    ['a', 'b', 'c']
    >>> sorted(choose(sizes, "abcde", room=3, before=frozenset("e")))
    ['a', 'b', 'e']
    >>> sorted(choose(sizes, "abcde", room=5, before=frozenset()))
    ['a', 'b', 'c', 'd', 'e']
    """
    if sum(sizes.values()) <= room:
        return frozenset(sizes)
    chosen: set[str] = set()
    used = 0
    ordered = [name for name in order if name in sizes]
    ordered += [name for name in sizes if name not in set(ordered)]
    stages = [
        (SURE_SHARE * room, ordered),
        (room, [name for name in ordered if name in before]),
        (room, ordered),
    ]
    for limit, candidates in stages:
        for name in candidates:
            if name in chosen:
                continue
            if used + sizes[name] > limit:
                break  # not the smaller ones behind it: the order is what matters
            chosen.add(name)
            used += sizes[name]
    return frozenset(chosen)
