"""Evidently and NannyML themselves, on raw values, against the profiles on counts of them.

Each runs in its pinned environment, which is built once per machine: below half a minute each.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from benchmarks.peers import environment
from benchmarks.peers.environment import EVIDENTLY, NANNYML, Peer, PeerError
from driftwatch.compat.profiles import PROFILES
from driftwatch.stats.counts import IntArray
from tests.servers.parts import in_ci

# Where an environment is not there yet, building it may wait for a slow network.
pytestmark = pytest.mark.timeout(1500)

Values = npt.NDArray[Any]

LEVELS: Mapping[str, tuple[list[int], list[int]]] = {
    "alike": ([50, 30, 20], [40, 40, 20]),
    "two": ([30, 70], [45, 55]),
    "unseen": ([50, 30, 20, 3, 1], [40, 40, 20, 0, 0]),
    "gone": ([60, 0, 40], [30, 20, 50]),
    "disjoint": ([7, 0, 0], [0, 4, 5]),
    "rare": ([20_000, 1, 0], [15_000, 0, 2]),
    "many": (list(range(1, 41)), list(range(40, 0, -1))),
}
"""Current and reference rows of each level."""

TOLERANCE = 1e-9


def levels() -> dict[str, Values]:
    raw: dict[str, Values] = {}
    for name, (current, reference) in LEVELS.items():
        words = np.array([f"level {number}" for number in range(len(current))])
        raw[f"{name}.current"] = np.repeat(words, current)
        raw[f"{name}.reference"] = np.repeat(words, reference)
    return raw


def numbers() -> dict[str, Values]:
    rng = np.random.default_rng(2013)
    reference = rng.normal(0.0, 1.0, 800)
    return {
        "shifted.current": rng.normal(0.3, 1.0, 500),
        "shifted.reference": reference,
        # Far values: bins between them are empty on both sides, and beyond the reference.
        "far.current": np.append(rng.normal(0.0, 1.0, 300), [25.0, -40.0]),
        "far.reference": reference,
        "missing.current": np.where(rng.random(500) < 0.2, np.nan, rng.gamma(2.0, 1.0, 500)),
        "missing.reference": rng.gamma(2.0, 1.0, 700),
    }


RAW = {**levels(), **numbers()}
NUMERIC = sorted({key.partition(".")[0] for key in numbers()})


EVIDENTLYS = {
    "jensenshannon": {"levels": "evidently_js_distance", "bins": "evidently_js_distance"},
    "kl_div": {"levels": "evidently_kl_levels", "bins": "evidently_kl_bins"},
    "psi": {"levels": "evidently_psi_levels", "bins": "evidently_psi_bins"},
}
NANNYMLS = {
    "jensen_shannon": {"levels": "nannyml_js_distance", "bins": "nannyml_js_distance"},
    "hellinger": {"levels": "nannyml_hellinger", "bins": "nannyml_hellinger"},
    "l_infinity": {"levels": "nannyml_l_infinity"},
    "chi2": {"levels": "nannyml_chi2"},
}
"""Method -> the profile that is to give its figure, for levels and for bins."""


def theirs(peer: Peer, script: str) -> dict[str, float]:
    """NAME.METHOD -> what the tool gives; if it cannot be installed, fail in CI, skip elsewhere."""
    try:
        environment.python_of(peer)
    except PeerError as error:
        if in_ci():
            raise
        pytest.skip(f"{peer.name} cannot be installed: {error}")
    found = environment.run(peer, Path(environment.__file__).parent / script, RAW)
    return {key: float(value) for key, value in found.items()}


def ours(
    profiles: Mapping[str, Mapping[str, str]], counted: Mapping[str, tuple[IntArray, IntArray]]
) -> dict[str, float]:
    """NAME.METHOD -> what the profile of the method gives on the counts of each column."""
    return {
        f"{name}.{method}": float(PROFILES[of[kind]](current[np.newaxis], reference[np.newaxis])[0])
        for method, of in profiles.items()
        for kind, names in (("levels", LEVELS), ("bins", NUMERIC))
        for name in names
        if kind in of
        for current, reference in [counted[name]]
    }


def levels_counted() -> dict[str, tuple[IntArray, IntArray]]:
    return {
        name: (np.array(current), np.array(reference))
        for name, (current, reference) in LEVELS.items()
    }


def over_both(name: str) -> tuple[IntArray, IntArray]:
    """Counts in the bins that Evidently makes: of equal width, over both sides together."""
    current, reference = present(name)
    edges = np.histogram_bin_edges(np.append(reference, current), bins="sturges")
    return np.histogram(current, edges)[0], np.histogram(reference, edges)[0]


def over_the_reference(name: str) -> tuple[IntArray, IntArray]:
    """Counts in the bins that NannyML makes, and in one more cell what lies beyond them."""
    current, reference = present(name)
    edges = np.histogram_bin_edges(reference, bins="doane")
    within = np.histogram(current, edges)[0]
    beyond = current.size - within.sum()
    return np.append(within, beyond), np.append(np.histogram(reference, edges)[0], 0)


def present(name: str) -> tuple[Values, Values]:
    sides = RAW[f"{name}.current"], RAW[f"{name}.reference"]
    return sides[0][np.isfinite(sides[0])], sides[1][np.isfinite(sides[1])]


def test_evidently_gives_what_its_profiles_give() -> None:
    counted = levels_counted() | {name: over_both(name) for name in NUMERIC}
    found = theirs(EVIDENTLY, "figures_of_evidently.py")
    assert ours(EVIDENTLYS, counted) == pytest.approx(found, rel=TOLERANCE, abs=TOLERANCE)


def test_nannyml_gives_what_its_profiles_give() -> None:
    counted = levels_counted() | {name: over_the_reference(name) for name in NUMERIC}
    found = theirs(NANNYML, "figures_of_nannyml.py")
    assert ours(NANNYMLS, counted) == pytest.approx(found, rel=TOLERANCE, abs=TOLERANCE)


def test_the_columns_tell_the_profiles_of_bins_from_those_of_levels() -> None:
    current, reference = over_both("far")
    assert np.any(current + reference == 0)
    counts = current[np.newaxis], reference[np.newaxis]
    as_bins, as_levels = (PROFILES[f"evidently_kl_{one}"](*counts) for one in ("bins", "levels"))
    assert abs(as_bins - as_levels) > 100 * TOLERANCE
    assert np.any(over_the_reference("far")[0][-1] > 0)
