"""Calls that may take long, beside the web server's loop: each in a thread that nobody waits for.

A store that does not answer must not keep the process from ending, as a thread of asyncio's pool
would, nor take up the threads that other answers are made in.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from threading import Thread


async def beside(call: Callable[[], str], name: str) -> str:
    """What a call gives. name: of its thread, behind `driftwatch-`."""
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[str] = loop.create_future()

    def settle(text: str | None, error: Exception | None) -> None:
        if answer.done():  # whoever asked is gone
            return
        if error is not None:
            answer.set_exception(error)
        else:
            answer.set_result(text or "")

    def run() -> None:
        text, failed = None, None
        try:
            text = call()
        except Exception as error:
            failed = error
        with suppress(RuntimeError):  # the server has ended meanwhile
            loop.call_soon_threadsafe(settle, text, failed)

    Thread(target=run, name=f"driftwatch-{name}", daemon=True).start()
    return await answer
