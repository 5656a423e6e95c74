"""People who stay together, and adults who answer for children: what may be linked, confirmed and unlinked. Pure.

One person is enough for more protection: to unlink an adult. For less it takes two: that an adult answers for a child
who counted as alone, one asks for and another confirms.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal

from services.intake.domain import needs
from services.intake.domain.arrival_corrections import CONFIRM_WITHIN, Corrected, Kept, Step, has_lapsed
from services.intake.domain.refusals.arrival_corrections import ArrivalInError
from services.intake.domain.refusals.households import (
    GuardianUnfit,
    LinkEnded,
    LinkNotProposed,
    NobodyAnswers,
    NobodyElseConfirms,
    OneHasDied,
)
from services.intake.domain.refusals.identities import FieldFilled
from shared.contracts.codes import AgeBand, NeedCode

HouseholdReason = Literal["listed", "said_by_family", "guardian_linked", "not_of_it", "family_parted", "in_error"]
"""These and the next, as the contract has them."""
Relation = Literal[
    "mother", "father", "grandparent", "sibling", "aunt_or_uncle", "legal_guardian", "other_relative", "not_stated"
]
RelationProof = Literal["birth_certificate", "family_card", "travel_document", "statement_of_both", "none"]
UnlinkReason = Literal["not_related", "child_at_risk", "adult_elsewhere", "statement_withdrawn", "in_error", "died"]
CHILDREN = frozenset({"child", "unknown"})
ALONE: NeedCode = "UAC"
NOT_STATED: Relation = "not_stated"
NO_PROOF: RelationProof = "none"
Change = Literal["joined", "parted"]
LinkState = Literal["proposed", "confirmed", "ended"]
LinkEnd = UnlinkReason | Literal["refused", "withdrawn", "expired"]


@dataclass(frozen=True, slots=True)
class Household:
    """`changed_by`, `changed_at`: who changed it last."""

    household_id: str
    port: str
    version: int
    changed_by: str
    changed_at: datetime


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody who belongs to a household, or did until `parted_at`; the person in codes."""

    household_id: str
    case_id: str
    sex: str
    age_band: AgeBand
    needs: tuple[NeedCode, ...]
    joined_as: HouseholdReason
    joined_by: str
    joined_at: datetime
    parted_for: HouseholdReason | None = None
    parted_by: str | None = None
    parted_at: datetime | None = None

    @property
    def is_child(self) -> bool:
        """True also for who may be one."""
        return self.age_band in CHILDREN


@dataclass(frozen=True, slots=True)
class Link:
    """An adult who answers for a child, is asked for to do so, or did.

    `is_listed`: it was said when the child was recorded, by the name list or by whoever logged the child.
    """

    link_id: str
    child_case_id: str
    adult_case_id: str
    port: str
    relation: Relation
    proof: RelationProof
    state: LinkState
    version: int
    is_listed: bool
    proposed_by: str
    proposed_at: datetime
    confirmed_by: str | None = None
    confirmed_at: datetime | None = None
    ended_for: LinkEnd | None = None
    ended_by: str | None = None
    ended_at: datetime | None = None

    @property
    def due_at(self) -> datetime | None:
        """Until when a second person should have confirmed what is asked for; None for what is not."""
        return self.proposed_at + CONFIRM_WITHIN if self.state == "proposed" else None

    @property
    def has_relation(self) -> bool:
        """True when it was said what the adult is to the child."""
        return self.relation != NOT_STATED

    @property
    def has_proof(self) -> bool:
        """True when something shows it."""
        return self.proof != NO_PROOF


@dataclass(frozen=True, slots=True)
class Companion:
    """Who is said to answer for a child when the child is recorded: the adult's case, or the code of it."""

    adult: str
    relation: Relation = NOT_STATED
    proof: RelationProof = NO_PROOF


def propose(
    child: AgeBand,
    adult: AgeBand,
    *,
    link_id: str,
    child_case_id: str,
    adult_case_id: str,
    port: str,
    relation: Relation,
    proof: RelationProof,
    by: str,
    now: datetime,
) -> Link:
    """Somebody asks that an adult count as answering for a child. Raises `GuardianUnfit`."""
    expect_fit(child, adult)
    return Link(
        link_id=link_id,
        child_case_id=child_case_id,
        adult_case_id=adult_case_id,
        port=port,
        relation=relation,
        proof=proof,
        state="proposed",
        version=1,
        is_listed=False,
        proposed_by=by,
        proposed_at=now,
    )


def expect_fit(child: str, adult: str) -> None:
    """An adult answers for a child. Raises `GuardianUnfit`."""
    if child not in CHILDREN or adult in CHILDREN:
        raise GuardianUnfit


def expect_landed(*ended_as: str | None) -> None:
    """Nobody belongs to an arrival that was none. Raises `ArrivalInError`."""
    if "entered_in_error" in ended_as:
        raise ArrivalInError


def expect_alive(*ended_as: str | None) -> None:
    """Raises `OneHasDied`, and as `expect_landed`."""
    expect_landed(*ended_as)
    if "died" in ended_as:
        raise OneHasDied


