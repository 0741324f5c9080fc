"""Which features are counted together with the prediction, to explain its drift."""

from collections.abc import Sequence

from driftwatch.config.column import watched_names
from driftwatch.config.node import Node
from driftwatch.config.problem import Problems, suggestion
from driftwatch.config.reading import Reading
from driftwatch.config.settings import CohortReference, FeatureSettings, ReferenceSettings
from driftwatch.config.shape import MonitorShape


def read_explained(
    reading: Reading[MonitorShape],
    columns: Sequence[FeatureSettings],
    reference: ReferenceSettings | None,
    problems: Problems,
) -> tuple[str, ...]:
    """The names of these features; none where it is not asked for or a problem was told.

    reference: what the monitor is compared with, None where that has a problem.
    """
    shape, node = reading.shape.explain_prediction, reading.at("explain_prediction")
    if shape is None:
        return ()
    if _lacks_prediction(reading.node):
        problems.at(
            node,
            "there is no prediction to be explained; add prediction, or remove explain_prediction",
        )
        return ()
    own = next((one for one in columns if one.prediction), None)
    if own is not None and isinstance(own.reference or reference, CohortReference):
        problems.at(
            node,
            "the prediction is compared with a cohort, whose rows are not counted together; give "
            "prediction a reference of another kind, or remove explain_prediction",
        )
    features = [one.name for one in columns if not one.prediction]
    if own is not None and not features and "features" not in (reading.node.mapping or {}):
        problems.at(
            node, "there is no feature to explain it by; add features, or remove explain_prediction"
        )
    if shape.features is None:
        return tuple(features)
    _check_features(shape.features, node, reading.node, problems)
    return tuple(dict.fromkeys(shape.features))


def _lacks_prediction(monitor: Node) -> bool:
    prediction = monitor.get("prediction")
    return prediction is None or (prediction.value is None and not prediction.lost)


def _check_features(named: Sequence[str], node: Node, monitor: Node, problems: Problems) -> None:
    watched = watched_names(monitor)
    if watched is None:
        return
    prediction = (monitor.get("prediction") or monitor).get("name")
    if prediction is not None:
        watched.pop(str(prediction.value), None)
    listed = node.get("features") or node
    for name, place in zip(named, listed.items or (), strict=False):
        if name not in watched:
            near = suggestion(place.raw, list(watched.values()))
            problems.at(place, f"{place.shown()} is not a watched feature; {near}")
