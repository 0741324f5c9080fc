"""The watched columns: short and long forms, and what does not fit."""

import pytest

from tests.config.conftest import Load, Tell, monitor


@pytest.mark.parametrize(
    "columns",
    [
        "features: [a, {name: b, kind: numeric}]",
        "features: [{name: a}, {name: b, kind: numeric}]",
        "features: {a: , b: {kind: numeric}}",
        "features: {a: {}, b: {kind: numeric}}",
    ],
)
def test_forms_of_features_are_equal(load: Load, columns: str) -> None:
    (found,) = load(monitor(columns=columns)).monitors

    assert [(f.name, f.kind) for f in found.features] == [("a", None), ("b", "numeric")]


def test_prediction_alone_is_enough_and_comes_first(load: Load) -> None:
    alone = load(monitor(columns="prediction: p")).monitors[0].features
    both = load(monitor("prediction: {name: p, levels: 3}")).monitors[0].features

    assert [(f.name, f.prediction) for f in alone] == [("p", True)]
    assert [(f.name, f.prediction, f.levels) for f in both] == [
        ("p", True, 3),
        ("distance", False, 50),
    ]


@pytest.mark.parametrize(
    ("columns", "told"),
    [
        ("features: []", "features: lists nothing; list the columns to watch"),
        ("features: ", "features: has no value; write a list of column names, or a mapping from"),
        ("features: a", "features: must be a list of column names, or a mapping from column names"),
        ("features: 3", "features: must be a list of column names, or a mapping from column name"),
        ("min_rows: 1", "features: missing; list the columns to watch"),
        ("features: [a, b, a]", "features[2]: 'a' is watched already (line 7); keep one"),
        ("features: [scored_at]", "features[0]: 'scored_at' is the timestamp; it always moves"),
        ("prediction: scored_at", "prediction: 'scored_at' is the timestamp; it always moves"),
        ("features: ['@volume']", "features[0]: '@volume' begins with @, which is kept for"),
        ("features: [2013]", 'features[0]: must be text; put it in quotes: "..."'),
        ("features: [true]", 'features[0]: must be text; put it in quotes: "..."'),
        ("features: [[a]]", "features[0]: must be a column name, or a mapping with name, not a li"),
        ("features: [~]", "features[0]: has no value; write a column name, or a mapping with name"),
        ("features: [' ']", "features[0]: must not be blank; remove the key or write a value"),
        ("features: [{kind: numeric}]", "features[0].name: missing; name the column"),
        ("features: [{name: a, bin: 3}]", "features[0].bin: unknown key; did you mean 'bins'?"),
        ("features: {a: 3}", "features.a: must be a mapping of keys, not a number"),
        ("features: {a: {name: b}}", "features.a.name: the key above names the column already"),
        ("features: {'@a': }", "features.@a: '@a' begins with @, which is kept for"),
        ("features: {a: {kind: numerical}}", "features.a.kind: 'numerical' is unknown; did you m"),
        ("features: {a: {kind: x}}", "features.a.kind: 'x' is unknown; known here: categorical,"),
        ("features: {a: {kind: 3}}", "features.a.kind: '3' is unknown; known here: categorical,"),
        ("features: {a: {bins: 1}}", "features.a.bins: must be at least 2"),
        ("features: {a: {bins: 201}}", "features.a.bins: must be at most 200"),
        ("features: {a: {bins: 2.5}}", "features.a.bins: must be a number of bins, or a mapping"),
        ("features: {a: {bins: {count: 2.5}}}", "features.a.bins.count: must be a whole number, n"),
        ("features: {a: {bins: {count: x}}}", "features.a.bins.count: must be a whole number, not"),
        ("features: {a: {bins: [1, 2]}}", "features.a.bins: must be a number of bins, or a mapp"),
        ("features: {a: {bins: {method: log}}}", "features.a.bins.method: 'log' is unknown; know"),
        ("features: {a: {bins: {method: explicit}}}", "features.a.bins: explicit bins need edges"),
        ("features: {a: {bins: {edges: [1], count: 3}}}", "features.a.bins: edges say everything"),
        ("features: {a: {bins: {edges: [2, 1]}}}", "features.a.bins.edges: edges must rise stri"),
        ("features: {a: {bins: {edges: [1, 1]}}}", "features.a.bins.edges: edges must rise stri"),
        ("features: {a: {bins: {edges: []}}}", "features.a.bins.edges: must have at least 1 entr"),
        ("features: {a: {bins: {edges: [.inf]}}}", "features.a.bins.edges[0]: must be a finite n"),
        ("features: {a: {bins: {edges: [x]}}}", "features.a.bins.edges[0]: must be a number, not"),
        ("features: {a: {kind: categorical, bins: 3}}", "features.a.bins: a categorical column h"),
        ("features: {a: {kind: numeric, levels: 3}}", "features.a.levels: a numeric column has b"),
        ("features: {a: {levels: 3, bins: 3}}", "features.a.levels: bins and levels together; ke"),
        ("features: {a: {levels: 0}}", "features.a.levels: must be at least 1"),
        ("features: {a: {levels: 1001}}", "features.a.levels: must be at most 1000"),
        ("features: {a: {levels: true}}", "features.a.levels: must be a whole number, not true o"),
        (
            "features: {a: {threshold: 3}}",
            "features.a.threshold: must be a mapping, such as {effect",
        ),
        (
            "features: {a: {kind: categorical, threshold: {ks: {warning: 0.1}}}}",
            "features.a: ks needs values in an order, which categories lack; give",
        ),
        (
            "features: {'a b': {x: 1}}",
            'features["a b"].x: unknown key; known here: alpha, bins, delay,',
        ),
    ],
)
def test_columns_that_do_not_fit(tell: Tell, columns: str, told: str) -> None:
    (line,) = tell(monitor(columns=columns))

    number = 3 if "missing; list" in told else 7
    assert line.startswith(f"{number}: monitors[0].{told}")


def test_every_broken_column_is_told(tell: Tell) -> None:
    lines = tell(monitor(columns="features: [a, {name: a, bins: 0}, {name: b, kind: x}, b, 7]"))

    assert [line.split(";")[0] for line in lines] == [
        "7: monitors[0].features[1].bins: must be at least 2",
        "7: monitors[0].features[1].name: 'a' is watched already (line 7)",
        "7: monitors[0].features[2].kind: 'x' is unknown",
        "7: monitors[0].features[3]: 'b' is watched already (line 7)",
        "7: monitors[0].features[4]: must be text",
    ]


@pytest.mark.parametrize(
    ("table", "schema", "name"),
    [
        ("predictions", None, "predictions"),
        ("ml.predictions", "ml", "predictions"),
        ("'ml.odd name'", None, "ml.odd name"),
        ("a.b.c", None, "a.b.c"),
        ("'\"ml\".x'", None, '"ml".x'),
        ("{name: ml.predictions}", None, "ml.predictions"),
        ("{schema: a.b, name: c; drop}", "a.b", "c; drop"),
    ],
)
def test_tables(load: Load, table: str, schema: str | None, name: str) -> None:
    (found,) = load(monitor().replace("table: predictions", f"table: {table}")).monitors

    assert (found.relation.schema, found.relation.table) == (schema, name)
