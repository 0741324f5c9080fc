"""The generated rules, by promtool, amtool and against a real scrape."""

import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from driftwatch.config.load import load_settings
from driftwatch.config.settings import LinkSettings, Settings
from driftwatch.exposition.page import Page
from driftwatch.exposition.render import render
from driftwatch.exposition.rules.blind import CONFIGURED, INCURABLE, PASSING
from driftwatch.exposition.rules.generate import Format, Options, generate, rule_groups
from driftwatch.exposition.scrape import scrape
from driftwatch.verdict.policy import Reason
from tests.exposition.readings import NOW, busy_health, full_reading, samples
from tests.servers.alertmanager import amtool
from tests.servers.prometheus import promtool

ROOT = Path(__file__).parents[2]
RULES = ROOT / "deploy" / "driftwatch-rules.yaml"
TESTS = (
    ROOT / "deploy" / "driftwatch-rules.test.yaml",
    ROOT / "deploy" / "driftwatch-rules.days.test.yaml",
)
FILES = {
    Format.PROMETHEUS: RULES,
    Format.KUBERNETES: ROOT / "deploy" / "kubernetes" / "prometheusrule.yaml",
    Format.ALERTMANAGER: ROOT / "deploy" / "alertmanager" / "alertmanager.yml",
}
OF_THE_DAEMON = {
    "DriftwatchDown",
    "DriftwatchInstanceDown",
    "DriftwatchSchedulerStuck",
    "DriftwatchConfigRejected",
    "DriftwatchStoreDown",
    "DriftwatchSourceDown",
    "DriftwatchNotificationsFailing",
}
"""Alerts about no monitor."""


@pytest.fixture(scope="module")
def sample() -> Settings:
    return load_settings(ROOT / "config.yaml", {})


def rules(text: str | None = None) -> list[dict[str, Any]]:
    groups = yaml.safe_load(RULES.read_text() if text is None else text)["groups"]
    return [rule for group in groups for rule in group["rules"]]


def alerts(text: str | None = None) -> list[dict[str, Any]]:
    return [rule for rule in rules(text) if "alert" in rule]


def unlabelled(settings: Settings) -> Settings:
    """The same without labels of the user."""
    return replace(settings, monitors=tuple(replace(one, labels={}) for one in settings.monitors))


@pytest.mark.parametrize("form", Format)
def test_the_committed_file_is_generated_from_the_sample(form: Format, sample: Settings) -> None:
    assert FILES[form].read_text("utf-8") == generate(sample, form)


@pytest.mark.parametrize("form", [Format.PROMETHEUS, Format.KUBERNETES])
def test_the_text_says_what_was_meant(form: Format, sample: Settings) -> None:
    """Blocks, quotes and folded lines lose nothing."""
    sample = replace(sample, links=LinkSettings("http://d", "http://r", "http://g"))
    read = yaml.safe_load(generate(sample, form))
    groups = read["spec"]["groups"] if form is Format.KUBERNETES else read["groups"]
    assert groups == [group.plain() for group in rule_groups(sample)]


def test_promtool_accepts_the_rules() -> None:
    done = promtool("check", "rules", "--lint=all", "--lint-fatal", RULES)
    assert done.returncode == 0, done.stdout + done.stderr


def test_promtool_accepts_rules_without_labels_and_with_all_links(
    sample: Settings, tmp_path: Path
) -> None:
    links = LinkSettings("https://d.example.org/x", "https://r.example.org", "http://g:3000")
    text = generate(replace(unlabelled(sample), links=links), Format.PROMETHEUS)
    (tmp_path / "rules.yaml").write_text(text)
    done = promtool("check", "rules", "--lint=all", "--lint-fatal", tmp_path / "rules.yaml")
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("tests", TESTS, ids=lambda path: path.name)
def test_the_rules_do_what_their_unit_tests_say(tests: Path) -> None:
    done = promtool("test", "rules", tests)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_alert_has_a_unit_test_in_which_it_fires_and_one_in_which_it_does_not() -> None:
    cases = [
        case
        for path in TESTS
        for test in yaml.safe_load(path.read_text())["tests"]
        for case in test.get("alert_rule_test", [])
    ]
    names = {rule["alert"] for rule in alerts()}
    fired = {case["alertname"] for case in cases if case["exp_alerts"]}
    silent = {case["alertname"] for case in cases if not case["exp_alerts"]}
    assert fired == names
    # Elsewhere the other alerts of the same test are those that must not be there.
    assert names - silent == {"DriftwatchAboveThreshold", "DriftwatchInstanceDown"}


