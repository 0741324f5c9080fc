"""CHANGELOG.md names what there is: commands, tables, alerts, keys of the configuration."""

import re

import yaml
from typer.main import get_command

from driftwatch.cli.commands import app
from driftwatch.stats.divergence import Divergence
from driftwatch.store.schema import metadata
from driftwatch.verdict.policy import Verdict
from tests.docs.markdown import TOP

TEXT = (TOP / "CHANGELOG.md").read_text(encoding="utf-8")
NAMED = {word for code in re.findall(r"`([^`]+)`", TEXT) for word in re.findall(r"[\w.]+", code)}


def test_what_there_is_has_its_line() -> None:
    rules = yaml.safe_load((TOP / "deploy" / "driftwatch-rules.yaml").read_text("utf-8"))
    alerts = {one["alert"] for group in rules["groups"] for one in group["rules"] if "alert" in one}
    commands = set(get_command(app).commands)  # type: ignore[attr-defined]  # a group
    there = alerts | commands | set(metadata.tables) | set(Verdict) | set(Divergence.__slots__)
    assert there - NAMED == set()


def test_the_keys_of_the_configuration_have_their_line() -> None:
    reference = (TOP / "docs" / "reference" / "config.md").read_text(encoding="utf-8")
    keys = re.findall(r"^\| `([^`]+)` \|", reference, re.MULTILINE)
    of_a_monitor = {key.split(".")[1] for key in keys if re.fullmatch(r"monitors\[\]\.\w+", key)}
    plain = {"name", "source", "table", "features", "prediction", "reference", "timestamp"}
    top = {key for key in keys if key.isidentifier()}
    assert (of_a_monitor - plain) | top - {"notify"} <= NAMED
