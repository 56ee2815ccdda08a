"""MiniStack as the emulator runs it: a call that an SDK repeats gets the answer to its first attempt.

Its server sometimes drops the answer to a call that it has carried out: the SDK calls again and would
hear that the thing exists already.
"""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Message = MutableMapping[str, Any]
Send = Callable[[Message], Awaitable[None]]
Receive = Callable[[], Awaitable[Message]]
App = Callable[[Message, Receive, Send], Awaitable[None]]

# A second or two of calls: SDKs repeat one sooner.
REMEMBERED = 256


class Repeatable:
    """An ASGI application that carries out each invocation of an SDK once, if that succeeds."""

    def __init__(self, app: App) -> None:
        """Wrap another application."""
        self._app = app
        self._answers: dict[bytes, asyncio.Future[list[Message]]] = {}

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer as the first attempt was answered, where there was one and it succeeded."""
        invocation = dict(scope.get("headers", ())).get(b"amz-sdk-invocation-id")
        if invocation is None:
            await self._app(scope, receive, send)
            return
        if invocation in self._answers:
            for message in await asyncio.shield(self._answers[invocation]):
                await send(message)
            return
        answer = self._answers[invocation] = asyncio.get_running_loop().create_future()
        sent: list[Message] = []

        async def keep(message: Message) -> None:
            sent.append(message)
            await send(message)

        try:
            await self._app(scope, receive, keep)
        finally:
            answer.set_result(sent)
            if not sent or sent[0].get("status", 500) >= 300:
                del self._answers[invocation]
        while len(self._answers) > REMEMBERED:
            del self._answers[next(iter(self._answers))]


def main() -> None:
    """Serve until stopped."""
    from hypercorn.config import Config
    from ministack import app as ministack  # type: ignore[import-untyped]

    # On connections that were used before, more answers are dropped.
    Config.keep_alive_max_requests = 0
    ministack.app = Repeatable(ministack.app)
    ministack.main()


if __name__ == "__main__":
    main()
