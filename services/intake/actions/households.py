"""Households by hand: who belongs together, and which adult answers for a child, by people of the port."""

from collections.abc import Sequence
from dataclasses import dataclass

from services.intake import policy
from services.intake.actions import arrival_corrections
from services.intake.domain import households as domain
from services.intake.domain.arrival_corrections import LAPSES_AFTER, Kept
from services.intake.domain.households import Household, Link, Member
from services.intake.domain.refusals import NotAllowed
from services.intake.domain.refusals.arrivals import CaseUnknown
from services.intake.domain.refusals.households import (
    AlreadyTogether,
    HouseholdChangedMeanwhile,
    InTwoHouseholds,
    LinkedBefore,
    LinkUnknown,
    NotInHousehold,
    StillAnswersForChild,
)
from services.intake.store import arrival_corrections as arrivals
from services.intake.store import households as store
from services.intake.store.households import Person
from shared.contracts import codes
from shared.contracts.intake.arrivals import NeedsCorrected
from shared.contracts.intake.households import (
    GuardianLinked,
    GuardianProposalEnded,
    GuardianProposed,
    GuardianUnlinked,
    HouseholdChanged,
    HouseholdReason,
    Relation,
    RelationProof,
    UnlinkReason,
)
from shared.kit import words
from shared.kit.ids import new_id
from shared.kit.refusal import Refusal
from shared.kit.words import Language, msg
from shared.kit.work import Work


class HouseholdConflict(Refusal):
    """Somebody else was first, for who reads it: who, when, and what to do."""

    status = 409
    code = "household_changed"
    title = msg("This was changed meanwhile")

    def __init__(self, language: Language, changed: HouseholdChangedMeanwhile, port: str) -> None:
        told = msg(
            "%(who)s changed this on %(time)s: you looked at version %(expected)s, now it is %(found)s. Look at it as"
            " it is now, then change what is still wrong."
        )
        super().__init__(
            words.translate(
                language,
                told,
                who=changed.by,
                time=words.moment(language, changed.at, codes.ports()[port].zone),
                expected=changed.expected,
                found=changed.found,
            )
        )


@dataclass(frozen=True, slots=True)
class Seen:
    """The household of a person as the port sees it, in codes. `household` is None for who belongs to none."""

    case_id: str
    household: Household | None
    members: Sequence[Member]
    links: Sequence[Link]

    @property
    def present(self) -> list[Member]:
        """Those who belong to it now."""
        return [member for member in self.members if member.parted_at is None]

    @property
    def version(self) -> int:
        """What a change is decided on; 0 while there is no household."""
        return 0 if self.household is None else self.household.version


async def look(work: Work, case_id: str) -> Seen:
    """The household of a case of the own port, with all links of its members. Raises `NotAllowed`, `CaseUnknown`."""
    policy.own_port(work.actor)
    person = (await store.find_people(work, [case_id])).get(case_id)
    if person is None:
        raise CaseUnknown
    household, members = None, list[Member]()
    if person.household_id is not None:
        household = await store.find_household(work, person.household_id)
        members = await store.list_members(work, person.household_id)
    present = [member.case_id for member in members if member.parted_at is None]
    return Seen(case_id, household, members, await store.list_links(work, sorted({case_id, *present})))


async def join(work: Work, case_id: str, with_case_id: str, *, version: int) -> str:
    """Let somebody belong to the household of somebody else; answers the household.

    `version` is that of the household which exists, 0 where there is none. Raises `NotAllowed`, `CaseUnknown`,
    `ArrivalInError`, `AlreadyTogether`, `InTwoHouseholds`, `HouseholdChangedMeanwhile`.
    """
    people = await _people(work, case_id, with_case_id)
    return await _join(work, people[case_id], people[with_case_id], version=version, reason="said_by_family")


async def part(work: Work, case_id: str, *, version: int, reason: HouseholdReason) -> None:
    """Somebody belongs to the household no longer.

    Raises `NotAllowed`, `CaseUnknown`, `NotInHousehold`, `StillAnswersForChild`, `HouseholdChangedMeanwhile`.
    """
    person = (await _people(work, case_id))[case_id]
    if person.household_id is None:
        raise NotInHousehold
    if any(link.state != "ended" for link in await store.list_links(work, [case_id])):
        raise StillAnswersForChild
    await _change(work, person.household_id, version)
    await store.part(work, case_id, reason)
    await _tell(work, person.household_id, [case_id], "parted", reason)


async def propose_guardian(
    work: Work, child_case_id: str, adult_case_id: str, *, relation: Relation, proof: RelationProof
) -> Link:
    """Ask that an adult count as answering for a child; the child is protected as alone until another confirms it.

    Raises `NotAllowed`, `CaseUnknown`, `ArrivalInError`, `OneHasDied`, `GuardianUnfit`, `LinkedBefore`.
    """
    people = await _people(work, child_case_id, adult_case_id)
    domain.expect_alive(*(one.ended_as for one in people.values()))
    link = domain.propose(
        people[child_case_id].age_band,
        people[adult_case_id].age_band,
        link_id=new_id(),
        child_case_id=child_case_id,
        adult_case_id=adult_case_id,
        port=policy.own_port(work.actor),
        relation=relation,
        proof=proof,
        by=work.actor.id,
        now=work.now,
    )
    if not await store.add_links(work, [link]):
        raise LinkedBefore
    work.record(proposed(link))
    return link


