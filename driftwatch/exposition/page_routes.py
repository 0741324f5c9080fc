"""The pages that are text: the configuration in use, and what is known of one result."""

import asyncio

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from driftwatch.exposition.beside import beside
from driftwatch.exposition.pages import ExplainRequest, PageError, Pages

AT_ONCE = 2
"""Results that are read from the store at a time."""

WAITING = 8
"""Requests for them that may wait. Scrapes are answered by the loop and never wait for these."""

_PARAMETERS = ("monitor", "feature", "segment", "window", "end")


def page_routes(pages: Pages) -> list[Route]:
    """/config and /explain."""
    explaining = _Explaining(pages)

    def config(_: Request) -> Response:
        return PlainTextResponse(pages.config())

    return [Route("/config", config), Route("/explain", explaining.answer)]


class _Explaining:
    def __init__(self, pages: Pages) -> None:
        self._pages = pages
        self._room = asyncio.Semaphore(AT_ONCE)
        self._waiting = 0

    async def answer(self, request: Request) -> Response:
        try:
            asked = _asked(request)
            if self._waiting >= WAITING:
                raise PageError(503, "too many results are read at once; try again")
            self._waiting += 1
            try:
                async with self._room:
                    text = await beside(lambda: self._pages.explain(asked), "explain")
            finally:
                self._waiting -= 1
        except PageError as error:
            return PlainTextResponse(f"{error}\n", error.status)
        return PlainTextResponse(text)


def _asked(request: Request) -> ExplainRequest:
    given = request.query_params
    strange = sorted(set(given) - set(_PARAMETERS))
    twice = [name for name in _PARAMETERS if len(given.getlist(name)) > 1]
    lacking = [name for name in ("monitor", "feature") if not given.get(name)]
    if strange or twice or lacking:
        words = (
            f"{'unknown: ' if strange else 'more than once: ' if twice else 'missing: '}"
            f"{', '.join(strange or twice or lacking)}"
        )
        raise PageError(
            400, f"{words}; ask for /explain?monitor=NAME&feature=NAME, and window=1d, "
            "end=2026-09-01 and segment=COLUMN=VALUE where it is not the newest window of all rows"
        )  # fmt: skip
    return ExplainRequest(
        given["monitor"],
        given["feature"],
        given.get("segment", ""),
        given.get("window"),
        given.get("end"),
    )
