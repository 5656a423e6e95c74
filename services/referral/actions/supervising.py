"""What a supervisor does about a need that nobody answers for."""

from collections.abc import Sequence

from services.referral.actions import following, telling
from services.referral.actions.routing import Routing
from services.referral.domain import needs
from services.referral.domain.refusals import AssignmentUnknown, Refused
from services.referral.domain.routing import Candidate
from services.referral.store import desk
from shared.kit.ids import new_id
from shared.kit.work import Work


class NobodyToAsk(Refused):
    """The agency is no candidate of this need, or takes nothing at the moment."""


async def ask_again(work: Work, referral_id: str, *, agency_id: str | None, routing: Routing) -> None:
    """Ask an agency of the supervisor's choice among the candidates, else the first of them, once more.

    Raises `AssignmentUnknown` outside the actor's region, `AttemptStillLive`, `NobodyToAsk`.
    """
    overseen = await desk.find_overseen(work, [referral_id])
    if not overseen:
        raise AssignmentUnknown
    changes = await following.locked(work, {referral_id: (referral_id, overseen[referral_id])})
    need = changes.need(referral_id)
    digest = need.referral.explanation
    candidates = (await routing.candidates(work, {digest}))[digest]
    chosen = _chosen(candidates, (await routing.router(work)).directory.available, agency_id)
    asked = needs.ask(need, chosen, assignment_id=new_id(), limit=routing.answer_limit, now=work.now)
    changes.put(asked)
    changes.settled.add(referral_id)
    work.emit(telling.sent(asked, asked.attempts[-1]))
    await following.save(work, changes)


def _chosen(candidates: Sequence[Candidate], available: frozenset[str], agency_id: str | None) -> Candidate:
    for candidate in candidates:
        if candidate.agency_id in available and agency_id in (None, candidate.agency_id):
            return candidate
    raise NobodyToAsk
