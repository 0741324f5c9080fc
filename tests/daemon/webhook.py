"""A receiver of webhooks that refuses as often as it is told to."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any


@dataclass
class Receiver:
    """What came, in order; refused: how many of the next requests are answered with 503."""

    url: str = ""
    refused: int = 0
    posts: list[dict[str, Any]] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)
    tokens: list[str | None] = field(default_factory=list)

    def taken(self) -> list[dict[str, Any]]:
        """The bodies that were accepted."""
        return [
            post for post, answer in zip(self.posts, self.answers, strict=True) if answer == 204
        ]


@contextmanager
def receiver(refused: int = 0) -> Iterator[Receiver]:
    """A running receiver on 127.0.0.1, ended with the block."""
    found = Receiver(refused=refused)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            answer = 503 if found.refused > 0 else 204
            found.refused -= answer == 503
            found.posts.append(json.loads(body))
            found.answers.append(answer)
            found.tokens.append(self.headers["X-Token"])
            self.send_response(answer)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Nothing on the terminal."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        found.url = f"http://127.0.0.1:{server.server_port}/hook"
        thread = Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield found
        finally:
            server.shutdown()
            thread.join()
