import pytest

from driftwatch.alert.policy import AlertKind
from driftwatch.exposition.reading import AlertReading, ReferenceReading
from tests.exposition.readings import DAY, NOW, feature_reading, monitor_reading


def test_a_result_twice_is_refused() -> None:
    with pytest.raises(ValueError, match=r"each result once.*dep_delay"):
        monitor_reading(features=(feature_reading(), feature_reading(rows=1)))


def test_an_alert_twice_is_refused() -> None:
    alert = AlertReading("x", DAY, AlertKind.DRIFT)
    with pytest.raises(ValueError, match="each alert once"):
        monitor_reading(alerts=(alert, alert))


def test_a_reference_twice_is_refused() -> None:
    with pytest.raises(ValueError, match="each reference once"):
        monitor_reading(references=(ReferenceReading("x", NOW, 1), ReferenceReading("x", NOW, 2)))


@pytest.mark.parametrize("name", ["monitor", "instance", "__name__", "a-b", "", "1a", 'a"b'])
def test_a_label_that_would_break_the_page_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="cannot be the name of a label"):
        monitor_reading(labels={name: "x"})
