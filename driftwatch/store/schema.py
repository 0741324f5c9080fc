"""driftwatch's own tables. Natural keys carry every dimension from the first day.

Migrations (`migrations/`) own the tables in a database; a test holds the two equal.
"""

from enum import StrEnum
from typing import Any

import sqlalchemy as sa

from driftwatch.alert.policy import AlertKind, AlertState, Severity
from driftwatch.stats.kind import ChangeKind
from driftwatch.store.types import NanAsNull, UtcDateTime, Word
from driftwatch.verdict.explanation import NextStep
from driftwatch.verdict.policy import Measure, Reason, Verdict

SCHEMA_VERSION = "0006"
"""The newest migration that this release knows."""

VERSION_TABLE = "driftwatch_schema"
"""Where alembic notes the version; not its default name, which another program may have taken."""


class ReferenceOrigin(StrEnum):
    """Who asked for a reference."""

    CONFIG = "config"
    COMMAND = "command"
    ACCEPT = "accept"
    VERSION = "version"


class ExclusionOrigin(StrEnum):
    """Who asked for an exclusion."""

    CONFIG = "config"
    COMMAND = "command"


class AnnotationKind(StrEnum):
    """What an annotation tells."""

    NEW_VERSION = "new_version"
    HAND_OVER = "hand_over"
    ACCEPTED = "accepted"
    EXCLUDED = "excluded"
    REFERENCE = "reference"
    REVISED = "revised"


metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

_Id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")  # SQLite numbers only INTEGER keys


def _id() -> sa.Column[int]:
    return sa.Column("id", _Id, primary_key=True)


def _monitor_id(*, primary_key: bool = False) -> sa.Column[int]:
    return sa.Column(
        "monitor_id", sa.ForeignKey("monitor.id"), primary_key=primary_key, nullable=False
    )


def _monitor_name(*, primary_key: bool = False) -> sa.Column[str]:
    return sa.Column(
        "monitor", sa.Text, sa.ForeignKey("monitor.name"), primary_key=primary_key, nullable=False
    )


def _moments() -> list[sa.Column[float]]:
    """What is kept of a column's values beside its counts; NULL where a double would be NaN."""
    return [
        sa.Column("infinite", sa.BigInteger, nullable=False),
        sa.Column("total", sa.Double),
        sa.Column("total_squares", sa.Double),
        sa.Column("minimum", sa.Double),
        sa.Column("maximum", sa.Double),
    ]


def _series(*, primary_key: bool = False) -> list[sa.Column[Any]]:
    """Which series a row belongs to: monitor, feature, segment ('' is all rows), window length."""
    return [
        _monitor_name(primary_key=primary_key),
        sa.Column("feature", sa.Text, primary_key=primary_key, nullable=False),
        sa.Column("segment", sa.Text, primary_key=primary_key, nullable=False),
        sa.Column(
            "window_seconds",
            sa.BigInteger,
            primary_key=primary_key,
            nullable=False,
            autoincrement=False,
        ),
    ]


def _alert_key(*, primary_key: bool = False) -> list[sa.Column[Any]]:
    return [
        *_series(primary_key=primary_key),
        sa.Column("kind", Word(AlertKind), primary_key=primary_key, nullable=False),
    ]


ALERT_KEY = ("monitor", "feature", "segment", "window_seconds", "kind")

monitor = sa.Table(
    "monitor",
    metadata,
    _id(),
    sa.Column("name", sa.Text, nullable=False, unique=True),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.Column("watermark", UtcDateTime),
    sa.Column("scanned_from", UtcDateTime),
    sa.Column("definition", sa.Text),
    # Up to here the changes of rows were read (event clock of the column `updated_at`).
    sa.Column("updated_until", UtcDateTime),
)

