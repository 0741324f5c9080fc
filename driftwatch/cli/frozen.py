"""What is configured and not done: bins of a frozen axis (ADR 2), other rows (ADR 15)."""

from collections.abc import Iterator

from driftwatch.config.settings import BinMethod, FeatureSettings, Kind, MonitorSettings
from driftwatch.evaluate.definition import changed_definition
from driftwatch.stats.axis import Axis, CategoricalAxis
from driftwatch.store import axes, monitors
from driftwatch.store.engine import Store


def unheeded(store: Store, monitor: MonitorSettings) -> Iterator[str]:
    """A sentence if the monitor reads other rows than those that are stored, and one per feature
    whose stored axis is not of the kind, edges or levels configured now.

    A changed number of quantile or uniform bins is not seen: the axis does not say how many were
    asked for.
    """
    with store.read() as connection:
        known = monitors.find(connection, monitor.name)
        stored = axes.active(connection, known.id) if known else {}
    if known and (changed := changed_definition(known.definition, monitor)):
        yield changed
    for feature in monitor.features:
        record = stored.get(feature.name)
        if record is not None and not _heeds(record.axis, feature):
            yield (
                f"the bins of {feature.name!r} were fitted otherwise (axis version "
                f"{record.version}) and stay as they are; `driftwatch reference capture --refit` "
                "makes new ones"
            )


def _heeds(axis: Axis, feature: FeatureSettings) -> bool:
    if isinstance(axis, CategoricalAxis):
        fewer_than_known = len(axis.levels) < feature.levels and axis.known
        more_than_wanted = len(axis.levels) > feature.levels
        return feature.kind is not Kind.NUMERIC and not (fewer_than_known or more_than_wanted)
    if feature.kind is Kind.CATEGORICAL:
        return False
    explicit = feature.binning.method is BinMethod.EXPLICIT
    return not explicit or feature.binning.edges == axis.edges
