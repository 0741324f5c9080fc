"""What stands before every endpoint: the rate limit, the login, and headers of each answer."""

from collections.abc import Mapping

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from driftwatch.exposition.login import Admission, Login
from driftwatch.exposition.security import Security

SAFE_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "deny",
}
"""Of every answer that does not set them itself."""

CHALLENGE = 'Basic realm="driftwatch", charset="UTF-8"'


class Guard:
    """An application around another one. security None: anybody may ask."""

    def __init__(self, app: ASGIApp, security: Security | None) -> None:
        self._app = app
        self._security = security
        self._login = Login()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        configured = self._security.current.headers if self._security else {}
        answer = await self._refusal(scope) or self._app
        await answer(scope, receive, _with_headers(send, configured))

    async def _refusal(self, scope: Scope) -> Response | None:
        security = self._security
        if security is None:
            return None
        if not security.admits_another():
            return PlainTextResponse("too many requests; see rate_limit\n", 429)
        users = security.current.users
        if not users:
            return None
        admission = await self._login.admit(users, Headers(scope=scope).get("authorization", ""))
        if admission is Admission.BUSY:
            return PlainTextResponse("too many logins at once; try again\n", 503)
        if admission is Admission.REFUSED:
            return PlainTextResponse(
                "user and password, please\n", 401, headers={"WWW-Authenticate": CHALLENGE}
            )
        return None


def _with_headers(send: Send, configured: Mapping[str, str]) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in SAFE_HEADERS.items():
                headers.setdefault(name, value)
            for name, value in configured.items():
                headers[name] = value
        await send(message)

    return sending
