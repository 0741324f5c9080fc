"""docs/reference/verdicts.md explains every verdict, reason and kind of alert, and no other."""

from driftwatch.alert.policy import AlertKind
from driftwatch.stats.calibration import Shortcoming
from driftwatch.verdict.policy import Reason, Verdict
from tests.docs.markdown import DOCS, in_code, tables

PAGE = tables(DOCS / "reference" / "verdicts.md")


def test_every_verdict_is_explained() -> None:
    rows = {in_code(name)[0]: judged for name, judged, _ in PAGE["Verdicts"]}
    assert rows == {one.value: "yes" if one.judged else "no" for one in Verdict}


def test_every_reason_is_explained_with_its_verdict_and_what_to_do() -> None:
    reasons = [in_code(row[0])[0] for row in PAGE["Reasons"]]
    assert sorted(reasons) == sorted(one.value for one in Reason)
    for _, verdicts, says, remedy in PAGE["Reasons"]:
        assert [Verdict(one) for one in in_code(verdicts)]
        assert says
        assert remedy


def test_every_caveat_is_explained() -> None:
    rows = PAGE["What a calibration says less than it could"]
    assert sorted(in_code(row[0])[0] for row in rows) == sorted(Shortcoming)
    assert all(all(row) for row in rows)


def test_every_kind_of_alert_is_explained() -> None:
    kinds = [in_code(row[0])[0] for row in PAGE["Which alert hears of it"]]
    assert sorted(kinds) == sorted(one.value for one in AlertKind)
