"""`explain_prediction`: which features are counted together with the prediction."""

import pytest

from tests.config.conftest import MONITOR, Load, Tell, monitor

COLUMNS = "prediction: p_late\n    features: [dep_delay, carrier]"


@pytest.mark.parametrize(
    ("line", "features"),
    [
        ("explain_prediction: true", ("dep_delay", "carrier")),
        ("explain_prediction: {}", ("dep_delay", "carrier")),
        ("explain_prediction: {features: [carrier, carrier]}", ("carrier",)),
        ("explain_prediction: false", ()),
        ("explain_prediction: ~", ()),
        ("min_rows: 5", ()),
    ],
)
def test_features_are_all_or_those_that_are_named(
    load: Load, line: str, features: tuple[str, ...]
) -> None:
    (found,) = load(monitor(line, columns=COLUMNS)).monitors
    assert found.explained_by == features


def test_a_default_is_undone_by_false(load: Load) -> None:
    defaults = "defaults: {explain_prediction: true}\n"
    (kept,) = load(defaults + monitor(columns=COLUMNS)).monitors
    (undone,) = load(defaults + monitor("explain_prediction: false", columns=COLUMNS)).monitors
    assert (kept.explained_by, undone.explained_by) == (("dep_delay", "carrier"), ())


def test_without_a_prediction_there_is_nothing_to_explain(tell: Tell) -> None:
    (line,) = tell(monitor("explain_prediction: true"))
    assert line == (
        "8: monitors[0].explain_prediction: there is no prediction to be explained; add "
        "prediction, or remove explain_prediction"
    )
    (line,) = tell("defaults: {explain_prediction: true}\n" + monitor())
    assert line.startswith("1: defaults.explain_prediction: there is no prediction")


def test_without_a_feature_nothing_explains(tell: Tell) -> None:
    (line,) = tell(monitor("explain_prediction: true", columns="prediction: p"))
    assert line.startswith("8: monitors[0].explain_prediction: there is no feature to explain it")


@pytest.mark.parametrize(
    ("named", "told"),
    [
        ("dep_dela", "'dep_dela' is not a watched feature; did you mean 'dep_delay'?"),
        ("p_late", "'p_late' is not a watched feature; "),
    ],
)
def test_only_watched_features_are_named(tell: Tell, named: str, told: str) -> None:
    line = f"explain_prediction: {{features: [{named}]}}"
    (found,) = tell(monitor(line, columns=COLUMNS))
    assert found.startswith(f"9: monitors[0].explain_prediction.features[0]: {told}")


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("explain_prediction: [carrier]", "must be true, or a mapping with features"),
        ("explain_prediction: 'yes'", "must be true, or a mapping with features"),
        ("explain_prediction: {features: []}", "must have at least 1 entry"),
        ("explain_prediction: {feature: [carrier]}", "unknown key; did you mean 'features'?"),
    ],
)
def test_what_it_is_not(tell: Tell, line: str, told: str) -> None:
    (found,) = tell(monitor(line, columns=COLUMNS))
    assert told in found


def test_a_cohort_is_not_counted_together(tell: Tell, load: Load) -> None:
    cohort = MONITOR.replace("{from: 2026-09-01, to: 2026-10-01}", "{cohort: champion}")
    lines = f"    {COLUMNS}\n    explain_prediction: true\n"
    (found,) = tell(cohort + lines)
    assert "the prediction is compared with a cohort" in found
    own = COLUMNS.replace("p_late", "{name: p_late, reference: {rolling: 28d}}")
    (monitor,) = load(cohort + lines.replace(COLUMNS, own)).monitors
    assert monitor.explained_by == ("dep_delay", "carrier")
