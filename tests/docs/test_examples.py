"""The examples of README.md and docs/howto load and run as they stand."""

import shlex
from pathlib import Path

import psycopg
import pytest
import yaml
from typer.main import get_command

from driftwatch.cli.commands import app
from driftwatch.config.load import load_settings
from driftwatch.config.settings import Settings
from driftwatch.verdict.policy import CalibratedThreshold
from tests.docs.markdown import DOCS, TOP, fences, named
from tests.servers.postgres import PostgresServer

HOWTO = DOCS / "howto" / "first-monitor.md"
ENVIRONMENT = {"LOGS_URL": "postgresql://driftwatch_reader@host/logs"}


def load(text: str, folder: Path) -> Settings:
    path = folder / "config.yaml"
    path.write_text(text, encoding="utf-8")
    return load_settings(path, ENVIRONMENT)


@pytest.mark.parametrize("page", [TOP / "README.md", HOWTO], ids=named)
def test_the_configuration_loads(page: Path, tmp_path: Path) -> None:
    (text,) = fences(page, "yaml")
    (monitor,) = load(text, tmp_path).monitors
    assert monitor.name == "delay-model"
    names = [feature.name for feature in monitor.features]
    assert sorted(names) == ["carrier", "dep_delay", "distance", "p_late"]


@pytest.mark.parametrize("page", sorted(set(HOWTO.parent.glob("*.md")) - {HOWTO}), ids=named)
def test_the_configuration_of_a_page_loads_and_its_commands_exist(
    page: Path, tmp_path: Path
) -> None:
    (text,) = fences(page, "yaml")
    assert len(load(text, tmp_path).monitors) == 1
    commands = get_command(app).commands  # type: ignore[attr-defined]  # a group
    for line in filter(None, "\n".join(fences(page, "console")).splitlines()):
        program, name, *rest = shlex.split(line)
        assert program == "driftwatch"
        command = commands[name]
        if hasattr(command, "commands"):
            command = command.commands[rest[0]]
        known = {option for one in command.params for option in one.opts}
        assert {word for word in rest if word.startswith("--")} <= known


@pytest.mark.parametrize("page", sorted(DOCS.glob("explanation/*.md")), ids=named)
def test_keys_of_a_monitor_load_in_its_place(page: Path, tmp_path: Path) -> None:
    (whole,) = (yaml.safe_load(text) for text in fences(HOWTO, "yaml"))
    for text in fences(page, "yaml monitor"):
        whole["monitors"][0] |= yaml.safe_load(text)
    assert len(load(yaml.safe_dump(whole), tmp_path).monitors) == 1
    assert fences(page, "yaml") == []


@pytest.mark.parametrize("kind", ["feature", "notify"])
def test_a_part_of_the_configuration_loads_in_its_place(kind: str, tmp_path: Path) -> None:
    (text,) = fences(HOWTO, "yaml")
    (part,) = fences(HOWTO, f"yaml {kind}")
    whole, change = yaml.safe_load(text), yaml.safe_load(part)
    if kind == "notify":
        (tmp_path / "webhook.url").write_text("https://example.org/hook\n")
        change["notify"]["webhook"]["url_file"] = str(tmp_path / "webhook.url")
        whole |= change
    else:
        whole["monitors"][0] |= change
    settings = load(yaml.safe_dump(whole), tmp_path)
    if kind == "notify":
        assert settings.webhook is not None
    else:
        limits = {one.name: one.threshold for one in settings.monitors[0].features}
        assert limits["dep_delay"] == CalibratedThreshold(0.1, 0.3, clear=0.08, alpha=0.0001)
        assert limits["distance"] == CalibratedThreshold(alpha=0.0001)


def test_prometheus_is_told_the_job_that_the_rules_look_for() -> None:
    (text,) = fences(HOWTO, "yaml prometheus")
    told = yaml.safe_load(text)
    (job,) = told["scrape_configs"]
    rules = (TOP / "deploy" / "driftwatch-rules.yaml").read_text("utf-8")
    assert told["rule_files"] == ["driftwatch-rules.yaml"]
    assert f'up{{job="{job["job_name"]}"}}' in rules


def commands(page: Path) -> list[list[str]]:
    """What follows `driftwatch` on the lines of the page's plain fences."""
    found = []
    for line in "".join(fences(page, "")).splitlines():
        words = shlex.split(line, comments=True)
        at = [
            number
            for number, word in enumerate(words)
            if Path(word).name == "driftwatch" and "cd" not in words[number - 1 : number]
        ]
        found += [words[number + 1 :] for number in at if words[number + 1 :]]
    return found


@pytest.mark.parametrize("page", [TOP / "README.md", HOWTO], ids=named)
def test_the_commands_exist_with_their_options(page: Path) -> None:
    known = get_command(app).commands  # type: ignore[attr-defined]  # a group
    told = commands(page)
    assert {"check", "serve", "status", "explain", "evaluate"} <= {words[0] for words in told}
    for name, *words in told:
        options = {option for one in known[name].params for option in one.opts}
        assert {word for word in words if word.startswith("-")} <= options


def test_the_grants_let_read_and_nothing_else(postgres: PostgresServer, postgres_url: str) -> None:
    """As written, but for the name of the database."""
    (grants,) = fences(HOWTO, "sql postgresql")
    (index,) = fences(HOWTO, "sql")
    with psycopg.connect(postgres_url.replace("+psycopg", ""), autocommit=True) as admin:
        admin.execute("CREATE TABLE predictions (scored_at timestamptz)")
        admin.execute(index.encode())
        database = admin.info.dbname
        admin.execute(grants.replace("DATABASE logs", f'DATABASE "{database}"').encode())
        try:
            admin.execute("SET ROLE driftwatch_reader")
            assert admin.execute("SELECT count(*) FROM predictions").fetchone() == (0,)
            for refused in (
                "INSERT INTO predictions VALUES (now())",
                "CREATE TABLE mine (x int)",
            ):
                with pytest.raises(psycopg.errors.InsufficientPrivilege):
                    admin.execute(refused.encode())
        finally:
            admin.execute("RESET ROLE")
            admin.execute("DROP OWNED BY driftwatch_reader")
            admin.execute("DROP ROLE driftwatch_reader")
