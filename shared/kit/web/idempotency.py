"""The same write twice has one effect and one answer. The answer is kept in the transaction of the effect."""

import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial

from fastapi import Request
from starlette.responses import RedirectResponse, Response

from shared.kit.actor import Actor
from shared.kit.database import Database
from shared.kit.refusal import Refusal
from shared.kit.web.forms import KeyMissing, digest_of
from shared.kit.words import msg
from shared.kit.work import Work

__all__ = ["KeyMissing", "KeyReused", "Stored", "first_answer", "idempotent", "idempotent_after", "remember"]

ANSWER_LOCKS = 7_203
"""First half of the advisory lock keys for idempotency keys."""


class KeyReused(Refusal):
    """The key was used before for a write with another content."""

    status = 422
    code = "idempotency_key_reused"
    title = msg("This Idempotency-Key was used for another request")

    def __init__(self) -> None:
        super().__init__(msg("Use a new key for a new request; repeat a key only with the very same content."))


@dataclass(frozen=True, slots=True)
class Stored:
    """A first answer as it was kept: for a redirect the body is its address, else JSON."""

    status: int
    body: bytes

    def response(self) -> Response:
        replayed = {"Idempotent-Replay": "true"}
        if 300 <= self.status < 400:
            return RedirectResponse(self.body.decode(), status_code=self.status, headers=replayed)
        return Response(self.body, self.status, replayed, media_type="application/json" if self.body else None)


async def idempotent(
    request: Request,
    work: Work,
    key: str,
    act: Callable[[], Awaitable[Response]],
    *,
    digest: bytes | None = None,
) -> Response:
    """Do `act` once for this actor and key and answer what it answered the first time.

    `act` runs inside `work` and answers JSON or a redirect. What it raises rolls the work back, so a refusal is
    not kept and may be tried again. A second request with the same key waits for the first. Raises `KeyReused`
    when the content differs.
    """
    digest = digest or await digest_of(request)
    stored = await first_answer(work, key, digest)
    if stored is not None:
        return stored.response()
    response = await act()
    await remember(work, key, digest, response)
    return response


Finish = Callable[[Work], Awaitable[Response]]
"""Writes what was prepared, and answers."""


async def idempotent_after(
    request: Request,
    database: Database,
    actor: Actor,
    *,
    purpose: str,
    key: str,
    digest: bytes,
    prepare: Callable[[], Awaitable[Finish]],
    again: type[Exception],
    tries: int,
) -> Response:
    """As `idempotent`, for what takes long: `prepare` runs outside any transaction, what it answers inside one.

    Where that raises `again`, what was prepared does not fit any more: it is prepared anew, so many times. Who sends
    the same write twice at once gets one answer twice.
    """

    async def answered() -> Response | None:
        async with database.work(actor, purpose=purpose) as work:
            stored = await first_answer(work, key, digest)
        return None if stored is None else stored.response()

    while (answer := await answered()) is None:
        tries -= 1
        try:
            finish = await prepare()
            async with database.work(actor, purpose=purpose) as work:
                return await idempotent(request, work, key, partial(finish, work), digest=digest)
        except Exception as refused:
            if isinstance(refused, again) and tries:
                continue
            # What stands in its way may be this very write, which was finished since it was looked for.
            if (done := await answered()) is None:
                raise
            return done
    return answer


async def first_answer(work: Work, key: str, digest: bytes) -> Stored | None:
    """The answer kept for this actor and key, None on first sight. The key stays locked until the work ends."""
    await work.connection.execute("SELECT pg_advisory_xact_lock($1, $2)", ANSWER_LOCKS, _lock_key(work, key))
    # A statement of its own: its snapshot must be younger than the lock to see what the first writer committed.
    row = await work.connection.fetchrow(
        "SELECT request_digest, status, body FROM answers WHERE actor = $1 AND key = $2", work.actor.id, key
    )
    if row is None:
        return None
    if bytes(row["request_digest"]) != digest:
        raise KeyReused
    return Stored(row["status"], bytes(row["body"]))


async def remember(work: Work, key: str, digest: bytes, response: Response) -> None:
    """Keep the answer for this actor and key with the work."""
    is_redirect = 300 <= response.status_code < 400
    body = response.headers["location"].encode() if is_redirect else bytes(response.body)
    await work.connection.execute(
        "INSERT INTO answers (actor, key, request_digest, status, body, created_at) VALUES ($1, $2, $3, $4, $5, $6)",
        work.actor.id,
        key,
        digest,
        response.status_code,
        body,
        work.now,
    )


def _lock_key(work: Work, key: str) -> int:
    """A signed 32-bit key; two that share one only wait for each other."""
    digest = hashlib.blake2b(f"{work.actor.id}\0{key}".encode(), digest_size=4).digest()
    return int.from_bytes(digest, "big", signed=True)
