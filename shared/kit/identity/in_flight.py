"""ASGI: whether whoever asked may still come in is looked at once more before each byte of the answer leaves."""

from starlette.requests import HTTPConnection, Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.kit.actor import Actor
from shared.kit.identity import gate
from shared.kit.identity.refusals import NotSignedIn, RevocationsUnknown, Revoked
from shared.kit.refusal import Refusal
from shared.kit.web import problems


class Cut(Exception):
    """The answer ends here, whatever the route still has to say."""

    def __init__(self, refusal: Refusal) -> None:
        self.refusal = refusal


class InFlight:
    """An answer that has not begun becomes a refusal; one that has is broken off, and the connection with it.

    For who is not known to the gate (public pages, health) this is one look-up.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        begun = False
        cut: Refusal | None = None

        async def send_while_allowed(message: Message) -> None:
            nonlocal begun, cut
            actor: Actor | None = scope.get("state", {}).get("actor")
            if actor is not None:
                try:
                    await gate.of_scope(scope).check_again(HTTPConnection(scope), actor)
                except (Revoked, NotSignedIn, RevocationsUnknown) as refusal:
                    cut = refusal
                    raise Cut(refusal) from None
            begun = True
            await send(message)

        try:
            await self.app(scope, receive, send_while_allowed)
        except Exception:
            # Whatever became of `Cut` on its way here; a streaming answer wraps it.
            if cut is None:
                raise
        if cut is None:
            return
        request = Request(scope, receive)
        if isinstance(cut, Revoked):
            await gate.of_scope(scope).note_revoked(request, scope["state"]["actor"])
        if not begun:
            await problems.answer(request, problems.of_refusal(request, cut), cut.headers)(scope, receive, send)
