from driftwatch.exposition.render import render
from tests.exposition.readings import feature_reading, monitor_reading


def test_the_same_reading_gives_the_same_bytes() -> None:
    assert render(monitor_reading()) == render(monitor_reading())


def test_a_block_holds_the_lines_of_one_family() -> None:
    block = render(monitor_reading()).detail["driftwatch_verdict_level"]
    assert block.lines == (
        b'driftwatch_verdict_level{monitor="delay-model",feature="dep_delay",window="1d"} 2\n'
        b'driftwatch_verdict_level{monitor="delay-model",feature="@volume",window="1d"} 1\n'
    )
    assert block.series == 2


def test_features_beyond_the_limit_are_left_out_whole_and_counted() -> None:
    features = tuple(feature_reading(f"f{number}") for number in range(10))
    every = render(monitor_reading(features=features, references=()))
    each = sum(block.series for block in every.detail.values()) // 10
    assert every.dropped == 0
    some = render(monitor_reading(features=features, references=()), max_series=3 * each + 1)
    assert some.dropped == 7 * each
    assert {block.series for block in some.detail.values()} == {3, 6}  # 6: two severities
    assert some.features == {"f0", "f1", "f2"}
    assert b'feature="f2"' in some.detail["driftwatch_window_rows"].lines
    assert b'feature="f3"' not in some.detail["driftwatch_window_rows"].lines
    assert some.core == every.core
