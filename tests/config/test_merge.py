"""Defaults under a monitor: maps merge, lists and single values replace."""

import pytest

from tests.config.conftest import Load, monitor


@pytest.mark.parametrize(
    ("default", "own", "expected"),
    [
        ("{warning: 0.1, critical: 0.3}", "{js_distance: {warning: 0.2}}", (0.2, 0.3)),
        ("{warning: 0.1, critical: 0.3}", "{psi: {warning: 0.2}}", (0.2, None)),
    ],
)
def test_limits_merge_for_one_measure_only(
    load: Load, default: str, own: str, expected: tuple[float, float | None]
) -> None:
    text = monitor(f"thresholds: {own}")
    settings = load(f"defaults: {{thresholds: {{js_distance: {default}}}}}\n{text}")

    threshold = settings.monitors[0].features[0].threshold
    assert (threshold.warning, threshold.critical) == expected


def test_single_values_and_lists_replace(load: Load) -> None:
    text = "defaults: {pane: 15m, windows: [1d, 7d], delay: 5m}\n" + monitor(
        "windows: [1h]", "delay: 0s"
    )

    (found,) = load(text).monitors

    assert (found.pane_seconds, found.window_seconds, found.delay_seconds) == (900, (3600,), 0)


def test_columns_merge_by_name_and_bins_replace(load: Load) -> None:
    columns = "{distance: {kind: numeric, bins: {method: uniform, count: 9}}, carrier: }"
    text = f"defaults: {{features: {columns}}}\n" + monitor(
        columns="features: {distance: {bins: {edges: [1]}}, origin: }"
    )

    (found,) = load(text).monitors

    assert [(f.name, f.kind, f.binning.edges) for f in found.features] == [
        ("distance", "numeric", (1.0,)),
        ("carrier", None, ()),
        ("origin", None, ()),
    ]


def test_null_undoes_a_default(load: Load) -> None:
    text = "defaults: {where: a > 1, prediction: p}\n" + monitor("where: ~", "prediction:")

    (found,) = load(text).monitors

    assert found.relation.where is None
    assert [feature.name for feature in found.features] == ["distance"]
