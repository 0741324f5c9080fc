"""docs/reference/http.md names every address that the daemon answers, and no other."""

from driftwatch.exposition.page import Page
from driftwatch.exposition.page_routes import AT_ONCE
from driftwatch.exposition.pages import Pages
from driftwatch.exposition.protocol import ANSWER_SECONDS, MOST_CONNECTIONS, REQUEST_SECONDS
from driftwatch.exposition.web import RELOADS, Probes, create_app
from tests.docs.markdown import DOCS, in_code, tables
from tests.exposition.readings import NOW, busy_health

PAGE = DOCS / "reference" / "http.md"


def test_every_address_is_documented_and_no_other() -> None:
    probes = Probes(now=lambda: NOW, heartbeat=lambda: NOW, not_ready=list)
    pages = Pages(config=str, explain=lambda asked: asked.feature)
    app = create_app(Page(), busy_health(), probes, pages)
    there = {str(getattr(route, "path", "")) for route in app.routes}
    assert {in_code(row[0])[0] for row in tables(PAGE)["HTTP"]} == there


def test_numbers_in_the_text_are_those_of_the_code() -> None:
    text = " ".join(PAGE.read_text("utf-8").split())
    assert AT_ONCE == 2
    assert "reads the store, two requests at a time" in text
    assert f"must be there within {REQUEST_SECONDS:g} seconds" in text
    assert f"all of its answer must be read within {ANSWER_SECONDS:g}" in text
    assert (RELOADS, "503 when eight are under way" in text) == (8, True)
    assert f"Of more than {MOST_CONNECTIONS} connections" in text
