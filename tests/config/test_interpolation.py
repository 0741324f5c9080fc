"""Variables of the environment in text values."""

import pytest

from driftwatch.config.interpolation import interpolate
from tests.config.conftest import Load, Tell, monitor

ENV = {"A": "a", "EMPTY": "", "TRICKY": "${A} $$ 'x': [1]"}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("plain", "plain"),
        ("${A}", "a"),
        ("x${A}y${A}", "xaya"),
        ("${A:-b}", "a"),
        ("${B:-b}", "b"),
        ("${B:-}", ""),
        ("${EMPTY}", ""),
        ("${EMPTY:-b}", "b"),
        ("${B:-a:-b $x}", "a:-b $x"),
        ("$$", "$"),
        ("$${A}", "${A}"),
        ("$$$${A}", "$${A}"),
        ("$$${A}", "$a"),
        ("$A $5 $", "$A $5 $"),
        ("${TRICKY}", "${A} $$ 'x': [1]"),
    ],
)
def test_variables_are_put_in_once(text: str, value: str) -> None:
    assert interpolate(text, ENV) == (value, ())


@pytest.mark.parametrize("text", ["${", "${}", "${1A}", "${A", "${A-b}", "${ A }"])
def test_what_is_no_variable_is_told(text: str) -> None:
    _, faults = interpolate(text, ENV)

    assert faults == ("a '${' without a name and a '}'; write ${NAME}, or $$ for a plain $",)


def test_every_unset_variable_is_named_with_its_line(tell: Tell) -> None:
    text = monitor("where: ${ONE} = ${TWO}").replace("table: predictions", "table: ${THREE}")

    assert tell(text, {"UNUSED": "x"}) == [
        "4: monitors[0].table: the environment variable THREE is not set; "
        "set it, or write '${THREE:-a default}'",
        "8: monitors[0].where: the environment variable ONE is not set; "
        "set it, or write '${ONE:-a default}'",
        "8: monitors[0].where: the environment variable TWO is not set; "
        "set it, or write '${TWO:-a default}'",
    ]


def test_a_variable_does_not_become_yaml(load: Load) -> None:
    (found,) = load(monitor("where: ${SQL}"), {"SQL": "a: [1] # no remark"}).monitors

    assert found.relation.where == "a: [1] # no remark"


def test_keys_are_not_touched(load: Load) -> None:
    (found,) = load(monitor(columns="features: {'${A}': }"), {"A": "x"}).monitors

    assert found.features[0].name == "${A}"
