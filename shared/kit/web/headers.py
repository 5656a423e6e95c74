"""Outermost ASGI layer: the trace id, the security headers, and a 500 that tells nothing of the inside."""

import os
import re
import traceback
from collections.abc import Callable

import asyncpg
import jinja2
import structlog
from fastapi import Request
from opentelemetry import trace
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.kit.web.navigation import template_of

log = structlog.get_logger()

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:;"
    " form-action 'self'; frame-ancestors 'none'; base-uri 'none'; manifest-src 'self'; worker-src 'self'"
)

RawHeaders = tuple[tuple[bytes, bytes], ...]

API_HEADERS: RawHeaders = (
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
)
PAGE_HEADERS: RawHeaders = (
    (b"content-security-policy", CONTENT_SECURITY_POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
)
TRANSPORT_SECURITY: RawHeaders = ((b"strict-transport-security", b"max-age=31536000; includeSubDomains"),)
NO_STORE = (b"cache-control", b"no-store")

TELLING_NO_DATA = (jinja2.TemplateError, AttributeError, NameError, ImportError, TypeError, asyncpg.SyntaxOrAccessError)
"""Mistakes of programmers, whose messages name code, never what somebody entered."""

TRACEPARENT = re.compile(rb"[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}")


class Headers:
    """ASGI: wraps every answer. Whatever says nothing of caching is personal and is not stored anywhere."""

    def __init__(
        self, app: ASGIApp, *, on_bug: Callable[[Request], Response], https: bool, form_target: str = ""
    ) -> None:
        self.app = app
        self.on_bug = on_bug
        transport = TRANSPORT_SECURITY if https else ()
        self.api_headers = API_HEADERS + transport
        self.page_headers = _leading_to(form_target) + PAGE_HEADERS[1:] + transport

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        trace_id = _trace_id(scope)
        scope.setdefault("state", {})["trace_id"] = trace_id
        fixed = self.api_headers if scope["path"].startswith("/api/") else self.page_headers
        started = False

        async def send_with_headers(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                own = message.get("headers", ())
                cached = any(name == b"cache-control" for name, _ in own)
                message["headers"] = [
                    *own,
                    *fixed,
                    (b"x-request-id", trace_id.encode()),
                    *(() if cached else (NO_STORE,)),
                ]
            await send(message)

        try:
            await self.app(scope, receive, send_with_headers)
        except ClientDisconnect:
            # The connection was cut while the request still came: nobody is there to be answered.
            return
        except Exception as bug:
            _log(bug, scope, trace_id)
            if started:
                raise AnswerBrokeOff(trace_id) from None
            await self.on_bug(Request(scope, receive))(scope, receive, send_with_headers)


def _leading_to(form_target: str) -> RawHeaders:
    """The policy of pages, whose forms may also lead to this origin: browsers hold a form to it on every redirect."""
    policy = CONTENT_SECURITY_POLICY.replace("form-action 'self'", f"form-action 'self' {form_target}".rstrip())
    return ((b"content-security-policy", policy.encode()),)


class AnswerBrokeOff(Exception):
    """A bug struck after the answer had begun; the connection is cut so that nobody takes it for whole."""


def _trace_id(scope: Scope) -> str:
    """32 hex digits: of the current span, else of the caller's `traceparent`, else new."""
    context = trace.get_current_span().get_span_context()
    if context.is_valid:
        return f"{context.trace_id:032x}"
    for name, value in scope["headers"]:
        if name == b"traceparent" and (match := TRACEPARENT.fullmatch(value)):
            return str(match[1], "ascii")
    return os.urandom(16).hex()


def _log(bug: Exception, scope: Scope, trace_id: str) -> None:
    """Where it broke and what kind of thing it was; not the message where that may quote a person's data."""
    frames = traceback.extract_tb(bug.__traceback__)[-12:]
    log.error(
        "bug",
        trace_id=trace_id,
        method=scope["method"],
        route=template_of(scope) or None,
        error=f"{type(bug).__module__}.{type(bug).__qualname__}",
        message=str(bug) if isinstance(bug, TELLING_NO_DATA) else None,
        where=[f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames],
    )
