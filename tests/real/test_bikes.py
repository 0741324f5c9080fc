"""Hours of a bike sharing system: more are rented in 2012 than in 2011, the weather is the same.

The reference is one year long, so that each time of year comes in it once.
"""

from datetime import UTC, datetime

import pytest

from tests.real.log import Found, read, watch

WEATHER = ("temp", "atemp", "hum", "windspeed", "weathersit")
GROWN = ("registered", "cnt")
CONFIG = """
monitors:
  - name: bikes
    table: log
    timestamp: at
    features:
      weathersit: {kind: categorical}
      temp: {}
      atemp: {}
      hum: {}
      windspeed: {}
      registered: {}
      cnt: {}
    reference: {from: 2011-01-01, to: 2012-01-01}
    start: 2012-01-01
    windows: [7d]
    pane: 1h
    delay: 0s
    catch_up: 31d
"""


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Found:
    end = datetime(2013, 1, 1, tzinfo=UTC)
    return watch(tmp_path_factory.mktemp("bikes"), read("bikes"), CONFIG, end)


@pytest.mark.parametrize("feature", GROWN)
def test_what_grew_is_flagged_in_most_weeks_and_goes_on_firing(found: Found, feature: str) -> None:
    flagged = found.flagged(feature)
    assert len(flagged) == 52
    assert flagged.mean() >= 0.7
    assert [state for state, _ in found.drift()[feature]][-1] == "firing"


@pytest.mark.parametrize("feature", WEATHER)
def test_the_weather_of_another_year_is_no_drift(found: Found, feature: str) -> None:
    assert len(found.of(feature)) == 52
    assert set(found.of(feature)["verdict"]) == {"ok"}


@pytest.mark.parametrize("feature", ["temp", "atemp", "hum", "windspeed", *GROWN])
def test_a_reference_of_one_year_says_what_it_cannot_judge(found: Found, feature: str) -> None:
    windows = found.of(feature)
    assert windows["compared_with"].str.startswith("the same time of year in [2011").all()
    assert windows["caveats"].str.contains("one_year").all()
    assert (
        not windows[["p_value", "effect", "detectable_effect", "inflation"]].isna().any(axis=None)
    )