def test_amtool_accepts_the_routes() -> None:
    done = amtool("check-config", FILES[Format.ALERTMANAGER])
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("labels", "receiver"),
    [
        (("severity=critical", "team=flights", "monitor=m"), "team-flights"),
        (("severity=warning", "monitor=m"), "driftwatch"),
        (("severity=info", "team=flights"), "driftwatch-quiet"),
    ],
)
def test_an_alert_goes_to_its_team(labels: tuple[str, ...], receiver: str) -> None:
    file = FILES[Format.ALERTMANAGER]
    done = amtool("config", "routes", "test", f"--config.file={file}", *labels)
    assert done.stdout.strip() == receiver


def test_a_team_of_any_name_has_its_route(sample: Settings, tmp_path: Path) -> None:
    name = 'R&D "core" \\ 漢'
    monitors = tuple(replace(one, labels={"team": name}) for one in sample.monitors)
    text = generate(replace(sample, monitors=monitors), Format.ALERTMANAGER)
    file = tmp_path / "alertmanager.yml"
    file.write_text(text, encoding="utf-8")
    done = amtool("check-config", file)
    assert done.returncode == 0, done.stdout + done.stderr
    routes = yaml.safe_load(text)["route"]["routes"]
    assert routes[1]["matchers"] == ['team="R&D \\"core\\" \\\\ 漢"']


@pytest.mark.parametrize("path", [RULES, *TESTS], ids=lambda path: path.name)
def test_every_metric_that_is_named_is_exported(path: Path) -> None:
    page = Page()
    page.replace(render(full_reading()))
    exported = {name for name, _ in samples(scrape(page, busy_health(), NOW).body)}
    text = re.sub(r"(monitor|alert|segment):driftwatch_\w+:\w+", "", path.read_text())
    named = set(re.findall(r"\bdriftwatch_[a-z_]+", text))
    assert named
    assert named <= exported


def test_what_is_recorded_is_read_and_documented() -> None:
    page = (ROOT / "docs" / "reference" / "metrics.md").read_text()
    listed = re.findall(r"^\| `([a-z]+:\w+:\w+)` \|", page, re.MULTILINE)
    assert listed == [rule["record"] for rule in rules() if "record" in rule]
    for rule in rules():
        if "record" in rule:
            assert re.fullmatch(r"[a-z]+:driftwatch_[a-z_]+:[a-z0-9]+", rule["record"])
            read = [one for one in rules() if one is not rule and rule["record"] in one["expr"]]
            assert read, rule["record"]


def test_every_reason_that_a_feature_is_not_judged_for_has_its_alert() -> None:
    """Of an empty window DriftwatchNoData tells, of a column DriftwatchColumn."""
    elsewhere = {
        Reason.EMPTY_WINDOW,
        Reason.COLUMN_MISSING,
        Reason.TYPE_CHANGED,
        Reason.UNREADABLE,
    }
    listed = re.findall(
        r"\| `reason` of `driftwatch_not_judged` \| (.*) \|",
        (ROOT / "docs" / "reference" / "metrics.md").read_text(),
    )
    assert {*INCURABLE, *PASSING, *CONFIGURED} | elsewhere == set(re.findall("`(\\w+)`", listed[0]))
    for alert, reasons in (
        ("DriftwatchBlind", INCURABLE),
        ("DriftwatchNotJudged", (*PASSING, *CONFIGURED)),
    ):
        page = (ROOT / "docs" / "runbooks" / f"{alert}.md").read_text()
        assert set(re.findall(r"^\| `(\w+)`", page, re.MULTILINE)) == set(reasons)


