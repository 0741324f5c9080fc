"""The configuration as it is shown: it can be read again, and no secret is in it."""

import json
import re
from pathlib import Path
from urllib.parse import quote, quote_plus

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from driftwatch.config.load import load_settings
from driftwatch.config.shown import show_settings
from tests.config.conftest import Load, monitor
from tests.config.test_sample import TEXT, USABLE

REST = monitor().partition("\n")[2]


@pytest.mark.parametrize(
    "text", [TEXT, re.sub(r"^notify:\n(?: .*\n|\n)+", "", USABLE, flags=re.MULTILINE)]
)
def test_what_is_shown_can_be_read_again_and_is_the_same(load: Load, text: str) -> None:
    """Every key of the sample, but for the webhook, of which the host alone is shown."""
    first = load(text)
    shown = show_settings(first)
    again = load(shown)
    assert show_settings(again) == shown
    assert without_places(again) == without_places(first)


def without_places(found: object) -> str:
    return re.sub(r"place='[^']*'", "", repr(found))


WORDS = ("1e5", "0.1", "12", "true", "null", "~", "on", "NO", "007", "2026-09-01", "a: b", "=", "")


@pytest.mark.parametrize("word", WORDS)
def test_text_that_looks_like_something_else_stays_text(load: Load, word: str) -> None:
    level = f"segments: [{{columns: c, levels: ['{word or 'x'}']}}]"
    first = load(monitor(f"where: \"v = '{word}'\"", level))
    again = load(show_settings(first))
    assert without_places(again) == without_places(first)


def test_variables_are_shown_by_their_names(load: Load) -> None:
    env = {"REGION": "top-s3cret", "TABLE": "s3cret.rows", "COLUMN": "s3cret_c", "WHY": "s3cret w"}
    text = monitor(
        "where: region = '${REGION}' and $$5 = ${REGION}",
        "exclude: [{from: 2026-11-23, to: 2026-11-24, reason: '${WHY}'}]",
        columns="features: ['${COLUMN}', distance]",
    ).replace("table: predictions", "table: ${TABLE}")
    shown = show_settings(load(text, env))
    assert "s3cret" not in shown
    (found,) = yaml.safe_load(shown)["monitors"]
    assert found["where"] == "region = '${REGION}' and $$5 = ${REGION}"
    assert (found["table"], found["features"][0]["name"]) == ("${TABLE}", "${COLUMN}")
    assert found["exclude"][0]["reason"] == "${WHY}"
    again = load(shown, env)
    assert without_places(again) == without_places(load(text, env))


@pytest.mark.parametrize(
    ("sql", "told"),
    [
        (
            "select * from dblink('host=h password=s3cret user=u', 'select 1') as t (a int)",
            "select * from dblink('host=h password=<secret> user=u', 'select 1') as t (a int)",
        ),
        ("a in (f('PASSWORD=''s 3cret'' x'))", "a in (f('PASSWORD=<secret> x'))"),
        ("a = f('password = ''s3 cret'' x')", "a = f('password = <secret> x')"),
        (
            "a = f('sslpassword=s3cret PassWord = s3cret')",
            "a = f('sslpassword=<secret> PassWord = <secret>')",
        ),
        ("a = f('postgresql://u:s3cret@h/db')", "a = f('postgresql://<secret>@h/db')"),
        ("password = 'x' and token='y'", "password = 'x' and token='y'"),
        ("t ~ '://a.b/c:d'", "t ~ '://a.b/c:d'"),
    ],
)
def test_passwords_of_connections_in_sql(load: Load, sql: str, told: str) -> None:
    text = monitor("where: " + json.dumps(sql), "ready: " + json.dumps(sql))
    (found,) = yaml.safe_load(show_settings(load(text)))["monitors"]
    assert (found["where"], found["ready"]) == (told, told)


def test_files_of_secrets_are_shown_by_their_paths(load: Load, tmp_path: Path) -> None:
    (tmp_path / "url").write_text("postgresql://u:s3cret@h/db")
    (tmp_path / "password").write_text("s3cret")
    (tmp_path / "hook").write_text("https://h/s3cret")
    shown = show_settings(
        load(
            "store: {url_file: url}\nnotify: {webhook: {url_file: hook}}\n"
            "sources: {logs: {url: 'postgresql://u@h/x', password_file: password}}\n" + REST
        )
    )
    found = yaml.safe_load(shown)
    assert found["store"] == {"url_file": str(tmp_path / "url")}
    assert found["sources"]["logs"]["url"] == "postgresql://u@h/x"
    assert found["sources"]["logs"]["password_file"] == str(tmp_path / "password")
    assert found["notify"]["webhook"]["url_file"] == str(tmp_path / "hook")
    assert "s3cret" not in shown


PASSWORDS = st.text(
    st.characters(blacklist_categories=("Cs", "Cc", "Zl", "Zp", "Zs")), min_size=5, max_size=30
).map(lambda text: f"Zx{text}xZ")


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(PASSWORDS, st.booleans())
def test_no_secret_is_shown(tmp_path: Path, secret: str, by_variable: bool) -> None:  # fmt: skip
    """A secret wherever one can be written, as it is or encoded, in the file or a variable."""
    encoded = quote(secret, safe="")
    urls = {
        "STORE": f"postgresql://u:{encoded}@h/db?sslpassword={quote_plus(secret)}",
        "LOGS": f"postgresql://h/db?user=u&password={encoded}&options={encoded}&sslmode=require",
        "HOOK": f"https://h/{encoded}?token={encoded}",
        "TOKEN": "".join(one for one in secret if one.isascii() and one.isprintable()),
    }
    given_here = {k: f"${{{k}}}" if by_variable else v.replace("$", "$$") for k, v in urls.items()}
    document = {
        "store": given_here["STORE"],
        "sources": {"logs": given_here["LOGS"]},
        "notify": {
            "webhook": {"url": given_here["HOOK"], "headers": {"X-Token": given_here["TOKEN"]}}
        },
        "monitors": yaml.safe_load(REST.replace("2026-09-01", "'2026-09-01'").replace(
            "2026-10-01", "'2026-10-01'"))["monitors"],
    }  # fmt: skip
    file = tmp_path / "config.yaml"
    file.write_text(yaml.safe_dump(document, allow_unicode=True))
    shown = show_settings(load_settings(file, urls))
    for form in (secret, encoded, quote_plus(secret), quote(secret), urls["TOKEN"]):
        assert form not in shown
    assert "Zx" not in shown
    assert "xZ" not in shown
    found = yaml.safe_load(shown)
    assert found["sources"]["logs"]["url"].endswith("sslmode=require&user=<secret>")
    assert found["notify"]["webhook"]["headers"] == {"X-Token": "<secret>"}
