"""What the configuration is once it has been read: frozen values, every default applied."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from driftwatch.alert.policy import AlertPolicy
from driftwatch.config.secret import NO_FILES, DatabaseSecrets, SecretFile
from driftwatch.verdict.harm import SeverityRule
from driftwatch.verdict.policy import VOLUME, CalibratedThreshold, Policy, VolumeThreshold
from driftwatch.window import UTC, Calendar, Interval


class Kind(StrEnum):
    """How the values of a column are counted."""

    NUMERIC = "numeric"
    CATEGORICAL = "categorical"


class ExtraMetric(StrEnum):
    """Metrics of a feature that are exposed of the monitors that ask for them."""

    DETECTABLE_EFFECT = "driftwatch_detectable_effect_size"
    INFLATION = "driftwatch_inflation_ratio"
    WOBBLE = "driftwatch_reference_wobble_size"
    P_VALUE = "driftwatch_p_value"
    JS_DISTANCE = "driftwatch_js_distance_ratio"
    JS_NOISE = "driftwatch_js_divergence_noise_nats"


MONITOR_MAX_SERIES = 20_000
ALL_MAX_SERIES = 200_000
"""Series of features that are exposed, of one monitor and of all, unless told otherwise."""


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
class SourceSettings:
    """A store of logs that is read with SELECT alone. `url` holds secrets: never print it.

    capture_timeout_seconds: of the statements that fit and count a reference, which read all of
    its range once; statement_timeout_seconds: of all others. secrets: the files that the url was
    made of, which are read again for each new connection.
    """

    name: str
    url: str = field(repr=False)
    statement_timeout_seconds: float = 30.0
    capture_timeout_seconds: float = 3_600.0
    max_concurrent: int = 2
    secrets: DatabaseSecrets = NO_FILES


@dataclass(frozen=True, slots=True)
class RelationSettings:
    """Where the rows of a monitor are. `where` and `query` are SQL that the user wrote, used as
    it is.

    table: the table or view, or, where `query` is set, the words by which messages name it.
    timestamp: None for rows without a time, such as training data. timestamp_format: a strftime
    format for text, `epoch_s` or `epoch_ms`; None for timestamps with a type of their own and for
    SQLite's usual `%Y-%m-%d %H:%M:%S`. timestamp_zone: the zone of timestamps that do not say one
    themselves. partition: a column of dates (UTC) by which the table is cut: its bounds are added
    to every scan. updated_at: a column that is set at every change of a row, kept as the timestamp
    is.
    """

    table: str
    schema: str | None
    timestamp: str | None
    timestamp_format: str | None = None
    where: str | None = None
    query: str | None = None
    timestamp_zone: str = "UTC"
    partition: str | None = None
    updated_at: str | None = None


@dataclass(frozen=True, slots=True)
class RollingReference:
    """The `seconds` before each window, without what is excluded or flagged."""

    seconds: int


@dataclass(frozen=True, slots=True)
class SeasonalReference:
    """The same hours of the week in the `weeks` before each window, by the monitor's calendar,
    without what is excluded or flagged."""

    weeks: int


@dataclass(frozen=True, slots=True)
class CohortReference:
    """Other rows of the same table in the same window: those for which `where` (SQL) is true."""

    where: str


@dataclass(frozen=True, slots=True)
class TableReference:
    """All rows of another table or query, such as training data; source None: the monitor's."""

    relation: RelationSettings
    source: SourceSettings | None = None


@dataclass(frozen=True, slots=True)
class FileReference:
    """All rows of a CSV or Parquet file."""

    path: Path


ReferenceSettings = (
    Interval
    | RollingReference
    | SeasonalReference
    | CohortReference
    | TableReference
    | FileReference
)
"""What is compared with. An Interval is a range of the monitor's own rows. A range, a table and a
file are captured once (fixed); the others move with the window and are summed from the ledger."""


@dataclass(frozen=True, slots=True)
class FeatureSettings:
    """One watched column. kind None: numeric if its SQL type is; check proposes what is not.

    reference None: the monitor's. delay_seconds: of a column that is joined later than the rows
    arrive; None: the monitor's, which it is never below. severity: what its critical limit is
    worth; made_by_prompt: whether retrieval or a prompt makes it, so that a drift is looked for
    there.
    """

    name: str
    prediction: bool = False
    kind: Kind | None = None
    binning: Binning = field(default_factory=Binning)
    levels: int = 50
    threshold: Policy = field(default_factory=CalibratedThreshold)
    reference: ReferenceSettings | None = None
    delay_seconds: int | None = None
    severity: SeverityRule = SeverityRule.BY_HARM
    made_by_prompt: bool = False


@dataclass(frozen=True, slots=True)
class VersionSettings:
    """The column that names the model's version; a version has a reference of its own when
    `handover_seconds` of its rows were counted."""

    column: str
    handover_seconds: int = 7 * 86_400


@dataclass(frozen=True, slots=True)
class SegmentGroup:
    """Rows grouped by the values of these columns together.

    levels: the values that are watched, one tuple of texts per segment; empty: the most frequent
    ones of the reference, at most `limit`. All others are one segment, "other".
    """

    columns: tuple[str, ...]
    levels: tuple[tuple[str, ...], ...] = ()
    limit: int = 20


@dataclass(frozen=True, slots=True)
class SegmentSettings:
    """Parts of the rows that are judged by themselves, over windows of these lengths.

    min_rows: a value with fewer rows in the reference is part of "other". page: whether their
    alerts are told as those of all rows are; else they only explain.
    """

    groups: tuple[SegmentGroup, ...]
    window_seconds: tuple[int, ...]
    min_rows: int = 20
    page: bool = False


