import gzip
import math
import threading
from datetime import timedelta

from driftwatch.exposition.compress import finish
from driftwatch.exposition.families import FAMILIES
from driftwatch.exposition.page import LAG, Page
from driftwatch.exposition.render import render
from tests.exposition.readings import (
    NOW,
    feature_reading,
    full_reading,
    monitor_reading,
    samples,
    value_of,
)


def page_of(*monitors: str) -> Page:
    page = Page()
    for monitor in monitors:
        page.replace(render(monitor_reading(monitor)))
    return page


def test_an_empty_page_is_empty() -> None:
    assert Page().text(NOW) == b""


def test_families_are_contiguous_under_one_header_and_in_order() -> None:
    page = page_of("b", "a", "c")
    page.replace(render(full_reading("d")))
    text = page.text(NOW).decode()
    headers = [line.split()[2] for line in text.splitlines() if line.startswith("# TYPE")]
    assert headers == [family.name for family in FAMILIES]
    current = ""
    for line in text.splitlines():
        if line.startswith("#"):
            current = line.split()[2]
        else:
            assert line.partition("{")[0] == current


def test_the_order_does_not_depend_on_who_came_first() -> None:
    assert page_of("a", "b").text(NOW) == page_of("b", "a").text(NOW)


def test_a_new_evaluation_replaces_every_series_of_the_old_one() -> None:
    page = page_of("a", "b")
    page.text(NOW)
    page.replace(render(monitor_reading("a", features=(feature_reading("other"),), alerts=())))
    text = page.text(NOW)
    assert value_of(text, "driftwatch_window_rows", monitor="a", feature="other") == 930
    gone = {
        labels
        for _, labels in samples(text)
        if {("monitor", "a"), ("feature", "carrier")} <= labels
    }
    assert not gone
    assert value_of(text, "driftwatch_window_rows", monitor="b", feature="carrier") == 930


def test_a_removed_monitor_leaves_nothing() -> None:
    page = page_of("a", "b")
    page.text(NOW)
    page.remove("a")
    page.remove("never there")
    assert b'monitor="a"' not in page.text(NOW)
    assert page.text(NOW) == page_of("b").text(NOW)


def test_values_expire_and_what_is_known_of_the_monitor_stays() -> None:
    page = page_of("fresh")
    page.replace(render(full_reading("old", expires_at=NOW)))
    before = page.text(NOW - timedelta(seconds=1))
    assert value_of(before, "driftwatch_window_rows", monitor="old", feature="dep_delay") == 930
    after = page.text(NOW)
    left = {name for name, labels in samples(after) if ("monitor", "old") in labels}
    assert left == {family.name for family in FAMILIES if family.lasting}
    assert (
        value_of(after, "driftwatch_alert_state", monitor="old", feature="dep_delay", kind="drift")
        == 2
    )
    assert value_of(after, "driftwatch_window_rows", monitor="fresh", feature="dep_delay") == 930
    page.replace(render(monitor_reading("old", expires_at=NOW + timedelta(hours=1))))
    assert value_of(page.text(NOW), "driftwatch_window_rows", monitor="old", feature="carrier")


def test_series_are_counted() -> None:
    page = page_of("a")
    of_results = len(samples(page.text(NOW))) - 2
    assert value_of(page.text(NOW), "driftwatch_exposed_series", monitor="a") == of_results
    assert value_of(page.text(NOW), "driftwatch_dropped_series", monitor="a") == 0
    page.replace(render(monitor_reading("a", expires_at=NOW)))
    lasting = len(samples(page.text(NOW))) - 2
    assert lasting < of_results
    assert value_of(page.text(NOW), "driftwatch_exposed_series", monitor="a") == lasting


def test_beyond_the_limit_in_all_a_monitor_keeps_its_core_and_the_rest_is_counted() -> None:
    detail = render(monitor_reading("a")).detail_series
    page = Page(max_series=2 * detail)
    for name in "cab":
        page.replace(render(monitor_reading(name)))
    text = page.text(NOW)
    dropped = {
        name: value_of(text, "driftwatch_dropped_series", monitor=name) for name in ("a", "b", "c")
    }
    assert dropped == {"a": 0, "b": 0, "c": detail}
    assert value_of(text, "driftwatch_alert_state", monitor="c", kind="drift") == 2
    assert value_of(text, "driftwatch_window_rows", monitor="c", feature="carrier") is None
    page.remove("a")
    assert value_of(page.text(NOW), "driftwatch_dropped_series", monitor="c") == 0