axis = sa.Table(
    "axis",
    metadata,
    _id(),
    _monitor_id(),
    sa.Column("column_name", sa.Text, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("definition", sa.Text, nullable=False),
    sa.Column("column_type", sa.Text, nullable=False),
    # NULL: fitted to rows that have no time.
    sa.Column("fitted_start", UtcDateTime),
    sa.Column("fitted_end", UtcDateTime),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.Column("active", sa.Boolean, nullable=False),
    sa.UniqueConstraint("monitor_id", "column_name", "version"),
)

reference = sa.Table(
    "reference",
    metadata,
    _id(),
    _monitor_id(),
    sa.Column("column_name", sa.Text, nullable=False),
    sa.Column("segment", sa.Text, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    # What was configured when it was captured, as JSON, who asked for it, and why.
    sa.Column("specification", sa.Text, nullable=False),
    sa.Column("origin", Word(ReferenceOrigin), nullable=False),
    sa.Column("note", sa.Text, nullable=False),
    sa.Column("axis_id", sa.ForeignKey("axis.id")),
    # NULL: its rows have no time.
    sa.Column("interval_start", UtcDateTime),
    sa.Column("interval_end", UtcDateTime),
    sa.Column("rows", sa.BigInteger, nullable=False),
    sa.Column("counts", sa.LargeBinary),
    *_moments(),
    sa.Column("smoothing", sa.Text, nullable=False),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.Column("active", sa.Boolean, nullable=False),
    sa.UniqueConstraint("monitor_id", "column_name", "segment", "version"),
)

# The frozen list of segments. grouping: JSON, the columns; levels: JSON, one text (or null) per
# column; NULL: all others.
segment = sa.Table(
    "segment",
    metadata,
    _monitor_id(primary_key=True),
    sa.Column("segment", sa.Text, primary_key=True),
    sa.Column("grouping", sa.Text, nullable=False),
    sa.Column("levels", sa.Text),
    sa.Column("position", sa.Integer, nullable=False),
    sa.Column("created_at", UtcDateTime, nullable=False),
)

# The versions of a model that were seen. predecessor: the one that ran before or beside it.
model_version = sa.Table(
    "model_version",
    metadata,
    _monitor_id(primary_key=True),
    sa.Column("version", sa.Text, primary_key=True),
    sa.Column("first_seen", UtcDateTime, nullable=False),
    sa.Column("predecessor", sa.Text),
    sa.Column("handed_over_at", UtcDateTime),
    sa.Column("recorded_at", UtcDateTime, nullable=False),
)

# Ranges that page nobody and teach nothing. removed_at: when it was taken back.
exclusion = sa.Table(
    "exclusion",
    metadata,
    _id(),
    _monitor_name(),
    sa.Column("feature", sa.Text, nullable=False),
    sa.Column("range_start", UtcDateTime, nullable=False),
    sa.Column("range_end", UtcDateTime, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("origin", Word(ExclusionOrigin), nullable=False),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.Column("removed_at", UtcDateTime),
    sa.UniqueConstraint(
        "monitor", "feature", "range_start", "range_end", "origin", name="uq_exclusion_key"
    ),
)

# What a person should see beside the curves: releases, accepted changes, exclusions, references.
# range_end is range_start where it is a moment: the key would not hold with NULL.
annotation = sa.Table(
    "annotation",
    metadata,
    _id(),
    _monitor_name(),
    sa.Column("feature", sa.Text, nullable=False),
    sa.Column("kind", Word(AnnotationKind), nullable=False),
    sa.Column("range_start", UtcDateTime, nullable=False),
    sa.Column("range_end", UtcDateTime, nullable=False),
    sa.Column("message", sa.Text, nullable=False),
    sa.Column("recorded_at", UtcDateTime, nullable=False),
    sa.UniqueConstraint(
        "monitor",
        "feature",
        "kind",
        "range_start",
        "range_end",
        "message",
        name="uq_annotation_key",
    ),
)

# Backfills that were begun. done_until: up to where, so that the same command goes on from there.
backfill = sa.Table(
    "backfill",
    metadata,
    _monitor_id(primary_key=True),
    sa.Column("range_start", UtcDateTime, primary_key=True),
    sa.Column("range_end", UtcDateTime, primary_key=True),
    sa.Column("done_until", UtcDateTime, nullable=False),
    sa.Column("rows", sa.BigInteger, nullable=False),
    sa.Column("panes_changed", sa.BigInteger, nullable=False),
    sa.Column("started_at", UtcDateTime, nullable=False),
    sa.Column("advanced_at", UtcDateTime, nullable=False),
    sa.Column("finished_at", UtcDateTime),
)

# The ledger. Moments are epoch seconds here: they are compared and added far more often than read.
# counts: all columns in one pack (driftwatch/store/packs.py); NULL: no rows, or no column counted.
# apart: panes of this segment are counted by themselves, and those without rows are noted, too;
# else the pane of all rows tells that a segment was counted. folded: panes below it were deleted.
pane = sa.Table(
    "pane",
    metadata,
    _monitor_id(primary_key=True),
    sa.Column("segment", sa.Text, primary_key=True),
    sa.Column("seconds", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("start", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("rows", sa.BigInteger, nullable=False),
    sa.Column("revision", sa.Integer, nullable=False),
    sa.Column("scanned_at", UtcDateTime, nullable=False),
    sa.Column("apart", sa.Boolean, nullable=False),
    sa.Column("folded", sa.Boolean, nullable=False),
    sa.Column("counts", sa.LargeBinary),
)

# Rows by feature bin x prediction bin, on coarse axes, for monitors that ask for it. Moments are
# epoch seconds. counts: all features in one pack, Kx * Ky cells each (driftwatch/store/joint.py);
# NULL: no rows, or no feature counted.
joint_count = sa.Table(
    "joint_count",
    metadata,
    _monitor_id(primary_key=True),
    sa.Column("prediction_axis_id", sa.ForeignKey("axis.id"), primary_key=True),
    sa.Column("seconds", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("start", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("rows", sa.BigInteger, nullable=False),
    sa.Column("scanned_at", UtcDateTime, nullable=False),
    sa.Column("counts", sa.LargeBinary),
)

# The same of a prediction's reference that was captured once.
joint_reference = sa.Table(
    "joint_reference",
    metadata,
    sa.Column("reference_id", sa.ForeignKey("reference.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("rows", sa.BigInteger, nullable=False),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.Column("counts", sa.LargeBinary),
)

result = sa.Table(
    "result",
    metadata,
    _id(),
    *_series(),
    sa.Column("window_start", UtcDateTime, nullable=False),
    sa.Column("window_end", UtcDateTime, nullable=False),
    sa.Column("reference_version", sa.Integer, nullable=False),
    sa.Column("axis_version", sa.Integer),
    sa.Column("revision", sa.Integer, nullable=False),
    sa.Column("rows", sa.BigInteger, nullable=False),
    sa.Column("missing_rows", sa.BigInteger, nullable=False),
    sa.Column("unseen_rows", sa.BigInteger, nullable=False),
    sa.Column("infinite_rows", sa.BigInteger, nullable=False),
    sa.Column("reference_rows", sa.BigInteger, nullable=False),
    sa.Column("mean", NanAsNull),
    sa.Column("standard_deviation", NanAsNull),
    sa.Column("kl", NanAsNull),
    sa.Column("kl_reverse", NanAsNull),
    sa.Column("js", NanAsNull),
    sa.Column("js_distance", NanAsNull),
    sa.Column("psi", NanAsNull),
    sa.Column("hellinger", NanAsNull),
    sa.Column("total_variation", NanAsNull),
    sa.Column("l_infinity", NanAsNull),
    sa.Column("ks", NanAsNull),
    sa.Column("entropy", NanAsNull),
    sa.Column("cross_entropy", NanAsNull),
    sa.Column("perplexity", NanAsNull),
    sa.Column("js_noise", NanAsNull),
    sa.Column("js_guard", NanAsNull),
    sa.Column("measure", Word(Measure)),
    sa.Column("value", NanAsNull),
    sa.Column("threshold_warning", NanAsNull),
    sa.Column("threshold_critical", NanAsNull),
    sa.Column("effect", NanAsNull),
    sa.Column("detectable_effect", NanAsNull),
    sa.Column("p_value", NanAsNull),
    sa.Column("adjusted_p", NanAsNull),
    sa.Column("inflation", NanAsNull),
    sa.Column("wobble", NanAsNull),
    sa.Column("alpha", NanAsNull),
    # Words of a closed list, one space between them: what the verdict could not rest on.
    sa.Column("caveats", sa.Text, nullable=False, server_default=sa.text("''")),
    # Of what is flagged: what kind of change it is, in one sentence, and where to look.
    sa.Column("change", Word(ChangeKind)),
    sa.Column("change_share", NanAsNull),
    sa.Column("next_step", Word(NextStep)),
    sa.Column("explanation", sa.Text, nullable=False, server_default=sa.text("''")),
    sa.Column("convention", sa.Text, nullable=False),
    # What the reference was, in words; and why this window pages nobody ("": it may).
    sa.Column("compared_with", sa.Text, nullable=False),
    sa.Column("excluded", sa.Text, nullable=False),
    sa.Column("verdict", Word(Verdict), nullable=False),
    sa.Column("reason", Word(Reason), nullable=False),
    sa.Column("message", sa.Text, nullable=False),
    sa.Column("evaluated_at", UtcDateTime, nullable=False),
    # In this order, so that the segments of one window lie side by side.
    sa.UniqueConstraint(
        "monitor",
        "feature",
        "window_seconds",
        "window_end",
        "segment",
        "reference_version",
        name="uq_result_key",
    ),
)

ALL_ROWS_FLAGGED = sa.text("segment = '' AND verdict IN ('warning', 'critical')")
"""Results of all rows that say that something is wrong. As text: a condition with parameters does
not find the partial index."""

sa.Index(
    "ix_result_flagged",
    result.c.monitor,
    result.c.window_seconds,
    result.c.window_end,
    sqlite_where=ALL_ROWS_FLAGGED,
    postgresql_where=ALL_ROWS_FLAGGED,
)

# The newest result of each series, which every start and every evaluation reads: found here
# without a walk over the history.
latest_result = sa.Table(
    "latest_result",
    metadata,
    *_series(primary_key=True),
    sa.Column("result_id", sa.ForeignKey("result.id", ondelete="CASCADE"), nullable=False),
    sa.Column("window_end", UtcDateTime, nullable=False),
    sa.Column("reference_version", sa.Integer, nullable=False),
    sa.Index(None, "result_id"),  # whoever deletes results asks who points at them
)

result_bin = sa.Table(
    "result_bin",
    metadata,
    sa.Column("result_id", sa.ForeignKey("result.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("cell", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("label", sa.Text, nullable=False),
    sa.Column("current_rows", sa.BigInteger, nullable=False),
    sa.Column("reference_rows", sa.BigInteger, nullable=False),
    sa.Column("js_contribution", NanAsNull),
    sa.Column("p_value", NanAsNull),
    # Whether the change lies in this cell; known of what is flagged.
    sa.Column("carries", sa.Boolean, nullable=False, server_default=sa.false()),
    sqlite_with_rowid=False,
)

# How much of the change of a flagged prediction each feature explains. applicable: whether there
# is enough of a change to be explained.
explained_share = sa.Table(
    "explained_share",
    metadata,
    sa.Column("result_id", sa.ForeignKey("result.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("feature", sa.Text, primary_key=True),
    sa.Column("share", sa.Double, nullable=False),
    sa.Column("applicable", sa.Boolean, nullable=False),
    sqlite_with_rowid=False,
)

alert = sa.Table(
    "alert",
    metadata,
    *_alert_key(primary_key=True),
    sa.Column("state", Word(AlertState), nullable=False),
    sa.Column("severity", Word(Severity)),
    sa.Column("since", UtcDateTime),
    sa.Column("fired_at", UtcDateTime),
    sa.Column("window_end", UtcDateTime),
    sa.Column("marks", sa.Text, nullable=False),
    sa.Column("notified_state", Word(AlertState)),
    sa.Column("notified_severity", Word(Severity)),
    sa.Column("version", sa.Integer, nullable=False),
)

alert_event = sa.Table(
    "alert_event",
    metadata,
    _id(),
    *_alert_key(),
    sa.Column("window_end", UtcDateTime, nullable=False),
    sa.Column("from_state", Word(AlertState), nullable=False),
    sa.Column("to_state", Word(AlertState), nullable=False),
    sa.Column("from_severity", Word(Severity)),
    sa.Column("to_severity", Word(Severity)),
    sa.Column("value", NanAsNull),
    sa.Column("message", sa.Text, nullable=False),
    sa.Column("recorded_at", UtcDateTime, nullable=False),
    sa.UniqueConstraint(*ALERT_KEY, "window_end", "to_state", name="uq_alert_event_key"),
)

notification = sa.Table(
    "notification",
    metadata,
    _id(),
    *_alert_key(),
    sa.Column("window_end", UtcDateTime, nullable=False),
    sa.Column("state", Word(AlertState), nullable=False),
    sa.Column("payload", sa.Text, nullable=False),
    sa.Column("created_at", UtcDateTime, nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("next_attempt_at", UtcDateTime, nullable=False),
    sa.Column("delivered_at", UtcDateTime),
    sa.Column("last_error", sa.Text),
    sa.UniqueConstraint(*ALERT_KEY, "window_end", "state", name="uq_notification_key"),
    sa.Index(None, "delivered_at", "next_attempt_at"),
)

# No foreign key: an evaluation that fails before its monitor is known here leaves a row, too.
evaluation = sa.Table(
    "evaluation",
    metadata,
    _id(),
    sa.Column("monitor", sa.Text, nullable=False),
    sa.Column("started_at", UtcDateTime, nullable=False),
    sa.Column("finished_at", UtcDateTime, nullable=False),
    sa.Column("now", UtcDateTime, nullable=False),
    sa.Column("outcome", sa.Text, nullable=False),
    sa.Column("message", sa.Text, nullable=False),
    sa.Column("scan_start", UtcDateTime),
    sa.Column("scan_end", UtcDateTime),
    sa.Column("rows_scanned", sa.BigInteger, nullable=False),
    sa.Column("panes", sa.Integer, nullable=False),
    sa.Column("windows_judged", sa.Integer, nullable=False),
    sa.Column("scan_seconds", sa.Double, nullable=False),
    sa.Column("store_seconds", sa.Double, nullable=False),
    sa.Column("judge_seconds", sa.Double, nullable=False),
    sa.Index(None, "monitor", "outcome", "finished_at"),
    sa.Index(None, "finished_at"),
)