async def confirm_guardian(work: Work, link_id: str, *, version: int) -> Link:
    """Another person confirms it: the adult answers for the child, and the two stay together.

    What the child is due as long as it is alone stays due: help that was asked for is ended by people.
    Raises `NotAllowed`, `LinkUnknown`, `NobodyElseConfirms`, `LinkNotProposed`, `LinkEnded`,
    `HouseholdChangedMeanwhile`, `ArrivalInError`, `OneHasDied`, `GuardianUnfit`, `InTwoHouseholds`.
    """
    link, people = await _link(work, link_id, version)
    after = domain.confirm(link, by=work.actor.id, now=work.now)
    child, adult = people[link.child_case_id], people[link.adult_case_id]
    domain.expect_alive(child.ended_as, adult.ended_as)
    domain.expect_fit(child.age_band, adult.age_band)
    await store.save_link(work, after)
    household_id = adult.household_id
    if household_id is None or household_id != child.household_id:
        household_id = await _join(work, child, adult, version=None, reason="guardian_linked")
    work.emit(linked(after, household_id))
    return after


async def end_guardian(work: Work, link_id: str, *, version: int, reason: UnlinkReason) -> Link:
    """The adult answers for the child no longer, from this moment; a child that is alone by it is due what is due then.

    Raises `NotAllowed`, `LinkUnknown`, `LinkEnded`, `HouseholdChangedMeanwhile`.
    """
    link, _ = await _link(work, link_id, version)
    after = domain.end(link, reason=reason, by=work.actor.id, now=work.now)
    await store.save_link(work, after)
    child = link.child_case_id
    if link.state == "proposed":
        how = "withdrawn" if after.ended_for == "withdrawn" else "refused"
        work.record(GuardianProposalEnded(case_id=child, link_id=link_id, how=how))
        return after
    is_alone = domain.is_alone(child, await store.list_links(work, [child]))
    work.emit(
        GuardianUnlinked(
            case_id=child,
            link_id=link_id,
            adult_case_id=link.adult_case_id,
            reason=reason,
            unaccompanied=is_alone,
        )
    )
    if is_alone:
        await protect(work, child)
    return after


async def end_with_person(work: Work, after: Kept, *, reason: UnlinkReason) -> None:
    """End the links that do not fit somebody any more who was corrected, was none, or has died; the cases are locked.

    A child that is alone by it is due at once what is due then.
    """
    for link in await store.list_standing(work, after.case_id):
        is_child = link.child_case_id == after.case_id
        await work.lock_cases([link.child_case_id])  # one that was linked while the locks were waited for
        if after.ended_as is None and is_child is (after.age_band in domain.CHILDREN):
            continue
        await store.end_link(work, domain.overtake(link, reason=reason, by=work.actor.id, now=work.now))
        child = link.child_case_id
        if link.state == "proposed":
            work.record(GuardianProposalEnded(case_id=child, link_id=link.link_id, how="overtaken"))
            continue
        standing = [other for other in await store.list_standing(work, child) if other.child_case_id == child]
        is_alone = not is_child and domain.is_alone(child, standing)
        work.emit(
            GuardianUnlinked(
                case_id=child,
                link_id=link.link_id,
                adult_case_id=link.adult_case_id,
                reason=reason,
                unaccompanied=is_alone,
            )
        )
        if is_alone:
            await protect(work, child)


async def leave_in_error(work: Work, case_id: str) -> None:
    """An arrival that was none belongs to no household any more; its case is locked."""
    household_id = (await store.find_people(work, [case_id]))[case_id].household_id
    if household_id is None:
        return
    await _change(work, household_id, None)
    await store.part(work, case_id, "in_error")
    await _tell(work, household_id, [case_id], "parted", "in_error")


async def lapse(work: Work, *, limit: int) -> int:
    """End what nobody has confirmed in time; the child stays protected as alone. Answers how many there were."""
    due = await store.list_lapsed(work, before=work.now - LAPSES_AFTER, limit=limit)
    await work.lock_cases({link.child_case_id for link in due})
    for link in due:
        if await store.end_link(work, domain.lapse(link, by=work.actor.id, now=work.now)):
            work.record(GuardianProposalEnded(case_id=link.child_case_id, link_id=link.link_id, how="expired"))
    return len(due)


async def protect_who_lives(work: Work, after: Kept) -> Kept:
    """A child noted as dead lives: whoever answered for it was unlinked, and must be linked anew by people."""
    if not await store.is_alone_by_death(work, after.case_id):
        return after
    await protect(work, after.case_id)
    return await arrivals.find_proposed(work, after.case_id)


async def find_link(work: Work, link_id: str) -> Link:
    """A link of the own port. Raises `NotAllowed`, `LinkUnknown`."""
    policy.own_port(work.actor)
    found = await store.find_link(work, link_id)
    if found is None:
        raise LinkUnknown
    return found


