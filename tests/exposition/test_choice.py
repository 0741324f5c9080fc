import math

from hypothesis import given
from hypothesis import strategies as st

from driftwatch.exposition.choice import SURE_SHARE, choose, worst_first
from driftwatch.verdict.policy import VOLUME, Verdict
from tests.exposition.readings import feature_reading

names = st.lists(st.text("abcdef", min_size=1, max_size=3), unique=True, max_size=12)


def test_the_worst_window_of_a_feature_counts() -> None:
    results = [
        feature_reading("calm", verdict=Verdict.OK, effect=0.3),
        feature_reading("calmer", verdict=Verdict.OK, effect=math.nan),
        feature_reading("grey", verdict=Verdict.LEARNING, effect=9.0),
        feature_reading("warned", verdict=Verdict.WARNING, effect=0.1),
        feature_reading("one bad hour", verdict=Verdict.OK, window_seconds=86_400),
        feature_reading("one bad hour", verdict=Verdict.CRITICAL, effect=0.2, window_seconds=3_600),
        feature_reading("far", verdict=Verdict.CRITICAL, effect=0.5),
        feature_reading(VOLUME, verdict=Verdict.OK, effect=math.nan),
    ]
    assert worst_first(results) == [
        VOLUME, "far", "one bad hour", "warned", "grey", "calm", "calmer",
    ]  # fmt: skip


@given(names, st.data())
def test_never_more_than_the_room_and_as_much_as_it_holds(
    order: list[str], data: st.DataObject
) -> None:
    sizes = {name: data.draw(st.integers(1, 30)) for name in order}
    room = data.draw(st.integers(0, 200))
    before = frozenset(data.draw(st.sets(st.sampled_from(order)))) if order else frozenset()
    chosen = choose(sizes, order, room=room, before=before)
    used = sum(sizes[name] for name in chosen)
    assert chosen <= set(sizes)
    assert used <= max(room, 0)
    if sum(sizes.values()) <= room:
        assert chosen == set(sizes)
    if sizes and chosen != set(sizes):
        # Whoever is first of those left out would not fit any more.
        first = next(name for name in order if name not in chosen)
        assert used + sizes[first] > room


@given(st.integers(6, 40), st.data())
def test_a_feature_that_wavers_about_the_limit_stays_where_it_is(
    count: int, data: st.DataObject
) -> None:
    """The order of those beyond the sure part may change as it likes: nobody comes or goes."""
    sizes = {f"f{index:02d}": 5 for index in range(count)}
    room = 5 * (count - data.draw(st.integers(1, count // 3)))
    order = sorted(sizes)
    first = choose(sizes, order, room=room, before=frozenset())
    sure = int(SURE_SHARE * room) // 5
    for _ in range(3):
        order = order[:sure] + data.draw(st.permutations(order[sure:]))
        assert choose(sizes, order, room=room, before=first) == first


def test_what_becomes_the_worst_comes_in_at_once() -> None:
    sizes = dict.fromkeys("abcdefghij", 1)
    shown = choose(sizes, "abcdefghij", room=5, before=frozenset())
    assert sorted(shown) == ["a", "b", "c", "d", "e"]
    assert sorted(choose(sizes, "jabcdefghi", room=5, before=shown)) == ["a", "b", "c", "d", "j"]
