"""Segments and versions: short and long forms, and what does not fit."""

import pytest

from driftwatch.config.settings import SegmentGroup, SegmentSettings, VersionSettings
from tests.config.conftest import Load, Tell, monitor

HOUR, DAY, WEEK = 3_600, 86_400, 604_800


@pytest.mark.parametrize(
    "written",
    [
        "[country, [country, device]]",
        "{by: [country, [country, device]]}",
        "[{columns: country}, {columns: [country, device]}]",
        "{by: [[country], {columns: [country, device], limit: 20}], windows: [1d], min_rows: 20, "
        "page: false}",
    ],
)
def test_forms_of_segments_are_equal(load: Load, written: str) -> None:
    (found,) = load(monitor(f"segments: {written}")).monitors

    assert found.segments == SegmentSettings(
        (SegmentGroup(("country",)), SegmentGroup(("country", "device"))), (DAY,)
    )


def test_everything_that_segments_may_say(load: Load) -> None:
    (found,) = load(
        monitor(
            "segments:",
            "  by:",
            "    - {columns: [country, device], levels: [[DE, ios], [DE, web]], limit: 7}",
            "    - {columns: model, levels: [a, [b], '(null)']}",
            "  windows: [1d, 1h]",
            "  min_rows: 5",
            "  page: true",
        )
    ).monitors

    assert found.segments == SegmentSettings(
        (
            SegmentGroup(("country", "device"), (("DE", "ios"), ("DE", "web")), 7),
            SegmentGroup(("model",), (("a",), ("b",), ("(null)",)), 20),
        ),
        (HOUR, DAY),
        min_rows=5,
        page=True,
    )


@pytest.mark.parametrize(
    ("windows", "judged"),
    [
        ("[1h, 1d, 7d]", (DAY, WEEK)),
        ("[7d, 1h]", (WEEK,)),
        ("[30m, 6h, 1h]", (6 * HOUR,)),
        ("[1h]", (HOUR,)),
    ],
)
def test_windows_of_a_day_or_more_or_the_longest(
    load: Load, windows: str, judged: tuple[int, ...]
) -> None:
    (found,) = load(monitor("segments: [country]", f"windows: {windows}")).monitors

    assert found.segments is not None
    assert found.segments.window_seconds == judged


NINE = ", ".join("abcdefghi")


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("country", ": must be a list of columns, or a mapping with by, not text"),
        ("[]", ": must have at least 1 entry"),
        ("{}", ".by: missing; add it"),
        ("{by: country}", ".by: must be a list of columns, not text"),
        ("{by: [], page: true}", ".by: must have at least 1 entry"),
        (f"[{NINE}]", ": must have at most 8 entries"),
        ("[~]", "[0]: has no value; write one, or remove the key"),
        ("[[]]", "[0]: must have at least 1 entry"),
        ("[[a, b, c, d]]", "[0]: must have at most 3 entries"),
        ("[3]", '[0]: must be text; put it in quotes: "..."'),
        ("['@volume']", "[0]: '@volume' begins with @, which is kept for"),
        ("[[a, a]]", "[0]: the same column twice; keep one"),
        ("[a, b, a]", "[2]: the same columns as on line 8; keep one"),
        ("[[a, b], [b, a]]", "[1]: the same columns as on line 8; keep one"),
        ("[scored_at]", "[0]: the timestamp always moves; choose columns with few values"),
        ("[[a, scored_at]]", "[0]: the timestamp always moves; choose columns with few values"),
        ("[{column: a}]", "[0].column: unknown key; did you mean 'columns'?"),
        ("{by: [a], window: [1d]}", ".window: unknown key; did you mean 'windows'?"),
        ("{by: [a], windows: [6h]}", ".windows[0]: '6h' is not a window of the monitor; write"),
        ("{by: [a], windows: [1d, 24h]}", ".windows[1]: 1d is written twice; keep one"),
        ("{by: [a], windows: []}", ".windows: must have at least 1 entry"),
        ("{by: [a], min_rows: 0}", ".min_rows: must be at least 1"),
        ("{by: [a], page: yes}", ".page: must be true or false, not text"),
        ("[{columns: a, limit: 0}]", "[0].limit: must be at least 1"),
        ("[{columns: a, limit: 101}]", "[0].limit: must be at most 100"),
        ("[{columns: a, levels: []}]", "[0].levels: must have at least 1 entry"),
        ("[{columns: a, levels: [1]}]", "[0].levels[0]: must be text; put it in quotes"),
        ("[{columns: a, levels: [[b, c]]}]", "[0].levels[0]: has 2 values for 1 column; write"),
        (
            "[{columns: [a, b], levels: [[c, d], c]}]",
            "[0].levels[1]: has 1 value for 2 columns; write one for each, in their order",
        ),
        ("[{columns: a, levels: [b, c, b]}]", "[0].levels[2]: written twice; keep one"),
        (
            "[{columns: a, levels: [b, c], limit: 1}]",
            "[0].limit: is below the number of levels (2); remove limit, or some levels",
        ),
    ],
)
def test_segments_that_do_not_fit(tell: Tell, written: str, told: str) -> None:
    lines = tell(monitor(f"segments: {written}"))

    # A list has no place of its own below the key that it is short for.
    assert [line.replace(".by[", "[").replace(".columns", "", 1) for line in lines] == [
        line.replace(".by[", "[").replace(".columns", "", 1)
        for line in lines
        if line.startswith("8: monitors[0].segments")
    ]
    assert any(line.startswith(f"8: monitors[0].segments{told}") for line in lines), lines


@pytest.mark.parametrize(
    ("written", "handover_seconds"),
    [("model", WEEK), ("{column: model}", WEEK), ("{column: model, handover: 3d}", 3 * DAY)],
)
def test_versions(load: Load, written: str, handover_seconds: int) -> None:
    (found,) = load(monitor("prediction: p", f"version: {written}")).monitors

    assert found.version == VersionSettings("model", handover_seconds)


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("[model]", ": must be a column name, or a mapping with column and handover, not a list"),
        ("{handover: 7d}", ".column: missing; add it"),
        ("{column: '@model'}", ".column: '@model' begins with @, which is kept for"),
        ("{column: model, handover: 0s}", ".handover: '0s' must be longer than nothing"),
        (
            "{column: model, handover: 7m}",
            ".handover: handover (7m) is not a multiple of the pane (5m); change one of them",
        ),
    ],
)
def test_versions_that_do_not_fit(tell: Tell, written: str, told: str) -> None:
    (line,) = tell(monitor(f"version: {written}", "prediction: p"))

    assert line.startswith(f"8: monitors[0].version{told}")


@pytest.mark.parametrize("prediction", [(), ("prediction: ~",)])
def test_versions_are_versions_of_a_prediction(tell: Tell, prediction: tuple[str, ...]) -> None:
    assert tell(monitor("version: model", *prediction)) == [
        "8: monitors[0].version: the predictions of versions are compared; add prediction, or "
        "remove version"
    ]


def test_versions_are_not_counted_as_segments_too(tell: Tell, load: Load) -> None:
    lines = ("prediction: p", "segments: [version]")

    assert tell(monitor(*lines, "version: model")) == [
        "9: monitors[0].segments[0]: version judges each version already; remove it here"
    ]
    assert load(monitor(*lines)).monitors[0].segments is not None


def test_null_undoes_the_defaults(load: Load) -> None:
    shared = "{segments: [country], version: model, prediction: p}"
    text = f"defaults: {shared}\n" + monitor("segments: ~", "version: ~")

    (found,) = load(text).monitors

    assert (found.segments, found.version) == (None, None)
