"""The chain rule is exact, and the driver of a prediction's change is told from the others."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from driftwatch.stats.counts import FloatArray, IntArray
from driftwatch.stats.joint import Explained, chain_rule, explained_share, prediction_only

ROWS, REFERENCE_ROWS = 5_000, 200_000
CUTS = np.array([-1.28, -0.84, -0.52, -0.25, 0.0, 0.25, 0.52, 0.84, 1.28])


@st.composite
def joint_counts(draw: st.DrawFn) -> tuple[IntArray, IntArray]:
    shape = (1, draw(st.integers(1, 5)), draw(st.integers(1, 5)))
    size = math.prod(shape)
    row = st.lists(st.integers(0, 200), min_size=size, max_size=size).filter(any)
    return tuple(np.array(draw(row), dtype=np.int64).reshape(shape) for _ in range(2))  # type: ignore[return-value]  # two of them


@given(joint_counts())
def test_the_chain_rule_is_exact(pair: tuple[IntArray, IntArray]) -> None:
    """The answers' part is the mean over P(x) of the divergences within each x."""
    current, reference = pair
    found = chain_rule(current, reference)
    _, wide, deep = current.shape
    of_y = (reference[0].sum(axis=0) + 0.5) / (reference.sum() + 0.5 * deep)
    q = reference[0] + 0.5 * deep * of_y
    p = current[0] / current.sum()
    answers = 0.0
    for x in range(wide):
        for y in range(deep):
            if p[x, y]:
                ratio = (p[x, y] / p[x].sum()) / (q[x, y] / q[x].sum())
                answers += p[x, y] * math.log(ratio)
    assert found.answers[0] == pytest.approx(answers, abs=1e-10)
    assert found.joint[0] == pytest.approx(found.inputs[0] + answers, abs=1e-10)
    assert min(found.joint[0], found.inputs[0], found.answers[0]) >= 0


def test_the_chain_rule_worked_by_hand() -> None:
    # Ky = 2: each x of the reference gets one row, half of it to each y, because its y are halves
    current, reference = np.array([[[3, 1], [0, 0]]]), np.array([[[4, 0], [0, 4]]])
    found = chain_rule(current, reference)
    assert found.inputs[0] == pytest.approx(math.log(1 / 0.5))
    answers = 0.75 * math.log(0.75 / 0.9) + 0.25 * math.log(0.25 / 0.1)
    assert found.answers[0] == pytest.approx(answers)
    assert found.joint[0] == pytest.approx(math.log(2) + answers)


@given(joint_counts())
def test_a_share_is_never_nan(pair: tuple[IntArray, IntArray]) -> None:
    found = explained_share(*pair)
    assert ((found.share >= 0) & (found.share <= 1)).all()
    assert (found.share[~found.applicable] == 0).all()


def tables(x: FloatArray, y: FloatArray) -> IntArray:
    """Counts (2, 10, 10) of two inputs x (rows, 2) against the prediction y, by deciles of a normal
    distribution; y is made to have about unit variance."""
    of_y = np.searchsorted(CUTS, y, side="right")
    cells = np.searchsorted(CUTS, x, side="right") * 10 + of_y[:, np.newaxis]
    return np.stack([np.bincount(one, minlength=100).reshape(10, 10) for one in cells.T])


def answered(random: np.random.Generator, x: FloatArray, bias: float = 0.0) -> FloatArray:
    """A model of the first input alone; the second one is watched but not used."""
    return np.asarray(0.9 * x[:, 0] + bias + 0.3 * random.standard_normal(len(x)))


@pytest.mark.parametrize("shift", [-1.5, 0.3, 0.5, 1.0])
def test_the_driver_explains_everything(shift: float) -> None:
    random = np.random.default_rng(1)
    before, now = random.standard_normal((REFERENCE_ROWS, 2)), random.standard_normal((ROWS, 2))
    now[:, 0] += shift
    reference, current = (tables(x, answered(random, x)) for x in (before, now))
    found = explained_share(current, reference)
    assert found.applicable.all()
    assert found.share[0] > 0.97
    assert found.share[1] < 0.05


