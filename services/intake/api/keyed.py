"""One change in one transaction, once per key."""

from collections.abc import Awaitable, Callable
from functools import partial

from fastapi import Request, Response

from shared.kit import web
from shared.kit.actor import Actor
from shared.kit.database import Database
from shared.kit.work import Work

Act = Callable[[Work], Awaitable[Response]]


async def once(request: Request, actor: Actor, act: Act, *, purpose: str, names: bool = False) -> Response:
    """Do `act` once for this actor and the header Idempotency-Key, and answer what it answered the first time.

    `names`: the request may say who somebody is. What is kept to know it again must not tell, so that is made under a
    key of the vault.
    """
    database: Database = request.app.state.database
    vault = request.app.state.vault
    key = vault.kept_key(await web.key_of(request))
    digest = vault.digest_of(await web.digest_of(request)) if names else None
    async with database.work(actor, purpose=purpose) as work:
        return await web.idempotent(request, work, key, partial(act, work), digest=digest)
