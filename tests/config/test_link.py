"""`links`: addresses that stand in alerts."""

import pytest

from driftwatch.config.settings import LinkSettings
from tests.config.conftest import Load, Tell, monitor


@pytest.mark.parametrize(
    ("before", "links"),
    [
        ("", LinkSettings()),
        ("listen: '[::1]:9000'\n", LinkSettings("http://[::1]:9000")),
        (
            "links: {driftwatch: 'https://d.example.org/dw/', grafana: 'http://g:3000/'}\n",
            LinkSettings("https://d.example.org/dw", grafana="http://g:3000"),
        ),
        (
            "links: {runbooks: https://d.example.org/runbooks}\n",
            LinkSettings(runbooks="https://d.example.org/runbooks"),
        ),
    ],
)
def test_addresses_have_defaults_and_no_slash_at_their_end(
    load: Load, before: str, links: LinkSettings
) -> None:
    assert load(before + monitor()).links == links


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("grafana.example.org", "not an http or https URL; write it like https://host/path"),
        ("https://me:hush@g.example.org", "a URL with user or password would be in every alert"),
        ("https://g.example.org/?orgId=1", "has a query, a fragment or a character that a path"),
        ("https://g.example.org/{{x}}", "has a query, a fragment or a character that a path"),
        ("https://g.example.org/#a", "has a query, a fragment or a character that a path"),
        ("https://g.example.org:x/", "a URL that cannot be read"),
    ],
)
def test_what_is_no_address_is_told_without_it(tell: Tell, url: str, told: str) -> None:
    (line,) = tell(f"links: {{grafana: '{url}'}}\n" + monitor())
    assert line.startswith("1: links.grafana: ")
    assert told in line
    assert "hush" not in line
