"""`labels`: the user's own, by which alerts are routed."""

import pytest

from tests.config.conftest import Load, Tell, monitor


def test_labels_are_kept_by_name(load: Load) -> None:
    (found,) = load(monitor('labels: {tier: "1", team: Risk & Co}')).monitors
    assert dict(found.labels) == {"team": "Risk & Co", "tier": "1"}
    assert list(found.labels) == ["team", "tier"]


def test_labels_of_defaults_are_merged_key_by_key(load: Load) -> None:
    defaults = 'defaults: {labels: {team: risk, tier: "2"}}\n'
    (found,) = load(defaults + monitor('labels: {tier: "1"}')).monitors
    assert dict(found.labels) == {"team": "risk", "tier": "1"}
    (plain,) = load(defaults + monitor()).monitors
    assert dict(plain.labels) == {"team": "risk", "tier": "2"}


@pytest.mark.parametrize(
    ("labels", "told"),
    [
        ("{monitor: a}", "driftwatch or Prometheus sets a label of this name; choose another"),
        ("{severity: a}", "driftwatch or Prometheus sets a label of this name; choose another"),
        ("{instance: a}", "driftwatch or Prometheus sets a label of this name; choose another"),
        ("{__name: a}", "names that begin with __ are kept for Prometheus; choose another"),
        ("{cost-center: a}", "a label's name has letters, digits and _, and begins with no digit"),
        ("{Zürich: a}", "a label's name has letters, digits and _, and begins with no digit"),
        ("{tier: 1}", 'must be text; put it in quotes: "..."'),
        ('{team: " risk"}', "a label has at most 200 characters, all printable, and no space"),
        ('{team: "a\\nb"}', "a label has at most 200 characters, all printable, and no space"),
        ("risk", "must be a mapping, such as {team: risk}, not text"),
    ],
)
def test_what_cannot_be_a_label_is_told(tell: Tell, labels: str, told: str) -> None:
    (line,) = tell(monitor(f"labels: {labels}"))
    assert line.startswith("8: monitors[0].labels")
    assert told in line