def listed(
    *,
    link_id: str,
    child_case_id: str,
    adult_case_id: str,
    port: str,
    by: str,
    now: datetime,
    was_alone: bool,
    relation: Relation = NOT_STATED,
    proof: RelationProof = NO_PROOF,
) -> Link:
    """Whoever records the child names the adult. Of who was recorded as alone before, another has to confirm it."""
    link = Link(
        link_id=link_id,
        child_case_id=child_case_id,
        adult_case_id=adult_case_id,
        port=port,
        relation=relation,
        proof=proof,
        state="proposed",
        version=1,
        is_listed=not was_alone,
        proposed_by=by,
        proposed_at=now,
    )
    return link if was_alone else replace(link, state="confirmed", confirmed_by=by, confirmed_at=now)


def lapse(link: Link, *, by: str, now: datetime) -> Link:
    """Nobody confirmed in time what was asked for: the child stays protected as one that is alone."""
    return replace(link, state="ended", version=link.version + 1, ended_for="expired", ended_by=by, ended_at=now)


def confirm(link: Link, *, by: str, now: datetime) -> Link:
    """A second person confirms it. Raises `NobodyElseConfirms`, `LinkNotProposed`, `LinkEnded`."""
    if link.state == "ended" or (link.state == "proposed" and has_lapsed(link.proposed_at, now)):
        raise LinkEnded
    if link.state != "proposed":
        raise LinkNotProposed
    if link.proposed_by == by:
        raise NobodyElseConfirms
    return replace(link, state="confirmed", version=link.version + 1, confirmed_by=by, confirmed_at=now)


def to_describe(child_case_id: str, links: Sequence[Link]) -> Link | None:
    """The link of a child with an adult of which the relation is missing, else the proof; of these the oldest.

    Where nothing is missing, the oldest of all.
    """
    standing = [link for link in links if link.child_case_id == child_case_id and link.state == "confirmed"]
    return min(standing, key=lambda link: (link.has_relation, link.has_proof, link.link_id), default=None)


def describe(link: Link | None, *, relation: Relation, proof: RelationProof) -> Link | None:
    """What the adult is to the child and what shows it, where that was not said yet; None where it says nothing new.

    Raises `NobodyAnswers`, `FieldFilled`.
    """
    if link is None:
        if relation != NOT_STATED or proof != NO_PROOF:
            raise NobodyAnswers
        return None
    said: dict[str, Any] = {}
    if relation not in (NOT_STATED, link.relation):
        if link.has_relation:
            raise FieldFilled("relation")
        said["relation"] = relation
    if proof not in (NO_PROOF, link.proof):
        if link.has_proof:
            raise FieldFilled("proof")
        said["proof"] = proof
    return replace(link, version=link.version + 1, **said) if said else None


def end(link: Link, *, reason: UnlinkReason, by: str, now: datetime) -> Link:
    """The adult answers for the child no longer, at once. What was asked for only is refused or taken back by it.

    Raises `LinkEnded`.
    """
    if link.state == "ended":
        raise LinkEnded
    said: LinkEnd = reason
    if link.state == "proposed":
        said = "withdrawn" if link.proposed_by == by else "refused"
    return replace(link, state="ended", version=link.version + 1, ended_for=said, ended_by=by, ended_at=now)


def overtake(link: Link, *, reason: UnlinkReason, by: str, now: datetime) -> Link:
    """What was corrected of one of the two ends it, confirmed or asked for only: nobody has refused anything."""
    return replace(link, state="ended", version=link.version + 1, ended_for=reason, ended_by=by, ended_at=now)


def is_alone(case_id: str, links: Sequence[Link]) -> bool:
    """True while no adult answers for a child."""
    return not any(link.child_case_id == case_id and link.state == "confirmed" for link in links)


def protect_alone(kept: Kept) -> Corrected | None:
    """A child that nobody answers for is due what an unaccompanied child is due; None where nothing changes by it."""
    if kept.ended_as is not None or kept.age_band not in CHILDREN or ALONE in kept.needs:
        return None
    after = replace(kept, version=kept.version + 1, needs=needs.ordered({*kept.needs, ALONE}))
    return after, Step(after.version, "needs", added=(ALONE,), reason="assessed")


def together(companions: Mapping[int, int]) -> list[tuple[int, ...]]:
    """Who travels together by what each row names, row to row: the numbers of each group, the first one being whom the
    others come back to. A circle begins with its lowest number.
    """
    head: dict[int, int] = {}
    for number in companions:
        path: list[int] = []
        at = number
        while at in companions and at not in head and at not in path:
            path.append(at)
            at = companions[at]
        end = head[at] if at in head else min(path[path.index(at) :]) if at in path else at
        head.update(dict.fromkeys((*path, at, end), end))
    groups: dict[int, set[int]] = {}
    for number, end in head.items():
        groups.setdefault(end, set()).add(number)
    return [(end, *sorted(numbers - {end})) for end, numbers in sorted(groups.items())]
