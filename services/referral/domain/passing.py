"""A need that passes from one agency to another: by the one that helps, or by the one that was asked wrongly."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from services.referral.domain import assignments, needs
from services.referral.domain.agencies import Agency
from services.referral.domain.deadlines import Times
from services.referral.domain.needs import Need
from services.referral.domain.refusals import AttemptStillLive, MoveNotAllowed
from services.referral.domain.routing import Candidate


def transfer(
    need: Need,
    assignment_id: str,
    to: Candidate,
    *,
    new_id: str,
    times: Times,
    now: datetime,
) -> Need:
    """The helping agency asks another to take over; until that one accepts, the need stays where it is.

    Raises as `expect_transferable`.
    """
    expect_transferable(need, assignment_id, version=None)
    asked = needs.attempt_at(need, to, assignment_id=new_id, times=times, now=now)
    return replace(need, attempts=(*need.attempts, replace(asked, transfer_of=assignment_id)))


def expect_transferable(need: Need, assignment_id: str, *, version: int | None) -> None:
    """Refuse to hand on what cannot be.

    Raises `VersionChanged`, `MoveNotAllowed` for who does not help, `AttemptStillLive` while another is asked already.
    """
    helping = need.attempt(assignment_id)
    assignments.expect(helping, version)
    if helping.state not in assignments.HELPING:
        raise MoveNotAllowed("assignment", helping.state, "transferred", at=helping.ended_at)
    if need.asked is not None:
        raise AttemptStillLive


def proposed(candidates: Sequence[Candidate], agencies: Mapping[str, Agency], agency_id: str) -> Candidate | None:
    """The named agency as a candidate: of a kind that the rules ask for this need, wherever it is; None for another.

    Its times are those of the first candidate of its kind.
    """
    named = agencies.get(agency_id)
    if named is None:
        return None
    for candidate in candidates:
        known = agencies.get(candidate.agency_id)
        if candidate.agency_id == agency_id or (known is not None and known.kind == named.kind):
            return replace(candidate, agency_id=agency_id)
    return None
