"""Axes fitted in the store equal numpy's quantiles and Python's counts."""

import math
from collections import Counter
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest

from driftwatch.config.settings import BinMethod, Binning, FeatureSettings, Kind
from driftwatch.source import Source
from driftwatch.stats.axis import Axis, CategoricalAxis, NumericAxis, Scale
from driftwatch.stats.counts import ColumnTrouble
from tests.source.logs import between, create, is_sqlite, minutes, opened, planned, relation, run

DAY_LONG = between(0, 24 * 60)


def real(url: str) -> str:
    return "REAL" if is_sqlite(url) else "float8"


def fitted(source: Source, *features: FeatureSettings) -> dict[str, Axis | ColumnTrouble]:
    info = source.inspect(relation())
    return dict(source.fit(relation(), info, features, DAY_LONG))


def fit_one(url: str, values: list[Any], feature: FeatureSettings, kind: str = "") -> Any:
    create(url, {"x": kind or real(url)}, [[minutes(1), value] for value in values])
    with opened(url) as source:
        return fitted(source, feature)["x"]


def edges_by_numpy(values: np.ndarray, count: int) -> list[float]:
    """The recipe, with numpy: quantiles by inverted CDF, both ends, values with 5 % of the rows."""
    shares = [i / count for i in range(1, count)] + [0.001, 0.01, 0.99, 0.999]
    edges = set(np.quantile(values, shares, method="inverted_cdf").tolist())
    atoms = [value for value, rows in Counter(values.tolist()).items() if rows >= len(values) / 20]
    edges |= {*atoms, *(math.nextafter(atom, math.inf) for atom in atoms)}
    edges |= {float(values.min()), math.nextafter(values.max(), math.inf)}
    return sorted(edges)


