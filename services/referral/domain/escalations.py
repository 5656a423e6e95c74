"""An escalation: a need before a person. It climbs until one takes it, and comes back when who took it does not move.

The ladder: who supervises the agencies where help is due, the province, the whole country. Its clocks
never sleep: they are few and short, and the time of offices has run out already.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal, get_args

from services.referral.domain.needs import Need
from services.referral.domain.refusals import AlreadyTaken
from shared.contracts import codes

Rung = Literal["agency_supervisor", "province", "national"]

RUNGS: tuple[Rung, ...] = get_args(Rung)
NEAREST: Rung = "agency_supervisor"
NEVER_SLEEPS: Rung = "province"
"""Where what is urgent begins: who supervises an agency keeps its office hours, a province is there day and night."""
WITHIN: Mapping[Rung, timedelta] = {
    "agency_supervisor": timedelta(hours=8),
    "province": timedelta(hours=16),
    "national": timedelta(hours=24),
}
"""How long each rung has until somebody there takes it; a quarter of it where the need is urgent."""
MOVE_WITHIN = timedelta(hours=24)
"""How long who has taken it has until the need moves; a quarter of it where it is urgent."""


@dataclass(frozen=True, slots=True)
class Escalation:
    """A need before a person, for one reason. `supervisor` is where the duty lies, as it is told."""

    escalation_id: str
    referral_id: str
    assignment_id: str | None
    reason: str
    supervisor: str
    rung: Rung
    due_at: datetime
    """When it climbs, or comes back; while it is taken, until when the need has to move."""
    rung_since: datetime
    limit_code: str | None = None
    """The limit of `domain/limits.py` that has passed."""
    taken_by: str | None = None
    taken_at: datetime | None = None


def of(
    need: Need, reason: str, *, escalation_id: str, assignment_id: str | None, limit: str | None, now: datetime
) -> Escalation:
    """A need as it comes before the nearest person who can act on it."""
    rung = _first(need, reason)
    return Escalation(
        escalation_id=escalation_id,
        referral_id=need.referral.referral_id,
        assignment_id=assignment_id,
        reason=reason,
        supervisor=_duty(need, rung),
        rung=rung,
        due_at=now + _hurried(WITHIN[rung], need),
        rung_since=now,
        limit_code=limit,
    )


def take(escalation: Escalation, need: Need, *, by: str, now: datetime) -> Escalation:
    """Somebody answers for it from now on, by name; taking it again changes nothing. Raises `AlreadyTaken`."""
    if escalation.taken_by == by:
        return escalation
    if escalation.taken_by is not None:
        raise AlreadyTaken(taken_by=escalation.taken_by, taken_at=escalation.taken_at)
    return replace(escalation, taken_by=by, taken_at=now, due_at=now + _hurried(MOVE_WITHIN, need))


def fall_due(escalation: Escalation, need: Need, *, now: datetime) -> Escalation:
    """What its clock does to it: it comes back from who took it and did not move, else it climbs.

    Above the country there is nobody: there it is told again. As it was while its clock still runs.
    """
    if now < escalation.due_at:
        return escalation
    rung = escalation.rung
    if escalation.taken_by is None:
        rung = RUNGS[min(RUNGS.index(rung) + 1, len(RUNGS) - 1)]
    return replace(
        escalation,
        supervisor=_duty(need, rung),
        rung=rung,
        due_at=now + _hurried(WITHIN[rung], need),
        rung_since=now,
        taken_by=None,
        taken_at=None,
    )


def is_urgent(need: Need) -> bool:
    """True for needs that cannot wait over a night, for children, and so for what might be a child's.

    How urgent a need is the rules say; where they do not, the list of needs.
    """
    referral = need.referral
    urgency = referral.urgency or codes.needs()[referral.need].priority
    return referral.child or referral.restricted or urgency == 1


def _first(need: Need, reason: str) -> Rung:
    """Where it begins. All that is restricted begins alike: the rung says neither how urgent it is nor whose."""
    if reason == "legal_limit":
        return "national"
    return NEVER_SLEEPS if is_urgent(need) else NEAREST


def _hurried(span: timedelta, need: Need) -> timedelta:
    return span / 4 if is_urgent(need) else span


def _duty(need: Need, rung: Rung) -> str:
    return "coordinator" if rung == "national" else f"supervisor-{need.referral.province}"
