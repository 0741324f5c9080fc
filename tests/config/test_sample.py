"""The sample configuration loads, names every key, and tells the true defaults."""

import re
from pathlib import Path

import pytest
import yaml

from driftwatch.config.load import load_settings
from driftwatch.config.shape import WebhookShape
from driftwatch.errors import ConfigError
from driftwatch.window import parse_duration
from tests.config.conftest import Load
from tests.config.keys import schema_keys

SAMPLE = Path(__file__).parents[2] / "config.yaml"
TEXT = SAMPLE.read_text()
ALL_ON = re.sub(r"^( *)#(?! |$)", r"\1", TEXT, flags=re.MULTILINE)
"""The sample with every option switched on that a `#` without a space switches off."""


def test_sample_loads_without_any_variable() -> None:
    settings = load_settings(SAMPLE, {})

    assert [monitor.name for monitor in settings.monitors] == [
        "delay-model",
        "delay-model-europe",
        "delay-model-challenger",
    ]
    assert settings.store_url == "sqlite:///driftwatch.db"


def test_sample_takes_its_variables(load: Load) -> None:
    settings = load(TEXT, {"LOGS_URL": "postgresql://h/db", "DRIFTWATCH_STORE": "sqlite:///x"})

    assert settings.sources["logs"].url == "postgresql+psycopg://h/db"
    assert settings.store_url == "sqlite:///x"


def _paths(value: object, parent: str) -> set[str]:
    if isinstance(value, list):
        return {parent}.union(*(_paths(item, parent + "[]") for item in value))
    if not isinstance(value, dict):
        return {parent}
    below = {
        path
        for key, child in value.items()
        for path in _paths(child, f"{parent}.{key}" if parent else str(key))
    }
    return {parent} | below if parent else below


def test_every_key_is_in_the_sample_and_no_other() -> None:
    found = {
        re.sub(r"(thresholds?)\.\w+", r"\1.<measure>", path)
        .replace("sources.logs", "sources.<name>")
        .replace("defaults.", "monitors[].")
        .replace("monitors[].prediction.", "monitors[].features[].")
        .replace("monitors[].features[].reference.", "monitors[].reference.")
        for path in _paths(yaml.load(ALL_ON, yaml.BaseLoader), "")  # text alone
    }

    named = {path for path in found if not path.endswith(("<measure>", "<name>", "[]"))}
    of_the_user = {
        "notify.webhook.headers.Authorization",
        "notify.webhook.header_files.X-Token",
        "monitors[].labels.team",
        "monitors[].labels.tier",
    }
    assert named - of_the_user == set(schema_keys())


def test_every_option_that_is_off_is_right_when_it_is_on(load: Load) -> None:
    with pytest.raises(ConfigError) as caught:
        load(ALL_ON)

    told = {re.sub(r"^\S+ \S+ ", "", line) for line in str(caught.value).split("\n")}
    assert {re.sub(r":.*|;.*", "", line) for line in told} == {
        "stands beside url",
        "cannot read the file named here",
    }


USABLE = re.sub(r"^ *(?:\w+_files?|X-Token):.*$", "", ALL_ON, flags=re.MULTILINE)
"""The sample with every option on but the files of secrets."""


def _without(pattern: str) -> str:
    """The usable sample without these lines, at the same line numbers."""
    text, count = re.subn(pattern, lambda m: "\n" * m[0].count("\n"), USABLE, flags=re.MULTILINE)
    assert count
    return text


@pytest.mark.parametrize(
    "pattern",
    [
        r"^defaults:\n(?: .*\n|\n)+",
        r"^store:\n(?: .*\n|\n)+",
        r"^listen:.*\n",
        r"^grace:.*\n",
        r"^ {4}(?:statement_timeout|capture_timeout|max_concurrent):.*\n",
        r"^ {4}timeout:.*\n",
        r"^ {4}source:.*\n",
        r"^ {8}levels:.*\n",
        r"^ {10}(?:count|method):.*\n",
        r"^ {4,6}clear:.*\n",
        r"^retention:\n(?: .*\n|\n)+",
        r"^ {2}(?:panes|hours|results|evaluations|events|notifications):.*\n",
        r"^ {2}(?:zone|recheck):.*\n",
        r"^ {6}(?:handover|windows|min_rows|page):.*\n",
        r"^ {10}limit:.*\n",
    ],
)
def test_the_values_written_in_the_sample_are_the_defaults(load: Load, pattern: str) -> None:
    assert load(_without(pattern)) == load(USABLE)


def test_the_webhook_is_what_the_sample_says(load: Load) -> None:
    hook = load(USABLE, {"HOOK_TOKEN": "t"}).webhook

    assert hook is not None
    assert (hook.url, hook.headers) == (
        "https://example.org/hooks/t",
        {"Authorization": "Bearer t"},
    )
    assert hook.timeout_seconds == WebhookShape().timeout == parse_duration("10s")
