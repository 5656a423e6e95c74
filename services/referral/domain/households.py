"""People who stay together: where the strictest need of a household is helped, the others are. Pure.

Somebody is apart whose own strictest need is with an office of another region than the strictest need of all. What
else a person needs may be due elsewhere, as it is for who travels alone.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from operator import attrgetter
from typing import Literal

from services.referral.domain.deadlines import REMINDED_AFTER
from services.referral.domain.escalations import RUNGS, Rung
from services.referral.domain.needs import Need
from services.referral.domain.referrals import CHILDREN
from services.referral.domain.refusals import ReunificationEnded
from services.referral.domain.routing import AT_PORT, Facts
from shared.contracts import codes

SplitReason = Literal[
    "declined",
    "not_answered",
    "not_helped",
    "taken_back",
    "handed_on",
    "helped_before",
    "not_taken_together",
    "medical_care",
    "safety",
    "persons_wish",
    "no_room_together",
]
"""Why somebody is apart from the household, as the contract has it; the last four are what people say of it."""
ReunificationDecision = Literal["persons_wish", "safety", "medical_care", "reunited_by_people", "no_family"]
"""What a person decides of it, as the contract has it."""
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
    remind_at: datetime | None = None
    """When whose duty it is will be reminded; None once that is done."""
    reminded_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """An open need of somebody in a household, as far as belonging together takes it."""

    household_id: str
    case_id: str
    referral_id: str
    need: str
    age_band: str
    regency: str
    facts: Facts
    """What it was decided on."""
    agency_id: str | None = None
    """Who is asked or helps; None where it is with nobody."""
    helping: bool = False
    handed_on_at: datetime | None = None
    """When another agency was asked to take it over, which has not answered yet."""
    last_state: str | None = None
    """How the latest attempt that has ended did."""
    last_ended_at: datetime | None = None

    @property
    def strictness(self) -> tuple[int, bool, str, str]:
        """Orders needs: the most urgent first, of these a child's, and never two alike."""
        return strictness(self.need, self.age_band, self.case_id)


def strictness(need: str, age_band: str, case_id: str) -> tuple[int, bool, str, str]:
    """As `Standing.strictness`, of a need that is still to be opened."""
    return codes.needs()[need].priority, age_band not in CHILDREN, need, case_id


def standing(household_id: str, need: Need, facts: Facts) -> Standing:
    """A need that was opened now."""
    r = need.referral
    agency_id = None if need.live is None else need.live.agency_id
    return Standing(household_id, r.case_id, r.referral_id, r.need, r.age_band, r.regency, facts, agency_id)


def strictest(some: Iterable[Standing]) -> Standing | None:
    """The need that the others go with: of those that somebody has, else of all that are open."""
    return min(some, key=lambda one: (one.agency_id is None, one.strictness), default=None)


def region_of(agency_id: str) -> str | None:
    """Province or regency of an office by its code; None for who is there for the whole country."""
    tail = agency_id.partition("-")[2]
    return tail if REGION.fullmatch(tail) else None


def meet(one: str | None, other: str | None) -> bool:
    """True when the regions are the same, or one lies in the other."""
    return one is None or other is None or (one[:2] == other[:2] and (len(one) == 2 or len(other) == 2 or one == other))


def are_apart(lead: Standing, other: Standing) -> bool:
    """True when both are with an office and the two are not of one region."""
    if lead.agency_id is None or other.agency_id is None:
        return False
    return not meet(region_of(lead.agency_id), region_of(other.agency_id))


def is_nearer(lead: Standing, one: Standing, agency_id: str) -> bool:
    """True for the strictest need's own office, and for one of its region where the one that is asked is not."""
    assert lead.agency_id is not None
    return agency_id == lead.agency_id or (
        are_apart(lead, one) and not are_apart(lead, replace(one, agency_id=agency_id))
    )


def who_is_apart(some: Sequence[Standing]) -> tuple[Standing | None, list[Standing]]:
    """The strictest need of a household, and of each other person who is apart from it that person's own strictest."""
    lead = strictest(some)
    if lead is None:
        return None, []
    own: dict[str, list[Standing]] = {}
    for one in some:
        if one.case_id != lead.case_id:
            own.setdefault(one.case_id, []).append(one)
    leading = [found for those in own.values() if (found := strictest(those)) is not None]
    return lead, sorted((one for one in leading if are_apart(lead, one)), key=attrgetter("case_id"))


def placed(members: Iterable[Standing], first: Callable[[Facts], str | None]) -> list[Standing]:
    """Where the needs of a household would go if all of it landed now; `first`: the office that facts lead to."""
    some = sorted(members, key=attrgetter("strictness"))
    mixed = are_mixed(one.age_band for one in some)
    found: list[Standing] = []
    for one in some:
        facts = with_household(one.facts, strictest(found), mixed=mixed)
        found.append(replace(one, facts=facts, agency_id=first(facts)))
    return found


def with_household(facts: Facts, lead: Standing | None, *, mixed: bool) -> Facts:
    """The facts of somebody who goes where the strictest need of the household is helped."""
    alone = replace(facts, household_at=None, household_agency=None, household_mixed=mixed)
    if lead is None or lead.agency_id is None:
        return alone
    region, home = region_of(lead.agency_id), lead.facts.origin_regency
    at_port = region is not None and meet(region, facts.port_regency) and not (home and meet(region, home))
    return replace(alone, household_at=AT_PORT if at_port or home is None else home, household_agency=lead.agency_id)


def are_mixed(age_bands: Iterable[str]) -> bool:
    """True where children and adults are together."""
    return len({band in CHILDREN for band in age_bands}) == 2


def why_apart(lead: Standing, other: Standing, *, now: datetime) -> SplitReason:
    """How somebody came to be apart: by what ended at this moment, else help had begun, or nobody takes both."""
    for one in (other, lead):
        if one.last_ended_at == now and one.last_state is not None:
            return ENDED_AS.get(one.last_state, "taken_back")
    if now in (other.handed_on_at, lead.handed_on_at):
        return "handed_on"
    return "helped_before" if other.helping else "not_taken_together"


def opened(lead: Standing, other: Standing, reason: SplitReason, *, task_id: str, now: datetime) -> Reunification:
    """Somebody is to be brought together with the household."""
    assert lead.agency_id is not None
    assert other.agency_id is not None
    rung = RUNGS[0]
    hurried = bool(CHILDREN & {lead.age_band, other.age_band})
    due_at = now + (WITHIN[rung] / 3 if hurried else WITHIN[rung])
    return Reunification(
        task_id=task_id,
        household_id=other.household_id,
        case_id=other.case_id,
        agency_id=other.agency_id,
        apart_from=lead.agency_id,
        regency=other.regency,
        reason=reason,
        opened_at=now,
        rung=rung,
        due_at=due_at,
        remind_at=_remind_at(now, due_at),
    )


def climb(task: Reunification, *, now: datetime) -> Reunification:
    """Nobody has brought them together in time: it goes one rung up, and above the country it is told again."""
    rung = RUNGS[min(RUNGS.index(task.rung) + 1, len(RUNGS) - 1)]
    due_at = now + WITHIN[rung]
    return replace(task, rung=rung, due_at=due_at, remind_at=_remind_at(now, due_at), reminded_at=None)


def remind(task: Reunification, *, now: datetime) -> Reunification:
    """Whose duty it is has been reminded, once for each rung."""
    return replace(task, remind_at=None, reminded_at=now)


def _remind_at(since: datetime, due_at: datetime) -> datetime:
    """After three quarters of the time, as for other deadlines."""
    return since + (due_at - since) * REMINDED_AFTER


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
