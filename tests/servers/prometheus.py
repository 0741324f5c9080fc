"""A real Prometheus that scrapes one address every second, and promtool."""

import json
import subprocess
import tempfile
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.servers.parts import free_port, require_program, wait_until_ready

_CONFIG = """
global: {scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s}
rule_files: %s
scrape_configs:
  - job_name: driftwatch
    static_configs: [{targets: [%s]}]
%salerting: {alertmanagers: [{static_configs: [{targets: %s}]}]}
"""


@dataclass(frozen=True)
class PrometheusServer:
    """A running server."""

    url: str
    log: Path
    process_id: int

    def query(self, expression: str) -> list[dict[str, Any]]:
        """The samples of an instant query: {"metric": labels, "value": [time, text]}."""
        parameters = urllib.parse.urlencode({"query": expression})
        with urllib.request.urlopen(f"{self.url}/api/v1/query?{parameters}", timeout=5) as answer:
            result: list[dict[str, Any]] = json.load(answer)["data"]["result"]
        return result

    def query_range(self, expression: str, start: float, end: float) -> list[dict[str, Any]]:
        """The series of a range query, a value per second: {"metric": ..., "values": [...]}."""
        asked = {"query": expression, "start": start, "end": end, "step": 1}
        address = f"{self.url}/api/v1/query_range?{urllib.parse.urlencode(asked)}"
        with urllib.request.urlopen(address, timeout=5) as answer:
            result: list[dict[str, Any]] = json.load(answer)["data"]["result"]
        return result

    def wait_for(self, expression: str, *, within_seconds: float = 10.0) -> list[dict[str, Any]]:
        """The first answer to a query that is not empty; AssertionError when none comes."""
        deadline = time.monotonic() + within_seconds
        while time.monotonic() < deadline:
            if found := self.query(expression):
                return found
            time.sleep(0.1)
        raise AssertionError(f"no answer to {expression}; {self.log.read_text()[-2000:]}")


@contextmanager
def prometheus_server(
    target: str,
    rules: Sequence[Path] = (),
    *,
    alertmanager: str = "",
    scrape: Mapping[str, object] | None = None,
) -> Iterator[PrometheusServer]:
    """A started, ready server that scrapes `target` (host:port) and tells `alertmanager`, if there
    is one; stopped at the end.

    scrape: further keys of the scrape configuration.
    """
    with tempfile.TemporaryDirectory(prefix="driftwatch-prometheus-") as name:
        config = Path(name) / "prometheus.yml"
        more = "".join(f"    {key}: {json.dumps(value)}\n" for key, value in (scrape or {}).items())
        files = json.dumps([str(path) for path in rules])
        told = json.dumps([alertmanager] if alertmanager else [])
        config.write_text(_CONFIG % (files, json.dumps(target), more, told))
        with prometheus_of(config) as server:
            yield server


@contextmanager
def prometheus_of(config: Path) -> Iterator[PrometheusServer]:
    """A started, ready server with this configuration, which keeps its files in the same folder;
    stopped at the end."""
    program = require_program("prometheus", package="prometheus")
    address = f"127.0.0.1:{free_port()}"
    command = [
        str(program), f"--config.file={config}", f"--storage.tsdb.path={config.parent / 'data'}",
        f"--web.listen-address={address}",
    ]  # fmt: skip
    told = config.parent / "log"
    with told.open("wb") as log, subprocess.Popen(command, stdout=log, stderr=log) as one:
        try:
            wait_until_ready(f"http://{address}/-/ready", one, told)
            yield PrometheusServer(f"http://{address}", told, one.pid)
        finally:
            one.terminate()


def promtool(*arguments: object, text: bytes = b"") -> subprocess.CompletedProcess[str]:
    """promtool with these arguments and `text` on its standard input, whatever its exit code."""
    program = require_program("promtool", package="prometheus")
    done = subprocess.run(
        [program, *map(str, arguments)], input=text, capture_output=True, check=False
    )
    return subprocess.CompletedProcess(
        done.args, done.returncode, done.stdout.decode(), done.stderr.decode()
    )
