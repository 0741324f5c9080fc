"""A real Prometheus scrapes the real web server and evaluates the committed rules."""

import random
from datetime import UTC, datetime
from pathlib import Path

from driftwatch.exposition.page import Page
from driftwatch.exposition.render import render
from driftwatch.exposition.text import clean
from driftwatch.exposition.web import Probes, WebServer, create_app
from tests.exposition.readings import busy_health, monitor_reading
from tests.servers.prometheus import prometheus_server

RULES = Path(__file__).parents[2] / "deploy" / "driftwatch-rules.yaml"
RANDOM = [
    "".join(random.Random(seed).choices([*map(chr, range(0x180)), "漢", "\u2028", "🚀"], k=12))
    for seed in range(100)
]
"""Names of every ASCII and Latin character, control characters included."""

HOSTILE = 'quotes "x" \\ back\nline {a="b"} 漢字'


def now() -> datetime:
    return datetime.now(UTC)


def test_prometheus_reads_what_we_expose_and_fires() -> None:
    page = Page()
    page.replace(render(monitor_reading()))
    page.replace(render(monitor_reading(HOSTILE)))
    for name in RANDOM:
        page.replace(render(monitor_reading(name)))
    probes = Probes(now=now, heartbeat=now, not_ready=list)
    server = WebServer(create_app(page, busy_health(HOSTILE, now()), probes), "127.0.0.1", 0)
    server.start()
    try:
        with prometheus_server(f"127.0.0.1:{server.address[1]}", [RULES]) as prometheus:
            value = prometheus.wait_for(
                'driftwatch_js_divergence_nats{monitor="delay-model",feature="dep_delay"}'
            )
            assert [float(one["value"][1]) for one in value] == [0.17]
            up = prometheus.query('up{job="driftwatch"}')
            assert [one["value"][1] for one in up] == ["1"]
            names = {one["metric"]["monitor"] for one in prometheus.query("driftwatch_alert_state")}
            assert names == {"delay-model", HOSTILE, *map(clean, RANDOM)}
            firing = prometheus.wait_for('ALERTS{alertname="DriftwatchDrift",alertstate="firing"}')
            assert {one["metric"]["severity"] for one in firing} == {"critical"}
            # Nothing of the page was dropped, as a duplicate or for another reason.
            (scraped,) = prometheus.query("scrape_samples_scraped")
            (kept,) = prometheus.query(
                'count({job="driftwatch",__name__!~"up|scrape_.*|ALERTS.*|.*:.*"})'
            )
            assert scraped["value"][1] == kept["value"][1]
    finally:
        server.stop()
