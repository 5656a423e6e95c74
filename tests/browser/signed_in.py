"""Coming in without an identity provider, where what is looked at are the pages."""

from starlette.types import ASGIApp, Receive, Scope, Send

from shared.kit.actor import Actor


class SignedIn:
    """ASGI: this actor has been let in by the gate."""

    def __init__(self, app: ASGIApp, actor: Actor) -> None:
        self.app = app
        self.actor = actor

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            scope.setdefault("state", {})["actor"] = self.actor
        await self.app(scope, receive, send)
