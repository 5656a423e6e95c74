"""How large a request body may be: 1 MiB, or what a route says with `@body_limit(…)`."""

from collections.abc import Callable
from typing import Any, TypeVar

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

DEFAULT_LIMIT = 1 << 20

Endpoint = TypeVar("Endpoint", bound=Callable[..., Any])


class TooLarge(HTTPException):
    """The body is larger than the route takes. An HTTPException, because the framework lets only those through."""

    def __init__(self, limit: int) -> None:
        super().__init__(413)
        self.limit = limit


def body_limit(most: int) -> Callable[[Endpoint], Endpoint]:
    """Let this endpoint take bodies of up to `most` bytes. Stands directly above the function."""

    def mark(endpoint: Endpoint) -> Endpoint:
        endpoint.__dict__["body_limit"] = most
        return endpoint

    return mark


class BodyLimit:
    """ASGI: raises `TooLarge` when the endpoint reads a body that is over its limit."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] in ("GET", "HEAD"):
            await self.app(scope, receive, send)
            return
        limit = 0
        read = 0

        async def receive_within_limit() -> Message:
            nonlocal limit, read
            if limit == 0:
                # Asked for at the first read: by then the router knows the endpoint.
                limit = getattr(scope.get("endpoint"), "body_limit", DEFAULT_LIMIT)
                if _declared(scope) > limit:
                    raise TooLarge(limit)
            message = await receive()
            if message["type"] == "http.request":
                read += len(message.get("body", b""))
                if read > limit:
                    raise TooLarge(limit)
            return message

        await self.app(scope, receive_within_limit, send)


def _declared(scope: Scope) -> int:
    """What Content-Length says, 0 when it says nothing readable."""
    for name, value in scope["headers"]:
        if name == b"content-length":
            return int(value) if value.isdigit() else 0
    return 0
