"""What a form asks for that takes long: prepared first, then written once per key."""

from collections.abc import Awaitable, Callable

from fastapi import Request, Response

from services.intake.domain.refusals.drafts import DraftMoved
from shared.kit import web
from shared.kit.actor import Actor
from shared.kit.work import Work

TRIES = 5
"""So often a change of a list is prepared while others change it too."""

Prepare = Callable[[], Awaitable[Callable[[Work], Awaitable[Response]]]]


async def once_prepared(request: Request, actor: Actor, prepare: Prepare, *, tries: int = TRIES) -> Response:
    """Prepare a change of a list, then write it once for this actor and the key of the form.

    What is kept to know the form again must not tell the names in it, so that is made under a key of the vault.
    """
    vault = request.app.state.vault
    return await web.idempotent_after(
        request,
        request.app.state.database,
        actor,
        purpose="manifest",
        key=vault.kept_key(await web.key_of(request)),
        digest=vault.digest_of(await web.digest_of(request)),
        prepare=prepare,
        again=DraftMoved,
        tries=tries,
    )
