"""Car loans: five columns drift in the second half of the analysis, three do not, and none before.

Windows of 145 hours are counted from the first row of the analysis. Those of the daemon are cut by
the calendar, so the log is moved in time by whole hours, until that row begins one of them.
"""

from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
import pytest

from driftwatch.window.interval import floor
from tests.data.make_data import LOAN_START, LOAN_STEP
from tests.real.log import Found, read, watch

WINDOW = timedelta(hours=145)
DRIFTING = (
    "car_value",
    "salary_range",
    "loan_length",
    "repaid_loan_on_prev_car",
    "y_pred_proba",
)
QUIET = ("debt_to_income_ratio", "size_of_downpayment", "driver_tenure")
CONFIG = """
monitors:
  - name: loans
    table: log
    timestamp: at
    prediction: y_pred_proba
    features:
      car_value: {{}}
      salary_range: {{kind: categorical}}
      debt_to_income_ratio: {{}}
      loan_length: {{}}
      repaid_loan_on_prev_car: {{kind: categorical}}
      size_of_downpayment: {{kind: categorical}}
      driver_tenure: {{}}
    reference: {{from: {start}, to: {middle}}}
    start: {middle}
    windows: [145h]
    pane: 1h
    delay: 0s
    catch_up: 31d
"""


@pytest.fixture(scope="module")
def drifts_from() -> datetime:
    """When the first row is logged that drifts."""
    return _at(75_000)


def _at(row: int) -> datetime:
    """When a row is logged after the log was moved."""
    seconds = int(WINDOW.total_seconds())
    first = (LOAN_START + 50_000 * LOAN_STEP).to_pydatetime().replace(tzinfo=UTC)
    moved = first - floor(first, seconds)
    return (LOAN_START + row * LOAN_STEP - moved).to_pydatetime().replace(tzinfo=UTC)


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Found:
    rows = read("car_loan")
    rows["at"] = pd.Timestamp(_at(0)).tz_localize(None) + np.arange(len(rows)) * LOAN_STEP
    config = CONFIG.format(start=_shown(_at(0)), middle=_shown(_at(50_000)))
    end = _at(len(rows))
    return watch(tmp_path_factory.mktemp("loans"), rows, config, end)


def _shown(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def test_windows_begin_with_the_first_row_of_the_analysis(found: Found) -> None:
    windows = found.of("car_value")
    assert windows["window_start"].iloc[0] == _at(50_000)
    assert len(windows) == 50
    assert (windows["window_end"] - windows["window_start"] == WINDOW).all()
    assert windows["rows"].between(997, 998).all()


@pytest.mark.parametrize("feature", DRIFTING)
def test_what_drifts_alarms_within_two_windows_and_stays(
    found: Found, drifts_from: datetime, feature: str
) -> None:
    flagged, starts = found.flagged(feature), found.of(feature)["window_start"]
    before = flagged[flagged.index <= drifts_from]
    after = flagged[(starts >= drifts_from).to_numpy()]
    assert (len(before), len(after)) == (25, 24)
    assert not before.any()
    assert after.all()
    ((state, end),) = found.drift()[feature]
    assert state == "firing"
    assert end - drifts_from <= 2 * WINDOW


@pytest.mark.parametrize("feature", QUIET)
def test_what_does_not_drift_is_never_flagged(found: Found, feature: str) -> None:
    assert not found.flagged(feature).any()
    assert set(found.drift()) == set(DRIFTING)