@pytest.mark.parametrize("rule", alerts(), ids=lambda rule: f"{rule['alert']}")
def test_the_style_of_an_alert(rule: dict[str, Any]) -> None:
    assert re.fullmatch("Driftwatch([A-Z][a-z]+)+", rule["alert"])
    assert rule["labels"]["severity"] in ("critical", "warning", "info")
    assert set(rule["annotations"]) >= {"summary", "description", "runbook_url"}
    assert "{{" not in rule["annotations"]["summary"]
    runbook = ROOT / rule["annotations"]["runbook_url"]
    text = runbook.read_text()
    assert text.startswith(f"# {rule['alert']}\n")
    for part in ("**What it says.**", "**What to look at.**", "**What to do", "**How it ends.**"):
        assert part in text, f"{runbook.name} lacks {part}"


def test_an_annotation_asks_for_the_series_of_its_own_monitor_alone() -> None:
    """It is asked for each alert at each evaluation; all series of a large fleet take long."""
    for rule in alerts():
        for text in rule["annotations"].values():
            asked = re.findall(r"driftwatch_\w+(?::held)?(?=[{) ])(.{0,9})", text)
            assert all(rest.startswith("{job=%q,") for rest in asked), (rule["alert"], asked)


def test_every_runbook_belongs_to_an_alert() -> None:
    pages = {path.stem for path in (ROOT / "docs" / "runbooks").glob("*.md")}
    assert pages == {rule["alert"] for rule in alerts()}


def test_replicas_give_one_alert_and_every_monitor_its_labels() -> None:
    for rule in alerts():
        expr = rule["expr"]
        if re.search(r"(?<!:)\bdriftwatch_", expr):
            assert "without (instance, pod" in expr
        about_a_monitor = rule["alert"] not in OF_THE_DAEMON
        joined = "group_left (source, team, tier)" in expr or ":held" in expr
        assert joined == about_a_monitor, rule["alert"]


def test_labels_are_joined_that_are_configured_and_no_others(sample: Settings) -> None:
    (plain, *_) = (rule for rule in rules(generate(unlabelled(sample), Format.PROMETHEUS)))
    assert "(job, monitor, source)" in plain["expr"]
    monitors = (replace(sample.monitors[0], labels={"owner": "a"}), *sample.monitors[1:])
    text = generate(replace(sample, monitors=monitors), Format.PROMETHEUS)
    assert "group_left (source, owner, team, tier)" in text
    muted = yaml.safe_load(generate(replace(sample, monitors=monitors), Format.ALERTMANAGER))[
        "inhibit_rules"
    ]
    assert ["job", "source", "feature", "owner", "team", "tier"] in [one["equal"] for one in muted]


def test_links_are_those_of_the_configuration(sample: Settings) -> None:
    links = LinkSettings("https://d.example.org/x", "https://r.example.org", "http://g:3000")
    (first, *_) = alerts(generate(replace(sample, links=links), Format.PROMETHEUS))
    told = first["annotations"]
    parts = "monitor={{ $labels.monitor | urlquery }}&feature={{ $labels.feature | urlquery }}"
    assert told["explanation_url"].startswith(f"https://d.example.org/x/explain?{parts}&window=")
    assert told["runbook_url"] == "https://r.example.org/DriftwatchDrift.md"
    assert told["dashboard_url"].startswith("http://g:3000/d/driftwatch-feature?var-monitor={{")
    assert "dashboard_url" not in RULES.read_text()


def test_options_are_in_the_rules_and_in_the_heading(sample: Settings) -> None:
    options = Options("dw-prod", "drift", "watch", timedelta(days=30))
    text = generate(sample, Format.KUBERNETES, options)
    assert "--format kubernetes --job dw-prod --old-reference 30d --name drift" in " ".join(
        text.replace("# ", "").split()
    )
    read = yaml.safe_load(text)
    assert read["metadata"]["name"] == "drift"
    assert read["metadata"]["namespace"] == "watch"
    assert 'absent(up{job="dw-prod"} == 1)' in text
    assert "driftwatch_reference_created_timestamp_seconds) > 2592000" in text


def test_the_page_on_alerts_lists_them_all_with_their_severities() -> None:
    page = (ROOT / "docs" / "howto" / "alerts.md").read_text()
    listed = re.findall(r"^\| \[(Driftwatch\w+)\]\(.*?\) \| ([a-z, ]+) \|", page, re.MULTILINE)
    severities: dict[str, list[str]] = {}
    for rule in alerts():
        severities.setdefault(rule["alert"], []).append(rule["labels"]["severity"])
    assert listed == [(name, ", ".join(found)) for name, found in severities.items()]
