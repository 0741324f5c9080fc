"""The harness's axes and counts are those of the source: fitted and scanned by SQLite itself."""

from pathlib import Path

import numpy as np
import pytest

from benchmarks.detection.draws import Window, counted, past, window
from benchmarks.detection.worlds import MARGINALS, SHIFTS, Levels, cell_shares, reference
from driftwatch.config.settings import FeatureSettings, Kind
from driftwatch.source import ScanColumn
from driftwatch.source.file import open_file
from driftwatch.stats.axis import Axis, CategoricalAxis
from driftwatch.stats.counts import IntArray
from driftwatch.stats.unseen import with_expected_unseen


def texts(drawn: Window, *, levels: bool) -> list[str]:
    if levels:
        found = np.repeat(np.arange(drawn.rows.size), drawn.rows.astype(np.int64))
        return [f"level {level:05}" for level in found] + [""] * drawn.missing
    return [repr(float(value)) for value in drawn.rows] + [""] * drawn.missing


def shipped(path: Path, rows: list[str], kind: Kind) -> tuple[Axis, IntArray]:
    """The axis that the source fits to a file, and the counts of the file's own rows on it."""
    # A second column: a line without any value would be no line.
    path.write_text("x,y\n" + "".join(f"{row},1\n" for row in rows))
    feature = FeatureSettings("x", kind=kind)
    with open_file(path) as file:
        source, place = file.source, file.relation
        info = source.inspect(place)
        axis = source.fit(place, info, [feature], None)["x"]
        column = info.column("x")
        assert isinstance(axis, Axis)
        assert column is not None
        plan = source.plan(place, info, [ScanColumn("x", axis, column.column_type)], 86_400)
        return axis, source.scan_all(plan).columns["x"].cells.sum(axis=0)


@pytest.mark.parametrize("marginal", MARGINALS)
def test_axis_and_counts_are_the_sources_own(marginal: str, tmp_path: Path) -> None:
    world = MARGINALS[marginal]
    kept = past(world, 3_000, 1_000, np.random.default_rng(5))
    levels = isinstance(world, Levels)
    rows = [text for one in kept.windows for text in texts(one, levels=levels)]
    kind = Kind.CATEGORICAL if levels else Kind.NUMERIC
    axis, cells = shipped(tmp_path / "reference.csv", rows, kind)
    ours = kept.kept.axis
    if isinstance(ours, CategoricalAxis):
        shown, known = (
            tuple(f"level {name}" for name in some) for some in (ours.levels, ours.known)
        )
        ours = CategoricalAxis(shown, known, ours.twice)
    assert axis == ours
    assert with_expected_unseen(axis, cells).tolist() == kept.kept.cells.tolist()


@pytest.mark.parametrize("marginal", MARGINALS)
def test_the_probabilities_of_cells_are_those_of_windows(marginal: str) -> None:
    """So are those of every shift: counts of a large window lie within 6 standard deviations."""
    random = np.random.default_rng(6)
    kept = reference(MARGINALS[marginal], 20_000, random)
    assert kept.cells.sum() == 20_000
    moved = [one.world for one in SHIFTS if one.marginal == marginal]
    for world in (MARGINALS[marginal], *moved):
        shares = cell_shares(kept.axis, world)
        counts = counted(kept, window(world, 200_000, random))
        assert shares.sum() == pytest.approx(1.0)
        spread = np.sqrt(200_000 * shares * (1 - shares))
        assert np.all(np.abs(counts - 200_000 * shares) <= 6 * spread + 1)


def test_there_are_thirty_shifts_of_eight_marginals() -> None:
    assert len(SHIFTS) == len({(one.marginal, one.change) for one in SHIFTS}) == 30
    assert {one.marginal for one in SHIFTS} == set(MARGINALS)
    assert len(MARGINALS) == 8
