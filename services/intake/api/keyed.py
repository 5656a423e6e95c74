"""One change in one transaction, once per key; prepared before it where that takes long."""

from collections.abc import Awaitable, Callable
from functools import partial

from fastapi import Request, Response

from services.intake.api.manifests import unusable_file
from services.intake.domain.refusals.drafts import DraftMoved
from services.intake.domain.refusals.manifests import ManifestUnusable
from shared.kit import web
from shared.kit.actor import Actor
from shared.kit.database import Database
from shared.kit.work import Work

TRIES = 5
"""So often a change of a list is prepared while others change it too."""

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


async def once_prepared(
    request: Request,
    actor: Actor,
    prepare: Callable[[], Awaitable[Act]],
    *,
    tries: int = TRIES,
    kind: str = "",
) -> Response:
    """Prepare what takes long, then write it once per key. Raises what is wrong with the file, in words.

    The same bytes as another `kind` of file are another request.
    """
    vault = request.app.state.vault
    try:
        return await web.idempotent_after(
            request,
            request.app.state.database,
            actor,
            purpose="manifest",
            key=vault.kept_key(await web.key_of(request)),
            # Under a key: what is kept to know a repeated write must not tell the names that are in it.
            digest=vault.digest_of(await web.digest_of(request) + kind.encode()),
            prepare=prepare,
            again=DraftMoved,
            tries=tries,
        )
    except ManifestUnusable as unusable:
        raise unusable_file(request, unusable) from None
