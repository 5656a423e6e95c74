"""Programs speak https or are refused: one that is led there goes on sending its token in the clear, unnoticed."""

from fastapi import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from shared.kit.refusal import Refusal
from shared.kit.web import problems
from shared.kit.words import msg


class PlainHttp(Refusal):
    """A program asked by plain http, as the proxy in front of us says."""

    status = 403
    code = "https_needed"
    title = msg("This address is reached by https only")

    def __init__(self) -> None:
        super().__init__(msg("Use https. What was sent may have been read on its way: get a new secret."))


class HttpsForPrograms:
    """ASGI: refuses what came to `/api/` by plain http. Whoever makes that up refuses themselves alone."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not scope["path"].startswith("/api/") or not _came_plain(scope):
            await self.app(scope, receive, send)
            return
        request, refusal = Request(scope, receive), PlainHttp()
        await problems.answer(request, problems.of_refusal(request, refusal))(scope, receive, send)


def _came_plain(scope: Scope) -> bool:
    return any(name == b"x-forwarded-proto" and b"http" in _schemes(value) for name, value in scope["headers"])


def _schemes(value: bytes) -> list[bytes]:
    return [scheme.strip().lower() for scheme in value.split(b",")]
