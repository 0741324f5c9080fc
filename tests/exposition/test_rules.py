"""deploy/driftwatch-rules.yaml, by promtool and against a real scrape."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from driftwatch.exposition.page import Page
from driftwatch.exposition.render import render
from driftwatch.exposition.scrape import scrape
from driftwatch.verdict.policy import Reason
from tests.exposition.readings import NOW, busy_health, full_reading, samples
from tests.servers.prometheus import promtool

ROOT = Path(__file__).parents[2]
RULES = ROOT / "deploy" / "driftwatch-rules.yaml"
TESTS = ROOT / "deploy" / "driftwatch-rules.test.yaml"


def rules() -> list[dict[str, Any]]:
    groups = yaml.safe_load(RULES.read_text())["groups"]
    return [rule for group in groups for rule in group["rules"]]


def alerts() -> list[dict[str, Any]]:
    return [rule for rule in rules() if "alert" in rule]


def test_promtool_accepts_the_rules() -> None:
    done = promtool("check", "rules", "--lint=all", "--lint-fatal", RULES)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_rules_do_what_their_unit_tests_say() -> None:
    done = promtool("test", "rules", TESTS)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_alert_has_a_unit_test_in_which_it_fires() -> None:
    fired = {
        case["alertname"]
        for test in yaml.safe_load(TESTS.read_text())["tests"]
        for case in test.get("alert_rule_test", [])
        if case["exp_alerts"]
    }
    assert fired == {rule["alert"] for rule in alerts()}


@pytest.mark.parametrize("path", [RULES, TESTS], ids=["rules", "their unit tests"])
def test_every_metric_that_is_named_is_exported(path: Path) -> None:
    page = Page()
    page.replace(render(full_reading()))
    exported = {name for name, _ in samples(scrape(page, busy_health(), NOW).body)}
    text = re.sub(r"monitor:driftwatch_\w+:\w+", "", path.read_text())
    named = set(re.findall(r"\bdriftwatch_[a-z_]+", text))
    assert named
    assert named <= exported


def test_every_reason_that_makes_blind_is_one() -> None:
    (blind,) = (rule for rule in alerts() if rule["alert"] == "DriftwatchBlind")
    reasons = set(re.search('reason=~"(.*?)"', blind["expr"])[1].split("|"))  # type: ignore[index]  # it matches
    assert reasons <= set(Reason)
    page = (ROOT / blind["annotations"]["runbook_url"]).read_text()
    assert set(re.findall(r"^\| `(\w+)`", page, re.MULTILINE)) == reasons


@pytest.mark.parametrize("rule", alerts(), ids=lambda rule: f"{rule['alert']}")
def test_the_style_of_an_alert(rule: dict[str, Any]) -> None:
    assert re.fullmatch("Driftwatch([A-Z][a-z]+)+", rule["alert"])
    assert rule["labels"]["severity"] in ("critical", "warning", "info")
    assert set(rule["annotations"]) == {"summary", "description", "runbook_url"}
    assert "{{" not in rule["annotations"]["summary"]
    runbook = ROOT / rule["annotations"]["runbook_url"]
    assert runbook.read_text().startswith(f"# {rule['alert']}\n")


def test_every_runbook_belongs_to_an_alert() -> None:
    pages = {path.stem for path in (ROOT / "docs" / "runbooks").glob("*.md")}
    assert pages == {rule["alert"] for rule in alerts()}


def test_drift_outlives_the_daemon_and_replicas_give_one_alert() -> None:
    for rule in alerts():
        if rule["alert"] in ("DriftwatchDrift", "DriftwatchNoData"):
            assert rule["keep_firing_for"] == "15m"
            assert "for" not in rule
        if "driftwatch_" in rule["expr"] and ":driftwatch_" not in rule["expr"]:
            assert "without (instance, pod" in rule["expr"]
