"""Breaking the glass: who is outside the case team reads one case in an emergency, and answers for it.

What opens is the coded summary with need and attempts, to read, for some hours. The identity does not: intake gives it
to who has accepted, and to nobody else.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from services.referral import policy
from services.referral.actions import telling
from services.referral.domain import glass as glasses
from services.referral.domain.consents import Consents
from services.referral.domain.glass import Decision, Glass, Reason
from services.referral.domain.matters import Matter, matter_of
from services.referral.domain.needs import Need
from services.referral.domain.refusals import CaseUnknown, GlassUnknown
from services.referral.store import consents as book
from services.referral.store import glasses as store
from services.referral.store import needs, returns
from shared.kit.ids import is_id, new_id
from shared.kit.short_codes import NotACode, tail_of
from shared.kit.work import Work


@dataclass(frozen=True, slots=True)
class Emergency:
    """Which case somebody has to read, by its number or id, what of it, why, and for how many hours."""

    number: str
    matter: Matter
    reason: Reason
    reference: str
    hours: int


async def break_glass(work: Work, emergency: Emergency) -> Glass:
    """Open one case to the actor for a time, and make its review somebody else's task.

    What is open already stays as it is. Raises `CaseUnknown`, also for a case outside a supervisor's region.
    """
    number = _number(emergency.number)
    if number is None or not policy.may_break_glass(work.actor):
        raise CaseUnknown
    await work.as_service()  # what is opened is nobody's own here: policy has said who may, and it goes on the trail
    found = await store.find_cases(work, number)
    if len(found) != 1 or not policy.may_break_glass_in(work.actor, found[0].region):
        raise CaseUnknown
    [case] = found
    await work.lock_cases([case.case_id])
    known = await store.find_open(work, case.case_id, emergency.matter)
    if known is not None:
        return known
    broken = Glass(
        glass_id=new_id(),
        case_id=case.case_id,
        region=case.region,
        matter=emergency.matter,
        reason=emergency.reason,
        reference=emergency.reference,
        broken_by=work.actor.id,
        broken_at=work.now,
        expires_at=work.now + glasses.LENGTHS[emergency.hours],
        told=glasses.told(case.region, by_its_supervisor=policy.oversees(work.actor, case.region)),
        review_by=work.now + glasses.REVIEW_WITHIN,
    )
    await store.add_glass(work, broken)
    work.record(telling.glass_broken(broken))
    return broken


@dataclass(frozen=True, slots=True)
class Look:
    """What an opening shows of its case: the needs of its matter, and `earlier`, how often the person had landed."""

    glass: Glass
    needs: Sequence[Need]
    consents: Consents
    earlier: int


async def look_through(work: Work, glass_id: str) -> Look:
    """What one of the actor's own openings shows.

    Each look is on the trail before it is shown.

    Raises `GlassUnknown`, `GlassExpired`.
    """
    glass = await store.find_own(work, glass_id)
    if glass is None or not policy.may_break_glass(work.actor):
        raise GlassUnknown
    glasses.expect_open(glass, now=work.now)
    await work.as_service()  # the opening was found as the actor's own; the case it opens is others'
    found = await needs.list_needs_of_case(work, glass.case_id)
    work.record(telling.glass_looked_through(glass))
    return Look(
        glass,
        needs=[need for need in found if matter_of(need.referral.need) == glass.matter],
        consents=(await book.find_consents(work, [glass.case_id]))[glass.case_id],
        earlier=await returns.count_earlier(work, glass.case_id),
    )


async def review_glass(work: Work, glass_id: str, decision: Decision) -> None:
    """Judge what somebody else has opened. Raises `GlassUnknown`, also for the own and for what was judged before."""
    glass = await store.lock_reviewable(work, glass_id, everywhere=policy.oversees_everywhere(work.actor))
    if glass is None or not policy.may_judge(work.actor, glass, now=work.now):
        raise GlassUnknown
    reviewed = glasses.review(glass, decision=decision, by=work.actor.id, now=work.now)
    await store.mark_glass_reviewed(work, reviewed)
    work.record(telling.glass_reviewed(reviewed, decision))


async def remind(work: Work, overdue: Sequence[Glass]) -> None:
    """Tell once of each of these locked openings that was not judged in time."""
    for glass in overdue:
        work.record(telling.glass_review_overdue(glass))
    await store.mark_glasses_overdue_told(work, [glass.glass_id for glass in overdue])


def _number(typed: str) -> str | None:
    """A case's id, or the end of the id that its code stands for; None for what is neither."""
    text = typed.strip().lower()
    if is_id(text):
        return text
    try:
        return tail_of(text)
    except NotACode:
        return None
