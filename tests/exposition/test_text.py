import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from driftwatch.exposition.text import clean, labels_text, number_text


@given(st.text(), st.text())
def test_any_name_is_read_back_by_the_parser(monitor: str, feature: str) -> None:
    line = f"m{{{labels_text({'monitor': monitor, 'feature': feature})}}} 1\n"
    (family,) = text_string_to_metric_families(line)
    (sample,) = family.samples
    assert sample.labels == {"monitor": clean(monitor), "feature": clean(feature)}


@pytest.mark.parametrize(
    "hostile",
    [
        '"',
        "\\",
        "\n",
        '\\"',
        "\\n",
        '",x="',
        "} 1\nm 2",
        "#",
        " lead",
        "Ünïcode 漢字 🚀",
        "'; DROP--",
    ],
)
def test_a_hostile_name_stays_one_label(hostile: str) -> None:
    line = f"m{{{labels_text({'monitor': hostile})}}} 1\n"
    (family,) = text_string_to_metric_families(line)
    assert [sample.labels for sample in family.samples] == [{"monitor": hostile}]


@given(st.characters())
def test_clean_changes_nothing_but_surrogates_and_nul(character: str) -> None:
    bad = character == "\0" or "\ud800" <= character <= "\udfff"
    assert clean(character) == ("\ufffd" if bad else character)


def test_clean_can_always_be_encoded() -> None:
    assert clean("a\udce4b").encode() == "a\ufffdb".encode()


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_numbers_read_back_the_same(value: float) -> None:
    assert float(number_text(value)) == value


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_is_not_known_is_no_number(value: float) -> None:
    with pytest.raises(ValueError, match="has no sample"):
        number_text(value)
