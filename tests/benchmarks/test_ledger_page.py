"""The page of the large ledger is made of the numbers that are committed with it."""

import json

from benchmarks.ledger import RESULTS, Shape, Size, Timing, page


def test_the_page_shows_what_its_raw_numbers_say() -> None:
    raw = json.loads((RESULTS / "ledger.json").read_text("utf-8"))
    text = (RESULTS / "ledger.md").read_text("utf-8")
    found = [(Timing if "work" in one else Size)(**one) for one in raw["measured"]]
    assert text.startswith(page(Shape(**raw["shape"]), found))
    for name, value in raw["machine"].items():
        assert f"| {name} | {value} |" in text
