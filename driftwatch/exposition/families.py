"""The metric families that are rendered from results: name, labels, help. All are gauges.

The order here is the order on the page. `lasting` families stay when the values of a monitor have
expired: they say what is known of the monitor, not what its last window looked like.
"""

from dataclasses import dataclass

_OF_FEATURE = ("monitor", "feature", "window")
_HOLDS = "It holds from the last evaluation."


@dataclass(frozen=True, slots=True)
class Family:
    """One metric family. A series has each of the labels. extra: shown of monitors that ask for it
    (`extra_metrics`)."""

    name: str
    labels: tuple[str, ...]
    unit: str
    help: str
    lasting: bool = False
    extra: bool = False

    @property
    def header(self) -> bytes:
        return f"# HELP {self.name} {self.help}\n# TYPE {self.name} gauge\n".encode()


MONITOR_INFO = Family(
    "driftwatch_monitor_info",
    ("monitor", "source"),
    "1",
    "Constant 1; carries what describes a monitor, to be joined in rules.",
    lasting=True,
)
WATERMARK = Family(
    "driftwatch_watermark_timestamp_seconds",
    ("monitor",),
    "seconds",
    "Event time up to which the panes of the monitor are scanned.",
    lasting=True,
)
REFERENCE_CREATED = Family(
    "driftwatch_reference_created_timestamp_seconds",
    ("monitor", "feature"),
    "seconds",
    "When the active reference of the feature was captured.",
    lasting=True,
)
REFERENCE_ROWS = Family(
    "driftwatch_reference_rows",
    ("monitor", "feature"),
    "rows",
    "Rows of the active reference of the feature.",
    lasting=True,
)
ALERT_STATE = Family(
    "driftwatch_alert_state",
    (*_OF_FEATURE, "kind"),
    "0, 1, 2",
    "State of the alert of all rows: 0 inactive or resolved, 1 pending, 2 firing.",
    lasting=True,
)
ALERT_LEVEL = Family(
    "driftwatch_alert_level",
    (*_OF_FEATURE, "kind"),
    "0, 1, 2",
    "Severity of the alert of all rows while it fires: 0 not firing, 1 warning, 2 critical.",
    lasting=True,
)
ALERT_SINCE = Family(
    "driftwatch_alert_since_timestamp_seconds",
    (*_OF_FEATURE, "kind"),
    "seconds",
    "Start of the first of the flagged windows that led to the alert, in event time; present while "
    "it is pending or firing.",
    lasting=True,
)
SEGMENT_ALERT_STATE = Family(
    "driftwatch_segment_alert_state",
    (*_OF_FEATURE, "kind", "segment"),
    "1, 2",
    "State of the alert of one segment or version that is to page: 1 pending, 2 firing; absent "
    "else.",
    lasting=True,
)
SEGMENT_ALERT_LEVEL = Family(
    "driftwatch_segment_alert_level",
    (*_OF_FEATURE, "kind", "segment"),
    "0, 1, 2",
    "Severity of the alert of one segment or version that is to page: 0 pending, 1 warning, 2 "
    "critical; absent else.",
    lasting=True,
)
SEGMENT_ALERT_SINCE = Family(
    "driftwatch_segment_alert_since_timestamp_seconds",
    (*_OF_FEATURE, "kind", "segment"),
    "seconds",
    "Start of the first of the flagged windows that led to the alert of one segment or version "
    "that is to page, in event time; absent else.",
    lasting=True,
)
VERSION_FIRST_SEEN = Family(
    "driftwatch_model_version_first_seen_timestamp_seconds",
    ("monitor", "version"),
    "seconds",
    "Event time of the first rows of a version of the model; of the newest 10 versions.",
    lasting=True,
)
SEGMENTS = Family(
    "driftwatch_segments",
    ("monitor",),
    "segments",
    "Segments that the monitor counts apart, those of all other values included.",
    lasting=True,
)
FEATURES_DRIFTING = Family(
    "driftwatch_features_drifting",
    ("monitor", "window", "severity"),
    "features",
    f"Features whose latest verdict is exactly this severity, volume included. {_HOLDS}",
)
FEATURES_NOT_JUDGED = Family(
    "driftwatch_features_not_judged",
    ("monitor", "window"),
    "features",
    "Features whose latest window was not judged, volume included; see driftwatch_not_judged. "
    + _HOLDS,
)
SEGMENTS_DRIFTING = Family(
    "driftwatch_segments_drifting",
    _OF_FEATURE,
    "segments",
    "Segments in whose latest window the feature has the verdict warning or critical; which they "
    f"are is told by status and explain. {_HOLDS}",
)
EXCLUDED = Family(
    "driftwatch_excluded",
    ("monitor", "feature"),
    "1",
    "Constant 1 while a latest window of the feature is excluded: it is judged, and pages nobody; "
    f"an empty feature: all of the monitor is. {_HOLDS}",
)
VERDICT_LEVEL = Family(
    "driftwatch_verdict_level",
    _OF_FEATURE,
    "0, 1, 2",
    f"Verdict: 0 ok, 1 warning, 2 critical; absent where not judged. {_HOLDS}",
)
NOT_JUDGED = Family(
    "driftwatch_not_judged",
    (*_OF_FEATURE, "reason"),
    "1",
    f"Constant 1 where the latest window was not judged, with the reason; absent else. {_HOLDS}",
)
WINDOW_START = Family(
    "driftwatch_window_start_timestamp_seconds",
    _OF_FEATURE,
    "seconds",
    f"Start (inclusive) of the latest window, in event time. {_HOLDS}",
)
WINDOW_END = Family(
    "driftwatch_window_end_timestamp_seconds",
    _OF_FEATURE,
    "seconds",
    f"End (exclusive) of the latest window, in event time. {_HOLDS}",
)
WINDOW_ROWS = Family(
    "driftwatch_window_rows",
    _OF_FEATURE,
    "rows",
    f"Rows of the latest window. {_HOLDS}",
)
MISSING_RATIO = Family(
    "driftwatch_missing_ratio",
    _OF_FEATURE,
    "ratio 0..1",
    f"Share of the window's rows whose value is missing (NULL or NaN). {_HOLDS}",
)
UNSEEN_RATIO = Family(
    "driftwatch_unseen_ratio",
    _OF_FEATURE,
    "ratio 0..1",
    f"Share of the window's rows whose level the reference did not hold. {_HOLDS}",
)
EFFECT = Family(
    "driftwatch_effect_size",
    _OF_FEATURE,
    "standard deviations",
    "How far the window is from the reference: the shift of a normal feature, in standard "
    f"deviations, that has the same Jensen-Shannon divergence, without noise. {_HOLDS}",
)
DETECTABLE_EFFECT = Family(
    "driftwatch_detectable_effect_size",
    _OF_FEATURE,
    "standard deviations",
    "The smallest effect that four of five windows of so many rows would show as real. " + _HOLDS,
    extra=True,
)
INFLATION = Family(
    "driftwatch_inflation_ratio",
    _OF_FEATURE,
    "ratio 1..",
    "How many times as much as by sampling alone the reference's own windows differ; 1 where "
    f"nothing is calibrated. {_HOLDS}",
    extra=True,
)
WOBBLE = Family(
    "driftwatch_reference_wobble_size",
    _OF_FEATURE,
    "standard deviations",
    "How far the reference's own windows usually are from it beyond sampling, as an effect; no "
    f"smaller drift can be told from it. {_HOLDS}",
    extra=True,
)
P_VALUE = Family(
    "driftwatch_p_value",
    _OF_FEATURE,
    "probability 0..1",
    "How likely a window without drift is to look as different from the reference, in the light of "
    f"how much the reference's own windows differ. {_HOLDS}",
    extra=True,
)
CAVEAT = Family(
    "driftwatch_verdict_caveat",
    (*_OF_FEATURE, "reason"),
    "1",
    "Constant 1 for each reason why the verdict rests on less than it should; absent else. "
    + _HOLDS,
)
CHANGE = Family(
    "driftwatch_change_info",
    (*_OF_FEATURE, "change", "next_step"),
    "1",
    "Constant 1 where the latest window is flagged, with the kind of change that it shows and "
    f"where to look next; absent else. {_HOLDS}",
)
EXPLAINED_SHARE = Family(
    "driftwatch_explained_share_ratio",
    _OF_FEATURE,
    "ratio 0..1",
    "How much of the prediction's drift in its latest window this feature explains; only where the "
    f"prediction is flagged and explain_prediction is on. {_HOLDS}",
)
JS_DIVERGENCE = Family(
    "driftwatch_js_divergence_nats",
    _OF_FEATURE,
    "nats 0..0.6931",
    "Jensen-Shannon divergence of current and reference in nats (natural log), symmetric, 0..ln 2, "
    f"unsmoothed. {_HOLDS}",
)
JS_DISTANCE = Family(
    "driftwatch_js_distance_ratio",
    _OF_FEATURE,
    "ratio 0..1",
    f"Jensen-Shannon distance: square root of the base-2 divergence, 0..1. {_HOLDS}",
    extra=True,
)
JS_NOISE = Family(
    "driftwatch_js_divergence_noise_nats",
    _OF_FEATURE,
    "nats",
    "Noise floor: the Jensen-Shannon divergence in nats that sampling alone would give on average. "
    + _HOLDS,
    extra=True,
)
KL_DIVERGENCE = Family(
    "driftwatch_kl_divergence_nats",
    _OF_FEATURE,
    "nats",
    "Kullback-Leibler divergence KL(current||reference) in nats (natural log), reference smoothed "
    f"by 0.5 rows per bin. {_HOLDS}",
)
DRIFT_VALUE = Family(
    "driftwatch_drift_value",
    (*_OF_FEATURE, "measure"),
    "that of the measure",
    "The value that was judged, in the unit of its measure (volume: rows over the median of the "
    f"reference's own windows); never sum it over measures. {_HOLDS}",
)
DRIFT_THRESHOLD = Family(
    "driftwatch_drift_threshold",
    (*_OF_FEATURE, "measure", "severity"),
    "that of the measure",
    "The limit of driftwatch_drift_value at this severity, in the same unit. For the measure "
    f"volume a limit f is reached at f and above and at 1/f and below. {_HOLDS}",
)
SERIES = Family(
    "driftwatch_exposed_series",
    ("monitor",),
    "series",
    "Series that are exposed from the results of the monitor.",
    lasting=True,
)
SERIES_DROPPED = Family(
    "driftwatch_dropped_series",
    ("monitor",),
    "series",
    "Series of the monitor that are left out because a limit of series was reached.",
    lasting=True,
)