@pytest.mark.parametrize("bias", [-1.0, 0.3, 0.6])
def test_a_changed_model_is_explained_by_no_input(bias: float) -> None:
    random = np.random.default_rng(2)
    before, now = random.standard_normal((REFERENCE_ROWS, 2)), random.standard_normal((ROWS, 2))
    reference = tables(before, answered(random, before))
    found = explained_share(tables(now, answered(random, now, bias)), reference)
    assert found.applicable.all()
    assert (found.share <= 0.17).all()
    assert prediction_only(found, np.array([True, True]))


def test_a_chain_rule_does_not_tell_the_driver_but_the_share_does() -> None:
    """An input that moved changes y given the other input as a changed model would."""
    random = np.random.default_rng(3)
    before, now = random.standard_normal((REFERENCE_ROWS, 2)), random.standard_normal((ROWS, 2))
    now[:, 0] += 1.0
    reference, current = (tables(x, answered(random, x)) for x in (before, now))
    assert chain_rule(current, reference).answers[1] > 0.1
    assert not prediction_only(explained_share(current, reference), np.array([True, True]))


def test_no_change_is_not_applicable() -> None:
    """Sampling exceeds the guard once in 1,000 windows: more than 2 of 300 would be a chance of
    0.4 %."""
    random = np.random.default_rng(4)
    reference = random.multinomial(100_000, np.full(40, 1 / 40)).reshape(1, 8, 5)
    windows = random.multinomial(1_000, np.full(40, 1 / 40), size=300).reshape(300, 8, 5)
    found = explained_share(windows, np.repeat(reference, 300, axis=0))
    assert found.applicable.sum() <= 2
    assert not prediction_only(explained_share(reference, reference), np.array([False]))


def test_an_x_that_the_reference_never_had_gets_its_answers_on_the_whole() -> None:
    reference = np.array([[[600, 200], [0, 0]]])
    found = explained_share(np.array([[[0, 0], [150, 50]]]), reference)
    assert not found.applicable[0]
    moved = explained_share(np.array([[[0, 0], [20, 180]]]), reference)
    assert moved.applicable[0]
    assert moved.share[0] == pytest.approx(0, abs=0.01)  # but for the smoothing of Q(y)


def test_padding_changes_nothing() -> None:
    current, reference = np.array([[[30, 10], [5, 55]]]), np.array([[[300, 10], [50, 40]]])
    wide, before = (np.pad(counts, ((0, 0), (0, 3), (0, 0))) for counts in (current, reference))
    cells = np.array([2])
    joint = chain_rule(wide, before, cells).joint
    assert joint == pytest.approx(chain_rule(current, reference).joint)
    share = explained_share(wide, before, cells).share
    assert share == pytest.approx(explained_share(current, reference).share)
    assert share[0] > 0


@pytest.mark.parametrize(("n", "m"), [(0, 5), (5, 0), (0, 0)])
def test_without_rows_nothing_is_said(n: int, m: int) -> None:
    current, reference = np.full((1, 2, 2), n), np.full((1, 2, 2), m)
    assert math.isnan(chain_rule(current, reference).joint[0])
    found = explained_share(current, reference)
    assert (found.share[0], found.applicable[0]) == (0, False)


def test_one_cell_has_nothing_to_explain() -> None:
    one = np.array([[[7]]])
    assert chain_rule(one, one).joint[0] == 0
    assert not explained_share(one, one).applicable[0]


def test_only_a_flagged_feature_is_taken_for_an_explanation() -> None:
    found = Explained(np.array([0.9, 0.1]), np.array([True, True]))
    assert not prediction_only(found, np.array([True, False]))
    assert prediction_only(found, np.array([False, True]))


@pytest.mark.parametrize(
    ("current", "reference"),
    [(np.ones((2, 2)), np.ones((2, 2))), (np.ones((1, 2, 2)), np.ones((1, 2, 2)))],
)
def test_what_is_no_count_is_refused(current: FloatArray, reference: FloatArray) -> None:
    with pytest.raises(ValueError, match="counts are"):
        explained_share(current, reference)  # type: ignore[arg-type]  # that is the point
