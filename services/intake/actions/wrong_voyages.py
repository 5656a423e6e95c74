"""Taking back a whole list that is of another voyage: everybody whom it recorded and nobody has worked on since."""

from collections.abc import Sequence
from dataclasses import dataclass

from services.intake import policy
from services.intake.actions import endings
from services.intake.domain.refusals import NotAllowed
from services.intake.domain.refusals.manifests import ListBeingRecorded, ListTakenBack, ListUnknown
from services.intake.domain.wrong_voyages import UNTOUCHED, Listed, Standing, judge
from services.intake.store import wrong_voyages as store
from services.intake.store.wrong_voyages import TakenIn
from shared.kit.actor import Actor
from shared.kit.database import Database
from shared.kit.work import Work

BATCH = 50
"""So many cases are locked and end at once."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A list, and how whom it recorded stands now."""

    taken: TakenIn
    standing: Standing


@dataclass(frozen=True, slots=True)
class TakenBack:
    """The same once it was taken back; `now`: how many by this."""

    seen: Seen
    now: int


async def look(database: Database, actor: Actor, manifest_id: str) -> Seen:
    """Who of a list can be taken back and who is left, in codes. Raises `NotAllowed`, `ListUnknown`."""
    if not policy.may_correct_arrivals(actor):
        raise NotAllowed
    async with database.work(actor, purpose="look") as work:
        taken = await store.find(work, manifest_id)
        if taken is None:
            raise ListUnknown
        return Seen(taken, await _standing(work, taken))


async def take_back(database: Database, actor: Actor, manifest_id: str) -> TakenBack:
    """Enter in error, as of another voyage, everybody whom a list recorded and who is still as recorded.

    All sendings of one draft are one list. Whom it found recorded before, or logged one by one, it has not recorded.
    Each ends as by one correction (`endings.enter_in_error`), `BATCH` in a transaction: whoever is interrupted sends
    it again and goes on. Whoever was worked on since is left. Rows that are held back stay so and are counted at this
    voyage: a row is settled by a later list of the voyage or by somebody logged for it alone, and these are neither;
    of a draft under way they can be called as absent. Raises `ListBeingRecorded`, `ListTakenBack`, and as `look`.
    """
    seen = await look(database, actor, manifest_id)
    if seen.taken.is_being_recorded:
        raise ListBeingRecorded
    if not seen.standing.as_recorded and not seen.standing.left:
        raise ListTakenBack
    now = 0
    # Who was worked on while this went on is left by the next look, and who was recorded meanwhile is found by it.
    while people := seen.standing.as_recorded:
        for start in range(0, len(people), BATCH):
            async with database.work(actor, purpose="correct") as work:
                now += await _enter_in_error(work, seen.taken, people[start : start + BATCH])
        seen = await look(database, actor, manifest_id)
    return TakenBack(seen, now)


async def _enter_in_error(work: Work, taken: TakenIn, people: Sequence[Listed]) -> int:
    """Enter those in error who are still as recorded, now that nobody else works on them; answers how many."""
    cases = [one.case_id for one in people]
    await work.lock_cases({*cases, *(id_ for one in people for id_ in (*one.children, *one.adults))})
    standing = await _standing(work, taken, among=cases)
    for one in standing.as_recorded:
        await endings.enter_in_error(work, one.case_id, version=UNTOUCHED, reason="wrong_voyage", duplicate_of=None)
    return len(standing.as_recorded)


async def _standing(work: Work, taken: TakenIn, *, among: list[str] | None = None) -> Standing:
    await work.as_service()  # the list was found at the actor's port; whether an agency saw somebody is told as a code
    return judge(await store.list_recorded(work, taken, among=among))
