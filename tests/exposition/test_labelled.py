import threading

import pytest
from prometheus_client import CollectorRegistry, Counter, Gauge, generate_latest
from prometheus_client.openmetrics.exposition import generate_latest as generate_openmetrics

from driftwatch.exposition.labelled import Labelled
from tests.exposition.readings import value_of

HOSTILE = 'quotes "x" \\ back\nline {a="b"} 漢字'


def test_it_writes_what_prometheus_client_writes() -> None:
    registry = CollectorRegistry()
    counter = Counter("c_total", "Of things.", ("monitor", "outcome"), registry=registry)
    gauge = Gauge("g", "A state.", ("monitor",), registry=registry)
    ours = (
        Labelled("counter", "c_total", "Of things.", ("monitor", "outcome")),
        Labelled("gauge", "g", "A state.", ("monitor",)),
    )
    for monitor, outcome, amount in (("m", "ok", 2.0), (HOSTILE, "bad", 0.0), ("m", "ok", 0.5)):
        counter.labels(monitor, outcome).inc(amount)
        ours[0].add(monitor, outcome, amount=amount)
        gauge.labels(monitor).set(amount)
        ours[1].set(monitor, to=amount)

    def without_created(text: bytes) -> list[str]:
        lines = text.decode().splitlines()
        return [line for line in lines if "_created" not in line and line != "# EOF"]

    for openmetrics, theirs in (
        (False, generate_latest(registry)),
        (True, generate_openmetrics(registry)),  # type: ignore[no-untyped-call]
    ):
        text = b"".join(one.text(openmetrics=openmetrics) for one in ours)
        # We write whole numbers without ".0", in which both formats agree.
        assert text.decode().splitlines() == [
            line.removesuffix(".0") for line in without_created(theirs)
        ]


def test_a_family_without_series_has_no_header() -> None:
    one = Labelled("gauge", "g", "A state.", ("monitor", "source"))
    assert one.text(openmetrics=False) == b""
    one.set("m", "logs", to=1)
    one.set("m", "other", to=2)
    one.set("n", "logs", to=3)
    one.remove(monitor="m")
    assert one.text(openmetrics=False).endswith(b'# TYPE g gauge\ng{monitor="n",source="logs"} 3\n')
    one.remove(source="logs")
    one.remove(source="never there")
    assert one.text(openmetrics=False) == b""


def test_what_would_be_no_counter_is_refused() -> None:
    with pytest.raises(ValueError, match="_total"):
        Labelled("counter", "c", "Of things.", ("monitor",))
    with pytest.raises(ValueError, match="_total"):
        Labelled("gauge", "g_total", "A state.", ("monitor",))
    counter = Labelled("counter", "c_total", "Of things.", ("monitor",))
    with pytest.raises(ValueError, match="never falls"):
        counter.add("m", amount=-1)
    with pytest.raises(ValueError, match="added to"):
        counter.set("m", to=1)
    with pytest.raises(ValueError, match="argument"):
        counter.add("m", "one too many")


def test_no_addition_is_lost_between_threads() -> None:
    counter = Labelled("counter", "c_total", "Of things.", ("monitor",))

    def add_often() -> None:
        for _ in range(2_000):
            counter.add("m", amount=1)

    threads = [threading.Thread(target=add_often) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert value_of(counter.text(openmetrics=False), "c_total", monitor="m") == 16_000
