"""Minutes of handovers: recorded when they are signed, before the help is completed with their number."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from services.referral.actions import telling
from services.referral.actions.answering import Answer, Result, each
from services.referral.actions.following import Changes
from services.referral.domain import assignments, handovers
from services.referral.domain.handovers import Handover
from services.referral.domain.needs import Need
from services.referral.domain.refusals import MoveNotAllowed
from services.referral.store import handovers as store
from shared.kit.work import Work


@dataclass(frozen=True, slots=True)
class Signed:
    """What stands on the paper for all of a group: its number, who received and watched, where and when."""

    number: str
    receiver: str
    witness: str
    place: str
    handed_at: datetime
    signed_at: datetime


@dataclass(frozen=True, slots=True)
class Handed(Answer):
    """One person on it: what was handed over with them, how they were, whether a guardian was checked."""

    documents: tuple[str, ...] = ()
    condition: str = ""
    guardian_check: str | None = None


async def record_handovers(work: Work, people: Sequence[Answer], *, signed: Signed) -> list[Result]:
    """Record the minutes for each of these people, each a `Handed`; who hands over is the actor."""
    known: dict[str, list[Handover]] = {}
    recorded: list[Handover] = []

    async def prepare(_: Changes) -> None:
        known.update(await store.find_handovers(work, [one.assignment_id for one in people]))

    def record(need: Need, answer: Answer) -> Need:
        assert isinstance(answer, Handed)
        found = need.attempt(answer.assignment_id)
        assignments.expect(found, answer.version)
        if found.state not in assignments.HELPING:
            raise MoveNotAllowed("assignment", found.state, "handed_over", at=found.ended_at)
        before = known.setdefault(found.assignment_id, [])
        minutes = Handover(
            assignment_id=found.assignment_id,
            number=signed.number,
            case_id=need.referral.case_id,
            agency_id=found.agency_id,
            child=need.referral.child,
            handed_by=work.actor.id,
            receiver=signed.receiver,
            witness=signed.witness,
            place=signed.place,
            documents=answer.documents,
            condition=answer.condition,
            guardian_check=answer.guardian_check,
            handed_at=signed.handed_at,
            signed_at=signed.signed_at,
        )
        handovers.expect_new(minutes, before)
        before.append(handovers.expect_sound(minutes, now=work.now))
        recorded.append(minutes)
        work.record(telling.handover_recorded(need, found, minutes))
        return need

    async def follow(_: Changes) -> None:
        if recorded:
            await store.add_handovers(work, recorded)

    return await each(work, people, record, prepare=prepare, follow=follow)
