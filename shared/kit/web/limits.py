"""What a request body may be: 1 MiB, or what a route says with `@body_limit(…)`; on `/api/` JSON, or `@takes(…)`.

A body that says it is something else is refused: what a browser sends across sites without asking first (a form, plain
text) can then never be read as JSON.
"""

from collections.abc import Callable
from typing import Any, TypeVar

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

DEFAULT_LIMIT = 1 << 20
JSON = frozenset({b"application/json"})

Endpoint = TypeVar("Endpoint", bound=Callable[..., Any])


class TooLarge(HTTPException):
    """The body is larger than the route takes. An HTTPException, because the framework lets only those through."""

    def __init__(self, limit: int) -> None:
        super().__init__(413)
        self.limit = limit


class WrongKind(HTTPException):
    """The body is of a kind that the route does not read."""

    def __init__(self) -> None:
        super().__init__(415)


def body_limit(most: int) -> Callable[[Endpoint], Endpoint]:
    """Let this endpoint take bodies of up to `most` bytes. Stands directly above the function."""

    def mark(endpoint: Endpoint) -> Endpoint:
        endpoint.__dict__["body_limit"] = most
        return endpoint

    return mark


def takes(*kinds: str) -> Callable[[Endpoint], Endpoint]:
    """Let this endpoint of the API take bodies of these media types. Stands directly above the function."""

    def mark(endpoint: Endpoint) -> Endpoint:
        endpoint.__dict__["body_kinds"] = frozenset(kind.encode() for kind in kinds)
        return endpoint

    return mark


class BodyLimit:
    """ASGI: raises `TooLarge` or `WrongKind` when the endpoint reads a body that it does not take."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] in ("GET", "HEAD"):
            await self.app(scope, receive, send)
            return
        limit = 0
        read = 0
        fits = True

        async def receive_within_limit() -> Message:
            nonlocal limit, read, fits
            if limit == 0:
                # Asked for at the first read: by then the router knows the endpoint.
                endpoint = scope.get("endpoint")
                limit = getattr(endpoint, "body_limit", DEFAULT_LIMIT)
                length, kind = _declared(scope)
                if length > limit:
                    raise TooLarge(limit)
                fits = not scope["path"].startswith("/api/") or kind in getattr(endpoint, "body_kinds", JSON)
            message = await receive()
            if message["type"] == "http.request" and (body := message.get("body")):
                if not fits:
                    raise WrongKind
                read += len(body)
                if read > limit:
                    raise TooLarge(limit)
            return message

        await self.app(scope, receive_within_limit, send)


def _declared(scope: Scope) -> tuple[int, bytes]:
    """What Content-Length says, 0 when it says nothing readable; the media type without its parameters."""
    length, kind = 0, b""
    for name, value in scope["headers"]:
        if name == b"content-length":
            length = int(value) if value.isdigit() else 0
        elif name == b"content-type":
            kind = value.partition(b";")[0].strip().lower()
    return length, kind
