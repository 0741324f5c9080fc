"""What the configuration is once it has been read: frozen values, every default applied."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from driftwatch.alert.policy import AlertPolicy
from driftwatch.verdict.policy import VOLUME, FixedThreshold, VolumeThreshold
from driftwatch.window import Interval


class Kind(StrEnum):
    """How the values of a column are counted."""

    NUMERIC = "numeric"
    CATEGORICAL = "categorical"


class BinMethod(StrEnum):
    QUANTILE = "quantile"
    UNIFORM = "uniform"
    EXPLICIT = "explicit"


@dataclass(frozen=True, slots=True)
class Binning:
    """How the axis of a numeric feature is fitted to the reference.

    count: bins of `quantile` and `uniform`; edges: those of `explicit`.
    """

    method: BinMethod = BinMethod.QUANTILE
    count: int = 20
    edges: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class FeatureSettings:
    """One watched column. kind None: numeric if its SQL type is; check proposes what is not."""

    name: str
    prediction: bool = False
    kind: Kind | None = None
    binning: Binning = field(default_factory=Binning)
    levels: int = 50
    threshold: FixedThreshold = field(default_factory=FixedThreshold)


@dataclass(frozen=True, slots=True)
class SourceSettings:
    """A store of logs that is read with SELECT alone. `url` holds secrets: never print it.

    capture_timeout_seconds: of the statements that fit and count a reference, which read all of
    its range once; statement_timeout_seconds: of all others.
    """

    name: str
    url: str = field(repr=False)
    statement_timeout_seconds: float = 30.0
    capture_timeout_seconds: float = 3_600.0
    max_concurrent: int = 2


@dataclass(frozen=True, slots=True)
class RelationSettings:
    """Where the rows of a monitor are. `where` is SQL that the user wrote, used as it is.

    timestamp_format: a strftime format, for stores (SQLite) that keep timestamps as text;
    None elsewhere and for SQLite's usual `%Y-%m-%d %H:%M:%S`.
    """

    table: str
    schema: str | None
    timestamp: str
    timestamp_format: str | None = None
    where: str | None = None


@dataclass(frozen=True, slots=True)
class MonitorSettings:
    """One thing watched: a table, its features, windows, thresholds. Lengths are in seconds."""

    name: str
    source: str
    relation: RelationSettings
    features: tuple[FeatureSettings, ...]
    reference: Interval
    pane_seconds: int
    every_seconds: int
    delay_seconds: int
    window_seconds: tuple[int, ...]
    start: "Start"
    catch_up_seconds: int
    min_rows: int = 100
    volume: VolumeThreshold = field(default_factory=VolumeThreshold)
    alert: AlertPolicy = field(default_factory=AlertPolicy)
    place: str = ""

    def watches(self, feature: str, window_seconds: int) -> bool:
        """Whether this feature (or the volume) is judged over windows of this length now."""
        names = {VOLUME, *(one.name for one in self.features)}
        return feature in names and window_seconds in self.window_seconds


@dataclass(frozen=True, slots=True)
class Start:
    """Where the first judged window of a new monitor begins: a moment, or None for "now": one
    longest window back from the first evaluation."""

    epoch_seconds: int | None = None


@dataclass(frozen=True, slots=True)
class WebhookSettings:
    """Where each change of an alert is posted. `url` and `headers` may hold secrets."""

    url: str = field(repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    timeout_seconds: float = 10.0


@dataclass(frozen=True, slots=True)
class Settings:
    """The whole configuration. `store_url` holds secrets: never print it."""

    store_url: str = field(repr=False)
    host: str
    port: int
    grace_seconds: float
    sources: Mapping[str, SourceSettings]
    monitors: tuple[MonitorSettings, ...]
    webhook: WebhookSettings | None = None
    path: Path | None = None
