"""What identity puts on the audit trail: log-ins, log-outs, refusals."""

import re
from collections import OrderedDict
from datetime import datetime, timedelta
from typing import Literal, get_args
from uuid import UUID, uuid5

from starlette.requests import HTTPConnection

from shared.contracts import access
from shared.kit.actor import Actor
from shared.kit.database import Database
from shared.kit.web import navigation

Reason = Literal["no_session", "bad_token", "role", "not_yours", "csrf", "too_many", "revoked"]
assert get_args(Reason) == get_args(access.AccessDenied.model_fields["reason"].annotation)

ANONYMOUS = Actor(id="anonymous", organisation="none", roles=frozenset({"none"}), kind="client")
"""Somebody whose token was refused, so that nothing it says of itself counts."""

STREAMS = UUID("6d0e4f9c-6b1c-5a52-9d8b-0f4b0e7f3a11")
WINDOW = timedelta(minutes=1)
REFUSALS_PER_WINDOW = 30
REMEMBERED_ACTORS = 10_000


def person_stream(actor_id: str) -> str:
    """The id under which facts about an actor's access stand, where other facts have a case's."""
    return str(uuid5(STREAMS, actor_id))


def thing_of(connection: HTTPConnection) -> str:
    """Method and route template of a request as a code (`POST:api/assignments/:assignment_id`), never its address."""
    template = navigation.template_of(connection.scope) or "unknown"
    coded = re.sub(r"\{(\w+)[^}]*\}", r":\1", template).strip("/") or "root"
    return re.sub(r"[^A-Za-z0-9._:/-]", "_", f"{connection.scope['method']}:{coded}")[:64]


class Refusals:
    """Writes refusals on the trail, per actor as many a minute as a person can cause by hand.

    What comes faster is one row `too_many`: a program in a loop must not fill the journal.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._counts: OrderedDict[str, tuple[datetime, int]] = OrderedDict()

    async def record(self, actor: Actor, reason: Reason, thing: str) -> None:
        count = self._count(actor.id)
        if count > REFUSALS_PER_WINDOW + 1:
            return
        fact = access.AccessDenied(
            case_id=person_stream(actor.id),
            service=self._database.service,
            reason=reason if count <= REFUSALS_PER_WINDOW else "too_many",
            thing=thing,
        )
        async with self._database.work(actor, purpose="access") as work:
            work.record(fact)

    def _count(self, actor_id: str) -> int:
        """Which refusal of this actor in this window this is."""
        now = self._database.clock.now()
        began, count = self._counts.pop(actor_id, (now, 0))
        if now - began >= WINDOW:
            began, count = now, 0
        self._counts[actor_id] = (began, count + 1)
        if len(self._counts) > REMEMBERED_ACTORS:
            self._counts.popitem(last=False)
        return count + 1
