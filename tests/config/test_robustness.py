"""Whatever the file holds, it is settings or a ConfigError with a place, and never a secret."""

import re
from pathlib import Path

import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from driftwatch.config.load import load_settings
from driftwatch.errors import ConfigError

TEXT = (Path(__file__).parents[2] / "config.yaml").read_text()
ALL_ON = re.sub(r"^( *)#(?! |$)", r"\1", TEXT, flags=re.MULTILINE)
SECRET = "hunter2secret"  # a planted one
LINES = [line for line in ALL_ON.splitlines() if line.strip() and not line.strip().startswith("#")]

SCALARS = [
    *("", "null", "true", "3", "-1", "1e400", ".nan", "5m", "0s", "2026-09-01", "a: b", "'", "${X"),
    *("[", "{", "[]", "{}", "[[1]]", "{a: {b: c}}", "*x", "&x", "!t", "\t", "@", "${S}", "ä b"),
    *("${S}://x", "[${S}]", "{a: '${S}'}", "sqlite:///${S}", f"postgresql://u:{SECRET}@h@x/d"),
]
KEYS = [
    *("store", "sources", "url", "notify", "webhook", "headers", "defaults", "monitors", "name"),
    *("table", "timestamp", "features", "prediction", "reference", "from", "windows", "bins"),
    *("edges", "thresholds", "js_distance", "volume", "warning", "alert", "k", "pane", "start"),
    *("zone", "query", "recheck", "ready", "widen", "version", "segments", "by", "columns"),
    *("levels", "exclude", "reason", "rolling", "seasonal", "file", "cohort", "retention", "hours"),
    "explain_prediction",
]
SETTINGS = settings(
    max_examples=150,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


def complaint(path: Path, text: str) -> str:
    """What the file is told with; nothing when it can be used."""
    path.write_text(text)
    try:
        load_settings(path, {"S": SECRET})
    except ConfigError as error:
        told = error
    else:
        return ""
    assert all(line.startswith(str(path)) for line in str(told).split("\n"))
    return f"{told!r} {told}"


@SETTINGS
@given(
    edits=st.lists(
        st.tuples(st.integers(0, len(LINES) - 1), st.sampled_from(SCALARS)), min_size=1, max_size=4
    )
)
def test_values_replaced(tmp_path: Path, edits: list[tuple[int, str]]) -> None:
    lines = list(LINES)
    for i, value in edits:
        lines[i] = lines[i].partition(":")[0] + f": {value}"

    assert SECRET not in complaint(tmp_path / "c", "\n".join(lines))


keys = st.sampled_from(KEYS)
trees = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.just("1h"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys | st.text(), inner),
    max_leaves=20,
)


@SETTINGS
@given(tree=st.dictionaries(keys, trees, min_size=1), monitor=st.dictionaries(keys, trees))
def test_any_tree(tmp_path: Path, tree: dict[str, object], monitor: dict[str, object]) -> None:
    whole = {"monitors": [monitor], **tree}

    assert "monitors" in complaint(tmp_path / "c", yaml.safe_dump(whole, allow_unicode=True))