def test_room_is_an_equal_share_at_least_and_what_the_others_leave() -> None:
    features = tuple(feature_reading(f"f{number}") for number in range(8))
    reading = {
        name: monitor_reading(name, features=features if name < "c" else features[:1])
        for name in ("a", "b", "c")
    }
    whole = {name: render(one).detail_series for name, one in reading.items()}
    page = Page(max_series=whole["a"] + whole["b"] // 2 + whole["c"])
    assert page.room("a", 3) == page.max_series
    for _ in range(4):
        for name, one in reading.items():
            blocks = render(one, max_series=page.room(name, len(reading)))
            page.replace(blocks)
    text = page.text(NOW)
    left_out = {name: value_of(text, "driftwatch_dropped_series", monitor=name) for name in "abc"}
    assert left_out["c"] == 0, "it needs less than its share"
    assert 0 < sum(left_out.values()) < whole["a"]  # type: ignore[arg-type]  # none is None
    exposed = sum(
        render(one, max_series=page.room(name, 3)).detail_series for name, one in reading.items()
    )
    assert exposed <= page.max_series


def test_what_was_prepared_is_what_a_scrape_takes() -> None:
    page = page_of("a")
    page.prepare(NOW)
    text, compressed = page.text(NOW), page.compressed(NOW)
    assert gzip.decompress(finish(compressed, b"")) == text
    assert page.text(NOW + timedelta(hours=1)) is text
    page.replace(render(monitor_reading("b")))
    assert b'monitor="b"' in page.text(NOW), "a scrape does not wait for a preparation"


def test_evaluations_that_come_too_fast_leave_a_page_behind_by_a_second_at_most() -> None:
    page = page_of("a")
    page.prepare(NOW)
    page._rest_until = math.inf  # as after a preparation that took very long
    page.replace(render(monitor_reading("b")))
    page.prepare(NOW)
    soon = NOW + LAG - timedelta(milliseconds=1)
    assert b'monitor="b"' not in page.text(soon)
    assert gzip.decompress(finish(page.compressed(soon), b"")) == page.text(soon)
    assert b'monitor="b"' in page.text(NOW + LAG)
    page.remove("a")
    page.prepare(NOW)
    before_the_clock_was_set_back = NOW - timedelta(days=1)
    assert b'monitor="a"' not in page.text(before_the_clock_was_set_back)


def test_selected_families_alone() -> None:
    page = page_of("a", "b")
    text = page.selected(NOW, {"driftwatch_window_rows", "driftwatch_alert_state", "unknown"})
    assert {name for name, _ in samples(text)} == {
        "driftwatch_window_rows",
        "driftwatch_alert_state",
    }
    assert len(samples(text)) == 12


def test_the_page_is_joined_and_compressed_once_until_something_changes() -> None:
    page = page_of("a")
    text, compressed = page.text(NOW), page.compressed(NOW)
    assert page.text(NOW + timedelta(hours=1)) is text
    assert page.compressed(NOW + timedelta(hours=1)) is compressed
    page.replace(render(monitor_reading("b")))
    assert page.text(NOW) is not text
    assert gzip.decompress(finish(page.compressed(NOW), b"")) == page.text(NOW)


def test_a_scrape_sees_the_old_blocks_or_the_new_ones_never_both() -> None:
    page = page_of("a", "b", "c")
    states = [
        render(monitor_reading("b", features=(feature_reading(rows=rows, value=rows),)))
        for rows in (1, 2)
    ]
    whole = set()
    for state in states:
        page.replace(state)
        whole.add(page.text(NOW))
    done = threading.Event()

    def write() -> None:
        while not done.is_set():
            for state in states:
                page.replace(state)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        seen = {page.text(NOW) for _ in range(500)}
    finally:
        done.set()
        writer.join()
    assert seen <= whole


def test_what_was_removed_is_nowhere_to_be_found_even_while_others_prepare() -> None:
    page = Page()
    page.replace(render(monitor_reading("goes")))
    page.prepare(NOW)
    page.remove("goes")
    page._preparing.acquire()  # an evaluation that began before
    urgent = threading.Thread(target=page.prepare, args=[NOW], kwargs={"urgent": True})
    urgent.start()
    urgent.join(0.2)
    page._lags = True  # and others end, and leave the page to it
    page._preparing.release()
    urgent.join()
    assert b"goes" not in page.text(NOW)
