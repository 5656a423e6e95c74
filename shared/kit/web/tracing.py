"""Outermost ASGI layer: one span per request, named after the route and never after the address that was asked for."""

import re

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.kit import telemetry
from shared.kit.web.navigation import template_of

UNTRACED = frozenset({"/livez", "/readyz", "/statusz"})
TRACEPARENT = re.compile(rb"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")


class Tracing:
    """ASGI: runs the request in a span that continues the caller's trace; free while nothing is exported."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not telemetry.is_exporting() or scope["type"] != "http" or scope["path"] in UNTRACED:
            await self.app(scope, receive, send)
            return
        method = scope["method"]
        with telemetry.span(method, parent=_parent(scope)) as span:

            async def send_and_note(message: Message) -> None:
                if message["type"] == "http.response.start":
                    span.set_attribute("http.response.status_code", message["status"])
                await send(message)

            try:
                await self.app(scope, receive, send_and_note)
            finally:
                span.set_attribute("http.request.method", method)
                if answered_by := _route(scope):
                    span.update_name(f"{method} {answered_by}")
                    span.set_attribute("http.route", answered_by)


def _route(scope: Scope) -> str:
    """The pattern of the route that answered, for a plain route its function; empty when there was none.

    Never the address: what no route answers could hold anything.
    """
    return template_of(scope) or getattr(scope.get("endpoint"), "__name__", "")


def _parent(scope: Scope) -> str | None:
    """The caller's `traceparent`, None when there is none or it is no such thing."""
    for name, value in scope["headers"]:
        if name == b"traceparent" and TRACEPARENT.fullmatch(value):
            return str(value, "ascii")
    return None
