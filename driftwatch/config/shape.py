"""The shape of the file: every key, its type, range and default. Cross references come after.

What has a short form (`features: [a, b]`, `bins: 20`, `store: URL`) is here in its long form only:
shorthand.py writes it out first. Keys that must be there are told by the readers, so that the
problems of a half-written monitor are all found at once; None means "not written".
"""

from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from driftwatch.config.scalar import (
    Age,
    Alpha,
    Column,
    Duration,
    Edge,
    LabelValue,
    Limit,
    Listen,
    Moment,
    MonitorName,
    PositiveDuration,
    RowsFile,
    Text,
    Zone,
    one_of,
)
from driftwatch.config.settings import (
    ALL_MAX_SERIES,
    MONITOR_MAX_SERIES,
    BinMethod,
    ExtraMetric,
    Kind,
    RetentionSettings,
    SegmentGroup,
    SegmentSettings,
    VersionSettings,
)
from driftwatch.verdict.harm import SeverityRule
from driftwatch.verdict.policy import CalibratedThreshold

Severity = Annotated[SeverityRule, BeforeValidator(one_of(SeverityRule))]
MINUTE, HOUR, DAY = 60, 3_600, 86_400
_KEPT = RetentionSettings()


class Shape(BaseModel):
    """A mapping of the file whose keys are known."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, hide_input_in_errors=True)


class StoreShape(Shape):
    url: Text | None = Field(default=None, repr=False)
    url_file: Text | None = Field(default=None, repr=False)
    password_file: Text | None = Field(default=None, repr=False)


class SourceShape(StoreShape):
    statement_timeout: PositiveDuration = 30
    capture_timeout: PositiveDuration = 3_600
    max_concurrent: int = Field(default=2, ge=1, le=32)


class WebhookShape(Shape):
    url: Text | None = Field(default=None, repr=False)
    url_file: Text | None = Field(default=None, repr=False)
    headers: dict[str, Text] = Field(default_factory=dict, repr=False)
    header_files: dict[str, Text] = Field(default_factory=dict, repr=False)
    timeout: PositiveDuration = 10


class NotifyShape(Shape):
    webhook: WebhookShape | None = None


class LinksShape(Shape):
    driftwatch: Text | None = None
    runbooks: Text | None = None
    grafana: Text | None = None


class BinsShape(Shape):
    method: Annotated[BinMethod, BeforeValidator(one_of(BinMethod))] | None = None
    count: int | None = Field(default=None, ge=2, le=200)
    edges: list[Edge] | None = Field(default=None, min_length=1, max_length=200)


class LimitsShape(Shape):
    warning: Limit | None = None
    critical: Limit | None = None
    clear: Limit | None = None


class TableShape(Shape):
    schema_: Text | None = Field(default=None, alias="schema")
    name: Text


class TimestampShape(Shape):
    column: Column
    format: Text | None = None
    zone: Zone = "UTC"


class ReferenceShape(Shape):
    """One kind of reference. `where` and `source` go with a table or query."""

    start: Moment | None = Field(default=None, alias="from")
    end: Moment | None = Field(default=None, alias="to")
    rolling: PositiveDuration | None = None
    seasonal: PositiveDuration | None = None
    table: TableShape | None = None
    query: Text | None = None
    where: Text | None = None
    source: Text | None = None
    file: RowsFile | None = None
    cohort: Text | None = None


class FeatureShape(Shape):
    name: Column | None = None
    kind: Annotated[Kind, BeforeValidator(one_of(Kind))] | None = None
    bins: BinsShape | None = None
    levels: int | None = Field(default=None, ge=1, le=1000)
    alpha: Alpha | None = None
    threshold: dict[str, LimitsShape] | None = None
    severity: Severity | None = None
    made_by_prompt: bool = False
    delay: Duration | None = None
    reference: ReferenceShape | None = None


class VersionShape(Shape):
    column: Column
    handover: PositiveDuration = VersionSettings("").handover_seconds


class SegmentGroupShape(Shape):
    columns: list[Column] = Field(min_length=1, max_length=3)
    levels: list[list[Text]] | None = Field(default=None, min_length=1, max_length=100)
    limit: int = Field(default=SegmentGroup(()).limit, ge=1, le=100)


class SegmentsShape(Shape):
    by: list[SegmentGroupShape] = Field(min_length=1, max_length=8)
    windows: list[PositiveDuration] | None = Field(default=None, min_length=1, max_length=16)
    min_rows: int = Field(default=SegmentSettings((), ()).min_rows, ge=1)
    page: bool = False


class ExplainPredictionShape(Shape):
    features: list[Column] | None = Field(default=None, min_length=1)


class ExclusionShape(Shape):
    start: Moment = Field(alias="from")
    end: Moment = Field(alias="to")
    reason: Text
    feature: Text | None = None


class AlertShape(Shape):
    k: int = Field(default=2, ge=1, le=32)
    of: int = Field(default=3, ge=1, le=32)


class DefaultsShape(Shape):
    """What `defaults` may hold: every key of a monitor but those that tell monitors apart."""

    source: Text | None = None
    labels: dict[str, LabelValue] = Field(default_factory=dict, max_length=16)
    zone: Zone = "UTC"
    timestamp: TimestampShape | None = None
    partition: Column | None = None
    updated_at: Column | None = None
    where: Text | None = None
    prediction: FeatureShape | None = None
    features: list[FeatureShape] | None = None
    reference: ReferenceShape | None = None
    start: Moment | None = None
    pane: PositiveDuration = 5 * MINUTE
    every: PositiveDuration | None = None
    delay: Duration = 2 * MINUTE
    recheck: list[PositiveDuration] = Field(
        default=[15 * MINUTE, HOUR, 6 * HOUR, DAY], max_length=16
    )
    ready: Text | None = None
    windows: list[PositiveDuration] = Field(default=[HOUR, DAY], min_length=1, max_length=16)
    catch_up: PositiveDuration = 7 * DAY
    min_rows: int = Field(default=100, ge=1)
    widen: PositiveDuration | None = None
    version: VersionShape | None = None
    segments: SegmentsShape | None = None
    explain_prediction: ExplainPredictionShape | None = None
    exclude: list[ExclusionShape] = Field(default=[], max_length=1000)
    alpha: Alpha = CalibratedThreshold().alpha
    thresholds: dict[str, LimitsShape] | None = None
    severity: Severity = SeverityRule.BY_HARM
    show_levels: bool = False
    volume: LimitsShape | None = None
    alert: AlertShape = AlertShape()
    max_series: int = Field(default=MONITOR_MAX_SERIES, ge=0)
    extra_metrics: list[Annotated[ExtraMetric, BeforeValidator(one_of(ExtraMetric))]] = []


class MonitorShape(DefaultsShape):
    name: MonitorName | None = None
    table: TableShape | None = None
    query: Text | None = None


class RetentionShape(Shape):
    """How old each kind of row grows; None: it stays."""

    panes: Age = _KEPT.panes_seconds
    hours: Age = _KEPT.hours_seconds
    days: Age = _KEPT.days_seconds
    results: Age = _KEPT.results_seconds
    evaluations: Age = _KEPT.evaluations_seconds
    events: Age = _KEPT.events_seconds
    notifications: Age = _KEPT.notifications_seconds


class WebFileShape(Shape):
    config_file: Text | None = None


class RootShape(Shape):
    store: StoreShape = StoreShape(url="sqlite:///driftwatch.db")
    listen: Listen = ("127.0.0.1", 10777)
    web: WebFileShape | None = None
    grace: PositiveDuration = 10
    sources: dict[str, SourceShape] = Field(default_factory=dict)
    notify: NotifyShape | None = None
    retention: RetentionShape = RetentionShape()
    max_series: int = Field(default=ALL_MAX_SERIES, ge=0)
    links: LinksShape | None = None
    defaults: DefaultsShape | None = None
    monitors: list[MonitorShape] = Field(default_factory=list)
