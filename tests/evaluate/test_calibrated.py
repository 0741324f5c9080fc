"""A calibrated verdict: the reference's own windows say what is usual, season and all."""

from collections.abc import Callable
from datetime import datetime

import numpy as np
import pytest

from driftwatch.alert.policy import AlertPolicy
from driftwatch.config.settings import (
    Exclusion,
    FeatureSettings,
    Kind,
    RelationSettings,
    RollingReference,
    SeasonalReference,
    SegmentGroup,
    SegmentSettings,
    Start,
    TableReference,
)
from driftwatch.evaluate import reference_windows
from driftwatch.evaluate.calibrate import OfLength
from driftwatch.stats.calibration import calibrate
from driftwatch.stats.season import SeasonKey
from driftwatch.verdict.policy import CalibratedThreshold, FixedThreshold
from driftwatch.window import Interval, to_epoch
from tests.evaluate.log import Row, day, rows
from tests.evaluate.world import DAY, HOUR, World

CALIBRATED = CalibratedThreshold()
X = FeatureSettings("x", threshold=CALIBRATED)
K = FeatureSettings("k", kind=Kind.CATEGORICAL, threshold=CALIBRATED)
PER_HOUR = 60


def seasonal(start: float, end: float, shift: Callable[[datetime], float]) -> list[Row]:
    """Rows whose x follows the hours of the day by a whole sigma, and is shifted."""
    made = rows(start, end, per_hour=PER_HOUR)
    for number, row in enumerate(made):
        if row["x"] is not None:
            wave = float(np.sin(row["at"].hour / 24 * 2 * np.pi))
            made[number] = row | {"x": row["x"] + wave + shift(row["at"])}
    return made


def nothing(_: datetime) -> float:
    return 0.0


@pytest.fixture
def cyclic(empty_world: World) -> World:
    """Fourteen days of reference with a daily cycle, judged by the hour."""
    empty_world.live(seasonal(0, 14, nothing))
    configure(empty_world, X, K)
    return empty_world


def configure(world: World, *features: FeatureSettings, **changes: object) -> None:
    usual = {
        "features": features,
        "reference": Interval(day(0), day(14)),
        "start": Start(to_epoch(day(14))),
        "window_seconds": (HOUR, DAY),
        "min_rows": 30,
        "alert": AlertPolicy(2, 3),
    }
    world.configure(**{**usual, **changes})


def test_a_daily_cycle_is_no_drift(cyclic: World) -> None:
    """A fixed threshold flags the hours that are far from the mean of the day."""
    cyclic.live(seasonal(14, 18, nothing))
    cyclic.catch_up(18)
    flagged = [r for r in cyclic.results("x", HOUR) if str(r["verdict"]) != "ok"]
    assert len(flagged) <= 1
    (words,) = {r["compared_with"] for r in cyclic.results("x", HOUR)}
    assert words.startswith("the same hours of the day in [")
    configure(cyclic, FeatureSettings("x", threshold=FixedThreshold()))
    cyclic.live(seasonal(18, 20, nothing))
    cyclic.catch_up(20)
    fixed = cyclic.results("x", HOUR)[96:]
    assert sum(str(r["verdict"]) in ("warning", "critical") for r in fixed) > len(fixed) / 3


