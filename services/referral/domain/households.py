"""People who stay together: where the strictest need of a household is helped, the others are. Pure.

Somebody is apart whose own strictest need is with an office of another region than the strictest need of all. What
else a person needs may be due elsewhere, as it is for who travels alone.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

from services.referral.domain.assignments import Assignment
from services.referral.domain.escalations import RUNGS, Rung
from services.referral.domain.needs import Need
from services.referral.domain.referrals import CHILDREN
from services.referral.domain.refusals import ReunificationEnded
from services.referral.domain.routing import AT_PORT, Facts
from shared.contracts import codes
from shared.contracts.referral import ReunificationDecision, SplitReason

REGION = re.compile(r"[0-9]{2}(\.[0-9]{2})?")
WITHIN: Mapping[Rung, timedelta] = {
    "agency_supervisor": timedelta(hours=72),
    "province": timedelta(hours=48),
    "national": timedelta(hours=48),
}
"""How long each rung has to bring them together or to decide; a third of it where a child is apart from its family."""
ENDED_AS: Mapping[str, SplitReason] = {
    "declined": "declined",
    "expired": "not_answered",
    "failed": "not_helped",
    "transferred": "handed_on",
}
"""What an attempt that ended has parted the household by; every other end is the sender's."""
ClosedAs = Literal["reunited", "parted", "decided"]


@dataclass(frozen=True, slots=True)
class Reunification:
    """Somebody of a household who is apart from it. `agency_id` has that person, `apart_from` the strictest need."""

    task_id: str
    household_id: str
    case_id: str
    agency_id: str
    apart_from: str
    regency: str
    """Where help is due for who is apart: there lies the duty."""
    reason: SplitReason
    opened_at: datetime
    rung: Rung
    due_at: datetime
    closed_as: ClosedAs | None = None
    decision: ReunificationDecision | None = None
    closed_by: str | None = None
    closed_at: datetime | None = None


def strictness(need: str, age_band: str, case_id: str) -> tuple[int, bool, str, str]:
    """Orders needs: the most urgent first, of these a child's, and never two alike."""
    return codes.needs()[need].priority, age_band not in CHILDREN, need, case_id


def strictest(needs: Iterable[Need]) -> Need | None:
    """The need that the others go with: of those that somebody has, else of all that are open."""
    return min((n for n in needs if not n.referral.is_terminal), key=_key, default=None)


def _key(need: Need) -> tuple[bool, tuple[int, bool, str, str]]:
    r = need.referral
    return need.live is None, strictness(r.need, r.age_band, r.case_id)


def region_of(agency_id: str) -> str | None:
    """Province or regency of an office by its code; None for who is there for the whole country."""
    tail = agency_id.partition("-")[2]
    return tail if REGION.fullmatch(tail) else None


def meet(one: str | None, other: str | None) -> bool:
    """True when the regions are the same, or one lies in the other."""
    return one is None or other is None or (one[:2] == other[:2] and (len(one) == 2 or len(other) == 2 or one == other))


def are_apart(lead: Need, need: Need) -> bool:
    """True when both are with an office and the two are not of one region."""
    return (
        lead.live is not None
        and need.live is not None
        and not meet(region_of(lead.live.agency_id), region_of(need.live.agency_id))
    )


def who_is_apart(needs: Sequence[Need]) -> tuple[Need | None, list[Need]]:
    """The strictest need of a household, and of each other person who is apart from it that person's own strictest."""
    lead = strictest(needs)
    if lead is None:
        return None, []
    own: dict[str, list[Need]] = {}
    for need in needs:
        if need.referral.case_id != lead.referral.case_id:
            own.setdefault(need.referral.case_id, []).append(need)
    leading = [found for one in own.values() if (found := strictest(one)) is not None]
    return lead, sorted((need for need in leading if are_apart(lead, need)), key=lambda need: need.referral.case_id)


def with_household(facts: Facts, lead: Need | None, lead_facts: Facts | None, *, mixed: bool) -> Facts:
    """The facts of somebody who goes where the strictest need of the household is helped.

    `lead_facts`: those that the strictest need was decided on. Of the strictest need itself nothing but who it is with.
    """
    alone = replace(facts, household_at=None, household_agency=None, household_mixed=mixed)
    if lead is None or lead_facts is None or lead.live is None:
        return alone
    agency_id, home = lead.live.agency_id, lead_facts.origin_regency
    region = region_of(agency_id)
    at_port = region is not None and meet(region, facts.port_regency) and not (home and meet(region, home))
    return replace(alone, household_at=AT_PORT if at_port or home is None else home, household_agency=agency_id)


def are_mixed(age_bands: Iterable[str]) -> bool:
    """True where children and adults are together."""
    return len({band in CHILDREN for band in age_bands}) == 2


def why_apart(lead: Need, need: Need, *, now: datetime) -> SplitReason:
    """How somebody came to be apart: by what ended at this moment, else help had begun, or nobody takes both."""
    ended = [a for a in (*need.attempts, *lead.attempts) if a.ended_at == now]
    if ended:
        return ENDED_AS.get(max(ended, key=_latest).state, "taken_back")
    live = need.live
    if live is not None and live.transfer_of is not None and live.sent_at == now:
        return "handed_on"
    return "helped_before" if need.helping is not None else "not_taken_together"


def _latest(attempt: Assignment) -> int:
    return attempt.attempt


def opened(
    household_id: str, lead: Need, need: Need, reason: SplitReason, *, task_id: str, now: datetime
) -> Reunification:
    """Somebody is to be brought together with the household."""
    assert lead.live is not None
    assert need.live is not None
    rung = RUNGS[0]
    hurried = need.referral.child or lead.referral.child
    return Reunification(
        task_id=task_id,
        household_id=household_id,
        case_id=need.referral.case_id,
        agency_id=need.live.agency_id,
        apart_from=lead.live.agency_id,
        regency=need.referral.regency,
        reason=reason,
        opened_at=now,
        rung=rung,
        due_at=now + (WITHIN[rung] / 3 if hurried else WITHIN[rung]),
    )


def climb(task: Reunification, *, now: datetime) -> Reunification:
    """Nobody has brought them together in time: it goes one rung up, and above the country it is told again."""
    rung = RUNGS[min(RUNGS.index(task.rung) + 1, len(RUNGS) - 1)]
    return replace(task, rung=rung, due_at=now + WITHIN[rung])


def decide(task: Reunification, decision: ReunificationDecision, *, by: str, now: datetime) -> Reunification:
    """A person says by name that they stay apart, or are together by other means. Raises `ReunificationEnded`."""
    if task.closed_at is not None:
        raise ReunificationEnded
    return replace(task, closed_as="decided", decision=decision, closed_by=by, closed_at=now)


def duty(task: Reunification) -> str:
    """Where the duty lies, as it is told."""
    return "coordinator" if task.rung == "national" else f"supervisor-{task.regency[:2]}"


def end(task: Reunification, how: ClosedAs, *, now: datetime) -> Reunification:
    """They are together again, or belong together no longer."""
    return replace(task, closed_as=how, closed_at=now)