@pytest.mark.parametrize("count", [20, 7, 2])
@pytest.mark.parametrize("size", [1, 2, 19, 1_000, 3_001])
def test_quantile_edges_are_numpy_s(database_url: str, size: int, count: int) -> None:
    random = np.random.default_rng(size)
    values = random.lognormal(0, 2, size)
    values[: size // 3] = np.round(values[: size // 3], 1)
    values[: size // 8] = 0.0
    special: list[Any] = [None, math.inf, -math.inf, "n/a" if is_sqlite(database_url) else math.nan]
    feature = FeatureSettings("x", binning=Binning(count=count))
    axis = fit_one(database_url, [*values.tolist(), *special], feature)
    assert axis.scale is Scale.NUMBER
    np.testing.assert_array_equal(axis.edges, edges_by_numpy(values, count))


def test_an_atom_of_five_percent_has_a_cell_of_its_own(database_url: str) -> None:
    spread = [float(i) for i in range(1, 96)]
    axis = fit_one(database_url, [*spread, *[40.5] * 5], FeatureSettings("x"))
    assert {40.5, math.nextafter(40.5, 50)} <= set(axis.edges)


def test_four_percent_have_none(database_url: str) -> None:
    """Though they cover two multiples of 2.5 %: the ranks 40 and 43 of 100."""
    values = [*range(1, 40), *[40.5] * 4, *range(41, 98)]
    axis = fit_one(database_url, values, FeatureSettings("x"))
    assert 40.5 in axis.edges
    assert math.nextafter(40.5, 50) not in axis.edges


def test_the_largest_value_may_be_an_atom(database_url: str) -> None:
    axis = fit_one(database_url, [*range(20), *[100] * 20], FeatureSettings("x"))
    assert axis.edges[-2:] == (100.0, math.nextafter(100.0, math.inf))


def test_a_constant_column_gets_its_value_as_a_cell(database_url: str) -> None:
    axis = fit_one(database_url, [3.5] * 9, FeatureSettings("x"))
    assert axis == NumericAxis((3.5, math.nextafter(3.5, 4)))
    assert axis.labels() == ("(-inf, 3.5)", "3.5", "(3.5, inf)", "missing")


def test_uniform_edges(database_url: str) -> None:
    feature = FeatureSettings("x", binning=Binning(BinMethod.UNIFORM, count=4))
    axis = fit_one(database_url, [2.0, 3.0, 10.0, None, math.inf], feature)
    assert axis.edges == (2.0, 4.0, 6.0, 8.0, math.nextafter(10.0, math.inf))


def test_uniform_edges_over_the_widest_range(database_url: str) -> None:
    feature = FeatureSettings("x", binning=Binning(BinMethod.UNIFORM, count=2))
    axis = fit_one(database_url, [-1.7e308, 1.7e308], feature)
    assert axis.edges == (-1.7e308, 0.0, math.nextafter(1.7e308, math.inf))


def test_what_is_beyond_the_fitted_values_has_cells_of_its_own(database_url: str) -> None:
    values = [float(i) for i in range(-500, 500)]
    create(database_url, {"x": real(database_url)}, [[minutes(1), value] for value in values])
    with opened(database_url) as source:
        axis = fitted(source, FeatureSettings("x"))["x"]
        assert isinstance(axis, NumericAxis)
        assert (axis.edges[0], axis.edges[-1]) == (-500.0, math.nextafter(499.0, math.inf))
        cells = source.scan(planned(source, {"x": axis}), between(0, 5)).columns["x"].cells
    assert (cells.sum(), cells[0, 0], cells[0, -2]) == (1000, 0, 0)


def test_no_edge_lies_beyond_the_largest_float(database_url: str) -> None:
    largest = 1.7976931348623157e308
    feature = FeatureSettings("x", binning=Binning(count=2))
    axis = fit_one(database_url, [0.0, 1.0, 2.0, largest], feature)
    assert axis.edges[-1] == largest


def test_explicit_edges_are_taken_as_they_are(database_url: str) -> None:
    feature = FeatureSettings("x", binning=Binning(BinMethod.EXPLICIT, edges=(1.0, 5.0)))
    assert fit_one(database_url, [0.0], feature) == NumericAxis((1.0, 5.0))


def test_integers_decimals_booleans_as_numbers(database_url: str) -> None:
    sqlite = is_sqlite(database_url)
    kinds = {
        "n": "INTEGER" if sqlite else "integer",
        "d": "DECIMAL(8, 2)" if sqlite else "numeric(8, 2)",
        "b": "BOOLEAN" if sqlite else "boolean",
    }
    rows = [[minutes(1), i, i / 100, i % 2 == 0] for i in range(1, 101)]
    create(database_url, kinds, rows)
    with opened(database_url) as source:
        axes = fitted(
            source,
            FeatureSettings("n", binning=Binning(count=4)),
            FeatureSettings("d", binning=Binning(count=4)),
            FeatureSettings("b", kind=Kind.NUMERIC),
        )
        after = [math.nextafter(value, math.inf) for value in (0.0, 1.0, 100.0)]
        assert axes["n"] == NumericAxis((1.0, 25.0, 50.0, 75.0, 99.0, 100.0, after[2]))
        assert axes["d"] == NumericAxis((0.01, 0.25, 0.5, 0.75, 0.99, 1.0, after[1]))
        assert axes["b"] == NumericAxis((0.0, after[0], 1.0, after[1]))
        plan = planned(source, {n: a for n, a in axes.items() if not isinstance(a, ColumnTrouble)})
        panes = source.scan(plan, between(0, 5)).columns
        assert panes["n"].cells.tolist() == [[0, 24, 25, 25, 24, 1, 1, 0, 0]]
        assert panes["d"].cells.tolist() == [[0, 24, 25, 25, 24, 1, 1, 0, 0]]
        assert panes["b"].cells.tolist() == [[0, 50, 0, 50, 0, 0]]


def test_times_have_edges_in_seconds(database_url: str) -> None:
    sqlite = is_sqlite(database_url)
    moments = [datetime(2026, 1, 1, hour, tzinfo=UTC) for hour in range(20)]
    values: list[Any] = [m.strftime("%Y-%m-%d %H:%M:%S") for m in moments] if sqlite else moments
    kind = "TIMESTAMP" if sqlite else "timestamptz"
    feature = FeatureSettings("x", binning=Binning(count=2))
    axis = fit_one(database_url, values, feature, kind)
    assert axis.scale is Scale.TIME
    assert moments[9].timestamp() in axis.edges
    assert axis.edges[0] == moments[0].timestamp()


class TestCategorical:
    FEATURE = FeatureSettings("x", kind=Kind.CATEGORICAL, levels=3)

    def test_the_most_frequent_levels_then_the_known_ones(self, database_url: str) -> None:
        rows = {"d": 9, "c": 5, "b": 5, "a": 5, "e": 2, "once": 1, "Once": 1}
        values = [level for level, count in rows.items() for _ in range(count)]
        axis = fit_one(database_url, [*values, None], self.FEATURE, "TEXT")
        assert axis == CategoricalAxis(("d", "a", "b"), ("c", "e"), twice=1)

    def test_singletons_are_unseen_in_the_reference_itself(self, database_url: str) -> None:
        values = ["a"] * 5 + ["b", "c"]
        create(database_url, {"x": "TEXT"}, [[minutes(1), value] for value in values])
        with opened(database_url) as source:
            axis = fitted(source, self.FEATURE)["x"]
            assert isinstance(axis, CategoricalAxis)
            cells = source.scan(planned(source, {"x": axis}), between(0, 5)).columns["x"].cells
            assert cells.tolist() == [[5, 0, 2, 0]]

    def test_numbers_and_booleans_as_levels(self, sqlite_url: str, postgres_url: str) -> None:
        for url, booleans in ((sqlite_url, ("0", "1")), (postgres_url, ("false", "true"))):
            create(
                url, {"n": "INTEGER", "b": "BOOLEAN"},
                [[minutes(1), i % 3, i % 2 == 0] for i in range(12)],
            )  # fmt: skip
            with opened(url) as source:
                axes = fitted(
                    source, FeatureSettings("n", kind=Kind.CATEGORICAL), FeatureSettings("b")
                )
            assert axes["n"] == CategoricalAxis(("0", "1", "2"))
            assert axes["b"] == CategoricalAxis(booleans)

    def test_an_enum(self, postgres_url: str) -> None:
        create(postgres_url, {"x": "text"})
        run(
            postgres_url,
            "CREATE TYPE mood AS ENUM ('sad', 'ok')",
            "CREATE DOMAIN moods AS mood NOT NULL",
            "ALTER TABLE logs ALTER x TYPE moods USING 'ok'",
            "INSERT INTO logs SELECT '2026-03-02 00:01Z', 'ok' FROM generate_series(1, 3)",
        )
        with opened(postgres_url) as source:
            axis = fitted(source, FeatureSettings("x", kind=Kind.CATEGORICAL))["x"]
        assert axis == CategoricalAxis(("ok",))

    def test_fifty_thousand_levels(self, database_url: str) -> None:
        values = [f"l{i}" for i in range(50_000)] + [f"l{i}" for i in range(12_000)] * 6
        values += ["l7"] * 100
        create(database_url, {"x": "TEXT"}, [[minutes(1), value] for value in values])
        with opened(database_url) as source:
            axis = fitted(source, FeatureSettings("x", kind=Kind.CATEGORICAL))["x"]
            assert isinstance(axis, CategoricalAxis)
            assert axis.levels[0] == "l7"
            assert (len(axis.levels), len(axis.known)) == (50, 10_000)
            (cells,) = source.scan(planned(source, {"x": axis}), between(0, 5)).columns["x"].cells
            assert cells.sum() == len(values)
            assert cells[axis.other] == 7 * 10_000
            assert cells[axis.unseen] == 38_000 + 7 * (12_000 - 10_050)

    def test_too_many_levels_are_known_by_their_text_not_by_their_rows(
        self, database_url: str
    ) -> None:
        values = [f"l{i:05}" for i in range(11_000) for _ in range(2 + i % 3)]
        axis = fit_one(database_url, values, self.FEATURE, "TEXT")
        assert isinstance(axis, CategoricalAxis)
        assert axis.levels == ("l00002", "l00005", "l00008")
        first = [f"l{i:05}" for i in range(10_003)]
        assert axis.known == tuple(level for level in first if level not in axis.levels)
        assert axis.twice == sum(int(level[1:]) % 3 == 0 for level in axis.known)

    def test_identifiers_are_refused_with_advice(self, database_url: str) -> None:
        trouble = fit_one(database_url, [f"id {i}" for i in range(1_001)], self.FEATURE, "TEXT")
        assert isinstance(trouble, ColumnTrouble)
        assert trouble.reason == "too_many_levels"
        assert "1001 distinct of 1001 values look like an identifier" in trouble.message


class TestTroubles:
    def test_all_missing(self, database_url: str) -> None:
        for kind in (Kind.NUMERIC, Kind.CATEGORICAL):
            name = f"t{kind}"
            create(database_url, {"x": real(database_url)}, [[minutes(1), None]] * 3, table=name)
            with opened(database_url) as source:
                info = source.inspect(relation(name))
                features = [FeatureSettings("x", kind=kind)]
                trouble = source.fit(relation(name), info, features, DAY_LONG)["x"]
            assert isinstance(trouble, ColumnTrouble)
            assert trouble.reason == "all_missing"
            assert f"'{name}', column 'x'" in trouble.message

    def test_only_infinite_values(self, database_url: str) -> None:
        trouble = fit_one(database_url, [math.inf, -math.inf], FeatureSettings("x"))
        assert isinstance(trouble, ColumnTrouble)
        assert trouble.reason == "all_missing"

    def test_no_rows(self, database_url: str) -> None:
        trouble = fit_one(database_url, [], FeatureSettings("x"))
        assert isinstance(trouble, ColumnTrouble)
        assert trouble.reason == "no_reference"

    def test_a_missing_column(self, database_url: str) -> None:
        trouble = fit_one(database_url, [1.0], FeatureSettings("x"))
        assert isinstance(trouble, NumericAxis)
        with opened(database_url) as source:
            missing = fitted(source, FeatureSettings("xx"))["xx"]
        assert isinstance(missing, ColumnTrouble)
        assert missing.reason == "column_missing"
        assert "did you mean 'x'?" in missing.message

    def test_text_is_never_guessed(self, database_url: str) -> None:
        trouble = fit_one(database_url, ["a"], FeatureSettings("x"), "TEXT")
        assert isinstance(trouble, ColumnTrouble)
        assert "declare kind: categorical" in trouble.message

    def test_text_declared_numeric(self, database_url: str) -> None:
        trouble = fit_one(database_url, ["1"], FeatureSettings("x", kind=Kind.NUMERIC), "TEXT")
        assert isinstance(trouble, ColumnTrouble)
        assert "has no numbers" in trouble.message

    def test_one_column_s_trouble_leaves_the_others(self, database_url: str) -> None:
        kind = real(database_url)
        create(database_url, {"x": kind, "y": kind}, [[minutes(1), None, 1.0]])
        with opened(database_url) as source:
            axes = fitted(source, FeatureSettings("x"), FeatureSettings("z"), FeatureSettings("y"))
        assert [type(axis) for axis in axes.values()] == [ColumnTrouble, ColumnTrouble, NumericAxis]

    def test_a_column_that_cannot_be_computed(self, postgres_url: str) -> None:
        create(postgres_url, {"x": "int", "y": "int"}, [[minutes(1), 0, 1]])
        run(postgres_url, "CREATE VIEW v AS SELECT scored_at, 1 / x AS x, 1 / y AS y FROM logs")
        with opened(postgres_url) as source:
            info = source.inspect(relation("v"))
            features = [FeatureSettings("x"), FeatureSettings("y")]
            axes = source.fit(relation("v"), info, features, DAY_LONG)
        trouble = axes["x"]
        assert isinstance(trouble, ColumnTrouble)
        assert trouble.reason == "unreadable"
        assert "division by zero" in trouble.message
        assert isinstance(axes["y"], NumericAxis)


def test_only_the_rows_of_the_interval_are_fitted(database_url: str) -> None:
    rows = [[minutes(m), float(m)] for m in range(100)]
    create(database_url, {"x": real(database_url)}, rows)
    with opened(database_url) as source:
        info = source.inspect(relation())
        feature = FeatureSettings("x", binning=Binning(BinMethod.UNIFORM, count=1))
        axis = source.fit(relation(), info, [feature], between(10, 20))["x"]
    assert axis == NumericAxis((10.0, math.nextafter(19.0, 20)))


def test_a_column_without_a_type_may_hold_numbers(sqlite_url: str) -> None:
    axis = fit_one(sqlite_url, [1, 2.5, "x"], FeatureSettings("x", kind=Kind.NUMERIC), "BLOB")
    assert isinstance(axis, NumericAxis)
    assert axis.edges[0] == 1.0