def test_a_sample_of_the_windows_keeps_step_with_no_season(
    cyclic: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of every fourth hour alone, three in four hours of the day would have no phase; and what is
    compared with are all windows of the phase, not the sample."""
    monkeypatch.setattr(reference_windows, "MOST_WINDOWS", 14 * 6)
    cyclic.live(seasonal(14, 15, nothing))
    cyclic.catch_up(15)
    found = cyclic.results("x", HOUR)
    assert len(found) == 24
    for row in found:
        assert row["compared_with"].startswith("the same hours of the day in [")
        assert row["reference_rows"] == pytest.approx(14 * PER_HOUR, rel=0.01), "all days count"
    assert sum(str(row["verdict"]) != "ok" for row in found) <= 1


def test_a_widened_window_is_compared_with_all_the_hours_that_it_reaches_over(
    cyclic: World,
) -> None:
    """Too few rows an hour: six hours of the day are judged, and they are no drift."""
    configure(cyclic, X, window_seconds=(HOUR,), min_rows=350, widen_seconds=8 * HOUR)
    cyclic.live(seasonal(14, 16, nothing))
    cyclic.catch_up(16)
    found = cyclic.results("x", HOUR)[8:]
    assert {r["rows"] for r in found} == {360}
    assert all(r["compared_with"].startswith("the same hours of the day in [") for r in found)
    hours = {r["reference_rows"] // 14 for r in found}
    assert hours == {360}
    assert sum(str(r["verdict"]) != "ok" for r in found) <= 1


def test_what_is_compared_with_all_of_the_reference_has_the_null_of_that(cyclic: World) -> None:
    """Segments have no phases: by the null of one, every hour of theirs would be far."""
    segments = SegmentSettings((SegmentGroup(("k",)),), (HOUR,))
    configure(cyclic, X, window_seconds=(HOUR,), segments=segments, min_rows=20)
    cyclic.live(seasonal(14, 16, nothing))
    cyclic.catch_up(16)
    found = [r for r in cyclic.results("x", HOUR) if r["segment"] and r["rows"] >= 20]
    assert len(found) > 80
    assert {r["compared_with"] for r in found} == {str(Interval(day(0), day(14)))}
    assert sum(str(r["verdict"]) != "ok" for r in found) <= 0.02 * len(found)


def test_a_shift_that_is_smaller_than_the_cycle_is_found(cyclic: World) -> None:
    cyclic.live(seasonal(14, 16, nothing))
    cyclic.live(seasonal(16, 18, lambda _: 0.8))
    cyclic.catch_up(18)
    found = cyclic.results("x", HOUR)
    late = found[48:]
    assert sum(str(r["verdict"]) == "critical" for r in late) >= 0.8 * len(late)
    assert np.median([r["effect"] for r in late]) == pytest.approx(0.8, abs=0.2)
    assert {str(r["verdict"]) for r in cyclic.results("k", HOUR)} == {"ok"}
    first = next(at for at, state in cyclic.events("x", "drift", HOUR) if state == "firing")
    assert first <= 16 + 3 / 24


def test_what_is_stored_says_what_could_be_found(cyclic: World) -> None:
    cyclic.live(seasonal(14, 15, nothing))
    cyclic.catch_up(15)
    for row in cyclic.results("x", HOUR):
        assert str(row["measure"]) == "effect"
        assert row["value"] == row["effect"] >= 0
        assert row["alpha"] == pytest.approx(CALIBRATED.alpha / 2)
        assert 0 < row["p_value"] <= row["adjusted_p"] <= 1
        assert row["inflation"] >= 1
        assert 0.3 < row["detectable_effect"] < 1.5, "60 rows an hour show no small shift"
    (of_day,) = cyclic.results("x", DAY)
    assert of_day["detectable_effect"] < 0.4
    assert "few_windows" in of_day["caveats"] or "carried" in of_day["caveats"]


def test_one_plain_window_fires_at_once(cyclic: World) -> None:
    cyclic.live(seasonal(14, 15, nothing))
    cyclic.live(seasonal(15, 15.05, lambda _: 3.0))
    cyclic.live(seasonal(15.05, 15.5, nothing))
    cyclic.catch_up(15 + 1 / 24)
    assert cyclic.events("x", "drift", HOUR) == [(15 + 1 / 24, "firing")]


def test_it_does_not_calibrate_on_what_is_excluded(cyclic: World) -> None:
    """A week of incident in the reference would pass for the usual wobble of it."""
    incident = Exclusion(Interval(day(5), day(9)), "incident")
    cyclic.log.execute(f"UPDATE events SET x = x + 3 WHERE {_between(cyclic, 5, 9)}")
    cyclic.live(seasonal(14, 15, nothing))
    cyclic.catch_up(15)
    loud = np.median([r["inflation"] for r in cyclic.results("x", HOUR)])
    configure(cyclic, X, K, exclusions=(incident,))
    cyclic.live(seasonal(15, 16, nothing))
    cyclic.catch_up(16)
    quiet = np.median([r["inflation"] for r in cyclic.results("x", HOUR)[24:]])
    assert quiet < 0.5 * loud


def _between(world: World, start: float, end: float) -> str:
    low, high = (
        day(one).strftime("%Y-%m-%d %H:%M:%S") + ("" if world.log.is_sqlite else "+00")
        for one in (start, end)
    )
    return f"at >= '{low}' AND at < '{high}'"


@pytest.mark.parametrize(
    ("reference", "words"),
    [
        (RollingReference(14 * DAY), "the 14 days before"),
        (SeasonalReference(2), "the same hours of the 2 weeks before"),
    ],
)
def test_references_that_move_are_calibrated_too(
    cyclic: World, reference: RollingReference | SeasonalReference, words: str
) -> None:
    configure(cyclic, X, reference=reference, window_seconds=(DAY,))
    cyclic.live(seasonal(14, 20, nothing))
    for until in range(15, 21):
        cyclic.catch_up(until)
    found = cyclic.results("x", DAY)
    assert {str(r["verdict"]) for r in found} == {"ok"}
    assert {r["compared_with"] for r in found} == {words}
    assert "no_windows" not in found[-1]["caveats"]


def test_a_catch_up_is_calibrated_by_what_it_has_counted(cyclic: World) -> None:
    """One catch-up over weeks: each scan of it is judged by the weeks before."""
    configure(
        cyclic, X, reference=RollingReference(7 * DAY), window_seconds=(HOUR,),
        start=Start(to_epoch(day(7))), catch_up_seconds=2 * DAY,
    )  # fmt: skip
    assert len(cyclic.catch_up(14)) > 3
    found = cyclic.results("x", HOUR)
    assert not any("no_windows" in row["caveats"] for row in found), "the days before are counted"
    assert sum(str(row["verdict"]) != "ok" for row in found) <= 1


def test_training_data_has_no_windows_and_says_so(cyclic: World) -> None:
    training = TableReference(RelationSettings("events", None, None))
    configure(cyclic, X, reference=training)
    cyclic.live(seasonal(14, 15, nothing))
    cyclic.catch_up(15)
    assert {r["caveats"] for r in cyclic.results("x", HOUR)} == {"no_windows"}
    assert {r["inflation"] for r in cyclic.results("x", HOUR)} == {1.0}


def test_a_constant_and_short_training_set_says_so_and_has_every_number(cyclic: World) -> None:
    """One value in as many rows as a window has: nothing is NaN, and another value is found."""
    cyclic.log.execute("CREATE TABLE training AS SELECT * FROM events LIMIT 90")
    cyclic.log.execute("UPDATE training SET x = 1.5, k = 'a'")
    training = TableReference(RelationSettings("training", None, None))
    configure(cyclic, X, K, reference=training, window_seconds=(HOUR,))
    cyclic.live(rows(14, 14.5, per_hour=PER_HOUR, x=1.5, k="a"))
    cyclic.live(rows(14.5, 15, per_hour=PER_HOUR, x=2.5, k="b"))
    cyclic.catch_up(15)
    for feature in ("x", "k"):
        found = cyclic.results(feature, HOUR)
        assert {r["caveats"] for r in found} == {"constant no_windows short_reference"}
        numbers = ("p_value", "adjusted_p", "effect", "inflation", "detectable_effect", "value")
        assert all(r[name] is not None and r[name] == r[name] for r in found for name in numbers)
        verdicts = [str(r["verdict"]) for r in found]
        assert verdicts == ["ok"] * 12 + ["critical"] * 12


def test_a_reference_as_long_as_the_window_says_so(cyclic: World) -> None:
    """n = m: judged, with a reason beside it."""
    configure(
        cyclic, X, reference=Interval(day(12), day(14)), window_seconds=(2 * DAY,), min_rows=100
    )
    cyclic.live(seasonal(14, 18, nothing))
    cyclic.catch_up(18)
    found = cyclic.results("x", 2 * DAY)
    assert {str(r["verdict"]) for r in found} == {"ok"}
    assert {r["caveats"] for r in found} == {"no_windows short_reference"}
    assert all(0 < r["p_value"] <= 1 and r["detectable_effect"] > 0 for r in found)


def test_a_window_of_more_rows_is_allowed_more_of_the_wobble() -> None:
    """rms² - 1 grows as the rows do, that of sampling alone stays 1."""
    random = np.random.default_rng(1)
    share = 0.5 + random.normal(scale=0.05, size=60)
    ones = random.binomial(1000, share)
    counts = np.stack([ones, 1000 - ones, 0 * ones], axis=1)[:, np.newaxis]
    found = calibrate(
        counts, ordered=np.array([True]), phases={SeasonKey.NONE: np.zeros(60, np.int64)}
    )
    known = OfLength({"amount": (found, 0)})
    columns = [("amount", True), ("other", True)]
    usual = known.null(columns, np.array([found.effective_rows[0], 900.0]))
    busy = known.null(columns, np.array([4 * found.effective_rows[0], 3600.0]))
    assert usual.location_rms[0] == pytest.approx(np.sqrt(1 + 1000 * 4 * 0.05**2), rel=0.3)
    assert busy.location_rms[0] ** 2 - 1 == pytest.approx(4 * (usual.location_rms[0] ** 2 - 1))
    assert busy.location_rms[1] == usual.location_rms[1] == 1
