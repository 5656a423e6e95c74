"""What a supervisor does about requests that went wrong, and about needs that have to wait."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from services.referral import policy
from services.referral.actions import choosing, following, supervising, telling
from services.referral.actions.choosing import Asking
from services.referral.actions.routing import Routing
from services.referral.actions.supervising import Result
from services.referral.domain import needs
from services.referral.domain.needs import Need
from services.referral.store import desk
from shared.contracts.referral.households import SplitReason
from shared.kit.work import Work


@dataclass(frozen=True, slots=True)
class Recall:
    """One request to take back before it is accepted, why, and whom to ask instead (None: the next candidate)."""

    referral_id: str
    reason: str
    agency_id: str | None = None
    version: int | None = None
    split: SplitReason | None = None
    """Why the household is parted by it, where it is."""


@dataclass(frozen=True, slots=True)
class Error:
    """One attempt that should never have been made, by its number."""

    referral_id: str
    attempt: int
    version: int | None = None


@dataclass(frozen=True, slots=True)
class Hold:
    """One need that waits until a day, and why. `personally` as for closing."""

    referral_id: str
    reason: str
    until: datetime
    personally: bool = False
    version: int | None = None


@dataclass(frozen=True, slots=True)
class Resumption:
    """One need that goes on before its day, and whom to ask (None: the first candidate that takes referrals)."""

    referral_id: str
    agency_id: str | None = None
    version: int | None = None
    split: SplitReason | None = None


async def recall_assignments(work: Work, recalls: Sequence[Recall], *, routing: Routing) -> list[Result]:
    """Take requests back that are not accepted yet, and ask somebody else at once, or leave it with who still helps."""
    overseen = await desk.find_overseen(work, [recall.referral_id for recall in recalls])
    changes = await supervising.locked(work, overseen)
    asking = await Asking.of(work, changes, routing)

    def recall(need: Need, recall: Recall) -> Need:
        recalled = needs.recall(need, reason=recall.reason, version=recall.version, now=work.now)
        assert need.asked is not None
        told = telling.recalled(recalled, recalled.attempt(need.asked.assignment_id), recall.reason)
        untried = recall.agency_id is None
        return asking.ask(recalled, recall.agency_id, told, untried=untried, split=recall.split)

    results = supervising.each(recalls, overseen, changes, recall)
    await following.save(work, changes)
    return results


async def note_errors(work: Work, errors: Sequence[Error], *, routing: Routing) -> list[Result]:
    """End attempts that should never have been made; the next candidate is asked, unless somebody still helps."""
    overseen = await desk.find_overseen(work, [error.referral_id for error in errors])
    changes = await supervising.locked(work, overseen)
    asking = await Asking.of(work, changes, routing)

    def note(need: Need, error: Error) -> Need:
        corrected = needs.found_wrong(need, error.attempt, version=error.version, now=work.now)
        told = telling.found_wrong(corrected, corrected.attempts[error.attempt - 1])
        return asking.ask(corrected, None, told, untried=True)

    results = supervising.each(errors, overseen, changes, note)
    await following.save(work, changes)
    return results


async def hold_needs(work: Work, holds: Sequence[Hold]) -> list[Result]:
    """Let needs wait until a day; who was asked is asked no more, and nobody is until then."""
    overseen = await desk.find_overseen(work, [hold.referral_id for hold in holds])
    changes = await supervising.locked(work, overseen)

    def hold(need: Need, hold: Hold) -> Need:
        held = needs.hold(
            need,
            reason=hold.reason,
            until=hold.until,
            personally=hold.personally and policy.may_answer_by_name(work.actor),
            version=hold.version,
            now=work.now,
        )
        choosing.tell_ends(work, need, held)
        work.emit(telling.held(held, hold.reason))
        changes.settled.add(hold.referral_id)
        return held

    results = supervising.each(holds, overseen, changes, hold)
    await following.save(work, changes)
    return results


async def resume_needs(work: Work, resumptions: Sequence[Resumption], *, routing: Routing) -> list[Result]:
    """Let needs go on that waited, and ask at once; where nobody can be asked, they stay with the supervisor."""
    overseen = await desk.find_overseen(work, [resumption.referral_id for resumption in resumptions])
    return await _resume(work, overseen, resumptions, routing)


async def resume_held(work: Work, held: Sequence[tuple[str, str]], *, routing: Routing) -> None:
    """Let those needs go on whose day has come."""
    await _resume(work, dict(held), [Resumption(referral_id) for referral_id, _ in held], routing)


async def _resume(
    work: Work, overseen: Mapping[str, str], resumptions: Sequence[Resumption], routing: Routing
) -> list[Result]:
    changes = await supervising.locked(work, overseen)
    asking = await Asking.of(work, changes, routing)

    def resume(need: Need, resumption: Resumption) -> Need:
        resumed = needs.resume(need, version=resumption.version, now=work.now)
        return asking.ask(resumed, resumption.agency_id, telling.resumed(resumed), split=resumption.split)

    results = supervising.each(resumptions, overseen, changes, resume)
    await following.save(work, changes)
    return results
