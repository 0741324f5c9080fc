"""docs/howto/first-alert.md does what it says: every command of it runs, in its order and as it is
written, from a fresh copy of the repository to an alert that fires, is explained and ends.

What a reader puts right is put right here: the addresses and folders of the first commands, and the
port, which another daemon may have. The table, the Prometheus and its own configuration are real.
"""

import os
import re
import shutil
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
import pytest
import yaml

from tests.docs.markdown import DOCS, TOP, fences
from tests.docs.shell import Shell, missing, shell
from tests.servers.parts import free_port, require_program
from tests.servers.postgres import PostgresServer
from tests.servers.prometheus import PrometheusServer, prometheus_of

PAGE = DOCS / "howto" / "first-alert.md"
PORT = "10777"

OWN_CONFIG = """\
global: {scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s}
rule_files: [own.yaml]
scrape_configs:
  - job_name: own
    static_configs: [{targets: ["127.0.0.1:1"]}]
"""
OWN_RULES = "groups: [{name: own, rules: [{record: own, expr: vector(1)}]}]\n"

# Seven weeks up to now, a row every five minutes. Multiples of irrational numbers lie so evenly
# that no day differs from another by chance.
ROWS = """
CREATE TABLE predictions AS
SELECT moment AS scored_at, 0.1 + 0.5 * one AS p_late, 8 + 12 * ln(two / (1 - two)) AS dep_delay,
       (100 + 2500 * three)::int AS distance,
       (ARRAY['UA', 'AA', 'B6'])[1 + floor(3 * four)::int] AS carrier
FROM generate_series(now() - interval '49 days', now(), interval '5 minutes')
       WITH ORDINALITY AS series(moment, n),
     LATERAL (SELECT (n * 0.6180339887) % 1 AS one, (0.001 + (n * 0.7548776662) % 1) / 1.002 AS two,
                     (n * 0.5698402909) % 1 AS three, (n * 0.8191725134) % 1 AS four) AS values
"""
DIGEST = "SELECT md5(string_agg(predictions::text, '' ORDER BY scored_at)) FROM predictions"


@dataclass
class Reader:
    """Somebody who follows the page: her shell, table and Prometheus, and what she reads."""

    shell: Shell
    folder: Path
    admin: str
    prometheus: PrometheusServer
    port: int = field(default_factory=free_port)

    def page(self, language: str) -> list[str]:
        return [text.replace(PORT, str(self.port)) for text in fences(PAGE, language)]

    def ask(self, statement: str) -> str:
        with psycopg.connect(self.admin, autocommit=True) as connection:
            found = connection.execute(statement.encode()).fetchone()
        assert found is not None
        return str(found[0])

    def firing(self) -> set[str]:
        """Whose drift fires, by Prometheus."""
        found = self.prometheus.query('ALERTS{alertname="DriftwatchDrift",alertstate="firing"}')
        return {one["metric"]["monitor"] for one in found}


@pytest.fixture
def table(postgres: PostgresServer) -> Iterator[str]:
    """The URL of an administrator of the database `logs`, with the reader's table."""
    postgres.execute("CREATE DATABASE logs")
    try:
        postgres.execute(ROWS, "logs")
        postgres.execute("CREATE INDEX ON predictions (scored_at)", "logs")
        yield postgres.url("logs").replace("+psycopg", "")
    finally:
        postgres.execute("DROP DATABASE logs WITH (FORCE)")
        postgres.execute("DROP ROLE IF EXISTS driftwatch_reader")


@pytest.fixture
def prometheus(tmp_path: Path) -> Iterator[PrometheusServer]:
    """The one that runs already, with a configuration of its own."""
    folder = tmp_path / "prometheus"
    folder.mkdir()
    (folder / "prometheus.yml").write_text(OWN_CONFIG, encoding="utf-8")
    (folder / "own.yaml").write_text(OWN_RULES, encoding="utf-8")
    with prometheus_of(folder / "prometheus.yml") as server:
        yield server


@pytest.fixture
def reader(tmp_path: Path, table: str, prometheus: PrometheusServer) -> Iterator[Reader]:
    for program, package in (("psql", "postgresql-client"), ("curl", "curl")):
        require_program(program, package=package)
    unwanted = shutil.ignore_patterns(".*", "__pycache__", "demo-run", "build", "dist")
    clone = shutil.copytree(TOP, tmp_path / "clone", ignore=unwanted)
    (tmp_path / "grafana" / "provisioning" / "dashboards").mkdir(parents=True)
    ours = ("PYTHON", "VIRTUAL_ENV", "DRIFTWATCH", "PG", "COLUMNS")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    python = Path(sys.base_prefix) / "bin"  # `python3` of the page is 3.11 or newer
    kept["PATH"] = f"{python}:{kept['PATH']}"
    with shell(tmp_path, clone, kept) as commands, ended(tmp_path / "watch" / "driftwatch.pid"):
        yield Reader(commands, tmp_path, table, prometheus)


@contextmanager
def ended(noted: Path) -> Iterator[None]:
    """The daemon whose process id is noted there is ended with the block, whatever happened."""
    try:
        yield
    finally:
        with suppress(FileNotFoundError, ProcessLookupError):
            process_id = int(noted.read_text())
            os.kill(process_id, signal.SIGTERM)
            for _ in range(200):  # its `grace` is 10 seconds
                os.kill(process_id, 0)
                time.sleep(0.1)
            os.kill(process_id, signal.SIGKILL)


