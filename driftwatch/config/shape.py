"""The shape of the file: every key, its type, range and default. Cross references come after.

What has a short form (`features: [a, b]`, `bins: 20`, `store: URL`) is here in its long form only:
shorthand.py writes it out first. Keys that must be there are told by the readers, so that the
problems of a half-written monitor are all found at once; None means "not written".
"""

from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from driftwatch.config.scalar import (
    Column,
    Duration,
    Edge,
    Limit,
    Listen,
    Moment,
    MonitorName,
    PositiveDuration,
    Text,
    one_of,
)
from driftwatch.config.settings import BinMethod, Kind

MINUTE, HOUR, DAY = 60, 3_600, 86_400


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
    timeout: PositiveDuration = 10


class NotifyShape(Shape):
    webhook: WebhookShape | None = None


class BinsShape(Shape):
    method: Annotated[BinMethod, BeforeValidator(one_of(BinMethod))] | None = None
    count: int | None = Field(default=None, ge=2, le=200)
    edges: list[Edge] | None = Field(default=None, min_length=1, max_length=200)


class LimitsShape(Shape):
    warning: Limit | None = None
    critical: Limit | None = None
    clear: Limit | None = None


class FeatureShape(Shape):
    name: Column | None = None
    kind: Annotated[Kind, BeforeValidator(one_of(Kind))] | None = None
    bins: BinsShape | None = None
    levels: int | None = Field(default=None, ge=1, le=1000)
    threshold: dict[str, LimitsShape] | None = None


class TableShape(Shape):
    schema_: Text | None = Field(default=None, alias="schema")
    name: Text


class TimestampShape(Shape):
    column: Column
    format: Text | None = None


class ReferenceShape(Shape):
    start: Moment = Field(alias="from")
    end: Moment = Field(alias="to")


class AlertShape(Shape):
    k: int = Field(default=2, ge=1, le=32)
    of: int = Field(default=3, ge=1, le=32)


class DefaultsShape(Shape):
    """What `defaults` may hold: every key of a monitor but those that tell monitors apart."""

    source: Text | None = None
    timestamp: TimestampShape | None = None
    where: Text | None = None
    prediction: FeatureShape | None = None
    features: list[FeatureShape] | None = None
    reference: ReferenceShape | None = None
    start: Moment | None = None
    pane: PositiveDuration = 5 * MINUTE
    every: PositiveDuration | None = None
    delay: Duration = 2 * MINUTE
    windows: list[PositiveDuration] = Field(default=[HOUR, DAY], min_length=1, max_length=16)
    catch_up: PositiveDuration = 7 * DAY
    min_rows: int = Field(default=100, ge=1)
    thresholds: dict[str, LimitsShape] | None = None
    volume: LimitsShape | None = None
    alert: AlertShape = AlertShape()


class MonitorShape(DefaultsShape):
    name: MonitorName | None = None
    table: TableShape | None = None


class RootShape(Shape):
    store: StoreShape = StoreShape(url="sqlite:///driftwatch.db")
    listen: Listen = ("127.0.0.1", 10777)
    grace: PositiveDuration = 10
    sources: dict[str, SourceShape] = Field(default_factory=dict)
    notify: NotifyShape | None = None
    defaults: DefaultsShape | None = None
    monitors: list[MonitorShape] = Field(default_factory=list)