@dataclass(frozen=True, slots=True)
class Exclusion:
    """A range of event time that is shown, but pages nobody and teaches nothing.

    feature: "" for all of the monitor.
    """

    interval: Interval
    reason: str
    feature: str = ""


@dataclass(frozen=True, slots=True)
class MonitorSettings:
    """One thing watched: a table, its features, windows, thresholds. Lengths are in seconds.

    calendar: of windows and seasons. recheck_seconds: the ages at which panes are compared with
    the log again, rising. ready: SQL that tells up to when the log is complete, None: the delay
    alone tells. widen_seconds: how far back a window with fewer than min_rows may reach; None: such
    a window is not judged. show_levels: whether sentences may name levels and limits of bins.
    explained_by: the features that are counted together with the prediction, to tell how much of
    its drift each of them explains. labels: the user's own, of `driftwatch_monitor_info`, by name.
    max_series: series of its features that are exposed at most.
    """

    name: str
    source: str
    relation: RelationSettings
    features: tuple[FeatureSettings, ...]
    reference: ReferenceSettings
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
    calendar: Calendar = UTC
    recheck_seconds: tuple[int, ...] = (900, 3_600, 21_600, 86_400)
    ready: str | None = None
    widen_seconds: int | None = None
    version: VersionSettings | None = None
    segments: SegmentSettings | None = None
    exclusions: tuple[Exclusion, ...] = ()
    show_levels: bool = False
    explained_by: tuple[str, ...] = ()
    max_series: int = MONITOR_MAX_SERIES
    extra_metrics: frozenset[ExtraMetric] = frozenset()
    labels: Mapping[str, str] = field(default_factory=dict)

    def reference_of(self, feature: FeatureSettings) -> ReferenceSettings:
        """What this feature is compared with."""
        return self.reference if feature.reference is None else feature.reference

    @property
    def grouped_by(self) -> tuple[str, ...]:
        """The columns that rows are told apart by and that are no features: of `version` and
        `segments`."""
        names = [self.version.column] if self.version else []
        if self.segments is not None:
            names += [name for group in self.segments.groups for name in group.columns]
        features = {one.name for one in self.features}
        return tuple(name for name in dict.fromkeys(names) if name not in features)

    def watches(self, feature: str, window_seconds: int) -> bool:
        """Whether this feature (or the volume) is judged over windows of this length now. Columns
        that rows are told apart by are watched over the shortest, for whether they are there."""
        if feature in self.grouped_by:
            return window_seconds == min(self.window_seconds)
        names = {VOLUME, *(one.name for one in self.features)}
        return feature in names and window_seconds in self.window_seconds


@dataclass(frozen=True, slots=True)
class Start:
    """Where the first judged window of a new monitor begins: a moment, or None for "now": one
    longest window back from the first evaluation."""

    epoch_seconds: int | None = None


@dataclass(frozen=True, slots=True)
class WebhookSettings:
    """Where each change of an alert is posted. `url` and `headers` may hold secrets.

    url_file: where the url was read, and is read again for each try; None: in the configuration.
    header_files: further headers, whose values are read for each try.
    """

    url: str = field(repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    timeout_seconds: float = 10.0
    url_file: SecretFile | None = None
    header_files: Mapping[str, SecretFile] = field(default_factory=dict)

    def url_now(self) -> str:
        """The url, as its file says at this moment. SecretError if it says none."""
        return self.url if self.url_file is None else self.url_file.read()

    def headers_now(self) -> dict[str, str]:
        """Those of the configuration and of the files. SecretError if a file holds none."""
        return {**self.headers, **{name: one.read() for name, one in self.header_files.items()}}


@dataclass(frozen=True, slots=True)
class RetentionSettings:
    """After how many seconds (of event time for counts and results, of process time for the rest)
    each table forgets; None: never.

    panes: the finest counts, where hours were made of them; hours: hourly counts, where days were;
    days: daily counts. results: with their pictures. events: of alerts, with annotations.
    """

    panes_seconds: int | None = 30 * 86_400
    hours_seconds: int | None = 400 * 86_400
    days_seconds: int | None = None
    results_seconds: int | None = 400 * 86_400
    evaluations_seconds: int | None = 90 * 86_400
    events_seconds: int | None = None
    notifications_seconds: int | None = 30 * 86_400


@dataclass(frozen=True, slots=True)
class LinkSettings:
    """Addresses that alerts name, without a slash at the end: of the daemon as people reach it, of
    the published folder of runbooks (a path where none is told), of Grafana."""

    driftwatch: str = "http://127.0.0.1:10777"
    runbooks: str = "docs/runbooks"
    grafana: str | None = None


@dataclass(frozen=True, slots=True)
class Settings:
    """The whole configuration. `store_url` holds secrets: never print it.

    store_secrets: the files that it was made of, which are read again for each new connection.
    max_series: of the features of all monitors together. web_config: the file of TLS and users of
    the HTTP server, which that server reads. variables: texts that hold the value of a variable,
    with how the file writes them; it is shown instead.
    """

    store_url: str = field(repr=False)
    host: str
    port: int
    grace_seconds: float
    sources: Mapping[str, SourceSettings]
    monitors: tuple[MonitorSettings, ...]
    webhook: WebhookSettings | None = None
    retention: RetentionSettings = field(default_factory=RetentionSettings)
    max_series: int = ALL_MAX_SERIES
    links: LinkSettings = LinkSettings()
    path: Path | None = None
    store_secrets: DatabaseSecrets = NO_FILES
    web_config: Path | None = None
    variables: Mapping[str, str] = field(default_factory=dict, repr=False, compare=False)