async def list_proposed(work: Work, *, limit: int) -> list[Link]:
    """What waits for a second person at the own port, the longest first. Raises `NotAllowed`."""
    policy.own_port(work.actor)
    return await store.list_proposed(work, limit=limit)


def proposed(link: Link) -> GuardianProposed:
    """That somebody asks for a link."""
    return GuardianProposed(
        case_id=link.child_case_id,
        link_id=link.link_id,
        adult_case_id=link.adult_case_id,
        relation=link.relation,
        proof=link.proof,
    )


def linked(link: Link, household_id: str) -> GuardianLinked:
    """That an adult answers for a child."""
    return GuardianLinked(
        case_id=link.child_case_id,
        link_id=link.link_id,
        household_id=household_id,
        adult_case_id=link.adult_case_id,
        relation=link.relation,
        proof=link.proof,
        proposed_by=None if link.is_listed else link.proposed_by,
    )


def changed(
    household_id: str, case_id: str, change: domain.Change, reason: HouseholdReason, members: Sequence[str]
) -> HouseholdChanged:
    """That somebody joined a household or parted from it; `members`: who belongs to it now."""
    return HouseholdChanged(
        case_id=case_id,
        household_id=household_id,
        change=change,
        reason=reason,
        members=tuple(sorted(set(members) - {case_id})),
    )


async def _people(work: Work, *case_ids: str) -> dict[str, Person]:
    """These cases of the own port, locked. What is written about them is the service's: policy has said by whom."""
    if not policy.may_link_people(work.actor):
        raise NotAllowed
    if len(await store.find_people(work, case_ids)) < len(set(case_ids)):
        raise CaseUnknown
    await work.lock_cases(case_ids)
    found = await store.find_people(work, case_ids)
    await work.as_service()  # found at the own port; households and links change by these actions alone
    return found


async def _link(work: Work, link_id: str, version: int) -> tuple[Link, dict[str, Person]]:
    """A link of the own port as it stands, with both people, locked."""
    if not policy.may_link_people(work.actor):
        raise NotAllowed
    found = await store.find_link(work, link_id)
    if found is None:
        raise LinkUnknown
    people = await _people(work, found.child_case_id, found.adult_case_id)
    link = await store.find_link(work, link_id)
    assert link is not None
    if link.version != version:
        by, at = link.ended_by or link.confirmed_by or link.proposed_by, link.ended_at or link.confirmed_at
        raise HouseholdChangedMeanwhile(expected=version, found=link.version, by=by, at=at or link.proposed_at)
    return link, people


async def _join(work: Work, one: Person, other: Person, *, version: int | None, reason: HouseholdReason) -> str:
    domain.expect_landed(one.ended_as, other.ended_as)
    if one.case_id == other.case_id or (one.household_id is not None and one.household_id == other.household_id):
        raise AlreadyTogether
    if one.household_id is not None and other.household_id is not None:
        one = await _alone(work, one)
        if one.household_id is not None:
            other = await _alone(work, other)
        if one.household_id is not None and other.household_id is not None:
            raise InTwoHouseholds
    household_id = other.household_id or one.household_id
    if household_id is None:
        if version:
            raise NotInHousehold
        household_id = new_id()
        await store.add_households(work, [household_id])
    else:
        await _change(work, household_id, version)
    joining = [person.case_id for person in (one, other) if person.household_id is None]
    await store.add_members(work, [(household_id, case_id) for case_id in joining], reason)
    await _tell(work, household_id, joining, "joined", reason)
    return household_id


async def _alone(work: Work, person: Person) -> Person:
    """Who is the last of a household leaves it for another one."""
    assert person.household_id is not None
    members = await store.list_members(work, person.household_id)
    if [member.case_id for member in members if member.parted_at is None] != [person.case_id]:
        return person
    await store.part(work, person.case_id, "said_by_family")
    return person._replace(household_id=None)


async def _change(work: Work, household_id: str, version: int | None) -> None:
    """Raises `HouseholdChangedMeanwhile`."""
    if await store.touch(work, household_id, version=version):
        return
    found = await store.find_household(work, household_id)
    assert found is not None
    assert version is not None
    raise HouseholdChangedMeanwhile(expected=version, found=found.version, by=found.changed_by, at=found.changed_at)


async def _tell(
    work: Work, household_id: str, case_ids: Sequence[str], change: domain.Change, reason: HouseholdReason
) -> None:
    members = [m.case_id for m in await store.list_members(work, household_id) if m.parted_at is None]
    for case_id in case_ids:
        work.emit(changed(household_id, case_id, change, reason, members))


async def protect(work: Work, child_case_id: str) -> None:
    """A child whose case is locked and that nobody answers for is due what an unaccompanied child is due."""
    corrected = domain.protect_alone(await arrivals.find_proposed(work, child_case_id))
    if corrected is None:
        return
    after, step = corrected
    fact = NeedsCorrected(
        **arrival_corrections.about(after), added=step.added, reason="assessed", struck=(), strike_reason=None
    )
    await arrival_corrections.write(work, corrected, fact)