def put_right(commands: str, reader: Reader) -> str:
    """The first commands, with what is the reader's own in its place."""
    host = re.sub(r".*@", "", reader.admin)
    for written, own in {
        "postgresql://postgres@127.0.0.1:5432/logs": reader.admin,
        "choose-one@127.0.0.1:5432/logs": f"choose-one@{host}",
        "http://127.0.0.1:9090": reader.prometheus.url,
        "$(pidof prometheus)": str(reader.prometheus.process_id),
        "/etc/prometheus": str(reader.folder / "prometheus"),
        "/etc/grafana": str(reader.folder / "grafana"),
    }.items():
        assert commands.count(written) == 1, written
        commands = commands.replace(written, own)
    return commands


def edit(prometheus: Path, page: str) -> None:
    """Add what the page shows to the lists that are there."""
    config, shown = yaml.safe_load(prometheus.read_text("utf-8")), yaml.safe_load(page)
    assert set(shown) == {"rule_files", "scrape_configs"}
    config |= {name: config[name] + entries for name, entries in shown.items()}
    prometheus.write_text(yaml.safe_dump(config), encoding="utf-8")


def test_whatever_the_page_shows_is_run_or_compared() -> None:
    """No command hides in a fence that the test below does not know."""
    languages = re.findall(r"^```(.+)$", PAGE.read_text("utf-8"), re.MULTILINE)
    assert languages == [
        "sh", "yaml", "sh", "text", "yaml prometheus", "sh", "sh", "text", "sh", "text",
    ]  # fmt: skip
    assert len(PAGE.read_text("utf-8").splitlines()) <= 150, "one page"


@pytest.mark.timeout(600)  # it installs from the lock, over the network
@pytest.mark.xdist_group("end_to_end")
def test_a_newcomer_gets_from_nothing_to_an_alert_that_fires_is_explained_and_ends(
    reader: Reader,
) -> None:
    install, watch, scrape, rehearse, end = reader.page("sh")
    (config,), (monitoring,) = reader.page("yaml"), reader.page("yaml prometheus")
    watched, fired, over = reader.page("text")
    before = reader.ask(DIGEST)

    reader.shell.run(put_right(install, reader))
    assert (reader.folder / "watch").is_dir()
    (reader.folder / "watch" / "config.yaml").write_text(config, encoding="utf-8")

    assert missing(watched, reader.shell.run(watch)) == []
    rights = "SELECT string_agg(privilege_type, ' ') FROM information_schema.role_table_grants "
    assert reader.ask(rights + "WHERE grantee = 'driftwatch_reader'") == "SELECT"

    edit(reader.folder / "prometheus" / "prometheus.yml", monitoring)
    reader.shell.run(scrape)
    assert reader.prometheus.query("own"), "what was there before is still there"
    assert reader.firing() == set()
    grafana_has_the_dashboards(reader.folder / "grafana")

    said = reader.shell.run(rehearse)
    assert missing(fired, said) == []
    since = reader.shell.run('echo "$SINCE"').strip()
    assert f'"since": "{since} 00:00 UTC"' in said, "from when on the query changes them"
    (rehearsal,) = reader.firing()
    assert rehearsal.startswith("rehearsal-")

    said = reader.shell.run(end)
    assert missing(over, said) == []
    assert reader.firing() == set()
    head = said[said.index("newest verdicts") : said.index("Firing: ")]
    assert re.findall(r"^(\S+) +\d ok ", head, re.MULTILINE) == ["delay-model"], "hers, for good"
    assert rehearsal not in head
    assert reader.ask(DIGEST) == before, "no row was touched"


def grafana_has_the_dashboards(folder: Path) -> None:
    """The files that Grafana reads at its start, where the one says that the others are."""
    (provider,) = yaml.safe_load(
        (folder / "provisioning" / "dashboards" / "driftwatch.yaml").read_text("utf-8")
    )["providers"]
    assert provider["options"]["path"] == "/etc/grafana/dashboards"
    assert {path.name for path in (folder / "dashboards").iterdir()} == {
        f"driftwatch-{view}.json" for view in ("fleet", "monitor", "feature", "health")
    }


def test_an_excerpt_that_is_not_true_is_found() -> None:
    said = "monitor 12 is fine\n  it fires since 2026-11-27, and so on\n"
    assert missing("monitor 7 is fine\nit fires since 2013-01-02, ...", said) == []
    assert missing("it fires since 2013-01-02, ...\nmonitor 7 is fine", said) == [
        "monitor 7 is fine"
    ]
    assert missing("monitor 7", said) == ["monitor 7"]


def test_a_command_that_fails_is_found(tmp_path: Path) -> None:
    with shell(tmp_path, tmp_path, dict(os.environ)) as commands:
        assert commands.run("IT=kept\nmkdir sub && cd sub\n").strip() == ""
        assert commands.run('echo "$IT in $(basename "$PWD")"; cat\n').strip() == "kept in sub"
        with pytest.raises(AssertionError, match="no-such-program"):
            commands.run("echo one\nno-such-program\necho two\n")
