"""`driftwatch rules` on the command line."""

import resource
from pathlib import Path

import pytest
import yaml

from tests.cli.shop import Shop


@pytest.fixture
def config(shop: Shop) -> Path:
    file = shop.folder / "config.yaml"
    file.write_text(
        "sources: {logs: sqlite:///logs.db}\n"
        "links: {grafana: https://grafana.example.org}\n"
        "monitors:\n"
        "  - {name: m, table: t, timestamp: at, features: [x], labels: {team: risk},\n"
        "     reference: {rolling: 7d}}\n"
    )
    return file


def test_it_prints_rules_and_connects_to_nothing(shop: Shop, config: Path) -> None:
    said = shop.run("rules")
    assert (said.code, said.err) == (0, "")
    groups = yaml.safe_load(said.out)["groups"]
    assert "group_left (source, team)" in groups[0]["rules"][1]["expr"]
    assert [one.name for one in shop.folder.iterdir()] == ["config.yaml"]


def test_a_file_is_written_checked_and_found_to_be_old(shop: Shop, config: Path) -> None:
    written = shop.run("rules", "--format", "kubernetes", "--output", "rule.yaml")
    assert (written.code, written.all) == (0, "")
    same = shop.run("rules", "--format", "kubernetes", "--check", "rule.yaml")
    assert (same.code, same.out) == (0, "rule.yaml is what the configuration gives\n")
    text = config.read_text()
    config.write_text(text.replace("{name: m,", "{name: another,"))
    assert shop.run("rules", "--format", "kubernetes", "--check", "rule.yaml").code == 0
    config.write_text(text.replace("{team: risk}", "{squad: risk}"))
    old = shop.run("rules", "--format", "kubernetes", "--check", "rule.yaml")
    assert old.code == 3
    assert "write it again with --output rule.yaml" in old.out
    assert (shop.folder / "rule.yaml").read_text().count("squad") == 0


def test_a_full_disk_leaves_the_rules_that_were_there(shop: Shop, config: Path) -> None:
    assert shop.run("rules", "--output", "rules.yaml").code == 0
    rules = config.parent / "rules.yaml"
    rules.chmod(0o640)
    before = rules.read_text()
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limits[1]))
    try:
        done = shop.run("rules", "--old-reference", "7d", "--output", "rules.yaml")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert done.code == 1
    assert "rules.yaml cannot be written: File too large" in done.err
    assert rules.read_text() == before
    assert [one.name for one in shop.folder.iterdir() if one.name.endswith(".new")] == []
    assert shop.run("rules", "--old-reference", "7d", "--output", "rules.yaml").code == 0
    assert rules.read_text() != before
    assert rules.stat().st_mode & 0o777 == 0o640


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (["--output", "no/such/rules.yaml"], 1, "no/such/rules.yaml cannot be written"),
        (["--check", "none.yaml"], 1, "none.yaml cannot be read; write it with --output"),
        (["--job", 'a"b'], 2, "has other characters than letters, digits"),
        (["--old-reference", "a year"], 2, "is not a duration; write it like 400d"),
        (["--old-reference", "0s"], 2, "is not a duration; write it like 400d"),
        (["--format", "grafana"], 2, "'grafana' is not one of"),
    ],
)
def test_what_cannot_be_done_is_told(
    shop: Shop, config: Path, arguments: list[str], code: int, told: str
) -> None:
    said = shop.run("rules", *arguments)
    assert said.code == code
    assert told in " ".join(said.err.replace("│", " ").split())