OF_RESULTS: tuple[Family, ...] = (
    MONITOR_INFO, WATERMARK, REFERENCE_CREATED, REFERENCE_ROWS, VERSION_FIRST_SEEN, SEGMENTS,
    ALERT_STATE, ALERT_LEVEL, ALERT_SINCE, SEGMENT_ALERT_STATE, SEGMENT_ALERT_LEVEL,
    SEGMENT_ALERT_SINCE, FEATURES_DRIFTING, FEATURES_NOT_JUDGED, SEGMENTS_DRIFTING, EXCLUDED,
    VERDICT_LEVEL, NOT_JUDGED, WINDOW_START, WINDOW_END, WINDOW_ROWS, MISSING_RATIO, UNSEEN_RATIO,
    EFFECT, DETECTABLE_EFFECT, INFLATION, WOBBLE, P_VALUE, CAVEAT, CHANGE, EXPLAINED_SHARE,
    JS_DIVERGENCE, JS_DISTANCE, JS_NOISE, KL_DIVERGENCE, DRIFT_VALUE, DRIFT_THRESHOLD,
)  # fmt: skip
"""Families that the results of a monitor fill."""

FAMILIES: tuple[Family, ...] = (*OF_RESULTS, SERIES, SERIES_DROPPED)
"""Every family of the page but those of the daemon's own health."""
