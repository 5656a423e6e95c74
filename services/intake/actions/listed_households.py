"""Households as name lists have them: rows that name each other stay together, in whichever list each of them came."""

from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from uuid import UUID

from services.intake.actions.households import changed, linked, proposed, protect
from services.intake.domain import households as domain
from services.intake.domain.manifests import Row
from services.intake.store import arrivals
from services.intake.store import households as store
from services.intake.store.households import Person
from services.intake.store.vault import Vault
from shared.kit.actor import Actor
from shared.kit.database import Database
from shared.kit.ids import new_id
from shared.kit.work import Work

GROUPS_AT_ONCE = 200
"""Most households in one transaction; each person in it is locked until the end."""


@dataclass(frozen=True, slots=True)
class Group:
    """Rows that stay together, the one whom the others come back to first; `guardians`: child and adult, by row."""

    household_id: str
    rows: tuple[int, ...]
    guardians: tuple[tuple[int, int], ...]


async def groups_of(
    database: Database, vault: Vault, voyage_id: str, rows: Sequence[Row], *, are_new: bool
) -> list[Group]:
    """Who stays together of rows that are in whole parties. A household that somebody of them belongs to goes on.

    The others' ids are made of the row that the rest comes back to, with a key: the same list sent again means the same
    household, and the id is of no use to who has neither the key nor the list.
    """
    companions = {row.number: row.companion for row in rows if row.companion is not None}
    found = domain.together(companions)
    if not found:
        return []
    grouped = {number for members in found for number in members}
    by_number = {row.number: row for row in rows if row.number in grouped}
    cases = {} if are_new else await _cases_of(database, vault, voyage_id, by_number)
    standing = await store.current_of(database, list(cases.values())) if cases else {}
    groups: list[Group] = []
    for members in found:
        before = [standing[cases[n]] for n in members if n in cases and cases[n] in standing]
        head = ("household", voyage_id, *by_number[members[0]].person)
        groups.append(
            Group(
                before[0] if before else str(UUID(bytes=vault.digest(*head))),
                members,
                tuple((n, companions[n]) for n in members if n in companions and _is_accompanied(by_number[n])),
            )
        )
    return groups


async def link_groups(
    database: Database, actor: Actor, groups: Sequence[Group], cases: Mapping[int, str], told: AbstractSet[str]
) -> None:
    """Write who stays together and which adult answers for which child; `cases` by row. Again changes nothing.

    What a person has changed by hand since stays as that person left it. `told`: the cases whose arrival has named the
    household already.
    """
    for some in _some(groups):
        async with database.work(actor, purpose="manifest") as work:
            await _link(work, some, cases, told)


async def _link(work: Work, groups: Sequence[Group], cases: Mapping[int, str], told: AbstractSet[str]) -> None:
    case_ids = sorted({cases[n] for group in groups for n in group.rows if n in cases})
    await work.lock_cases(case_ids)
    people = await store.find_people(work, case_ids)
    parted = await store.list_parted(work, case_ids)
    links = await store.list_links(work, case_ids)
    await work.as_service()  # found at the own port; households change by these actions alone
    joining: list[tuple[str, str]] = []
    named: set[tuple[str, str]] = set()
    homes: list[str] = []
    for group in groups:
        members = [people[cases[n]] for n in group.rows if cases.get(n) in people]
        members = [one for one in members if one.ended_as != "entered_in_error"]
        free = [one.case_id for one in members if one.household_id is None and one.case_id not in parted]
        # Another list may have put some of them into a household since this group was made.
        home = next((one.household_id for one in members if one.household_id is not None), None)
        homes.append(home or group.household_id)
        if len(free) > 1 or (free and home is not None):
            joining += [(homes[-1], case_id) for case_id in free]
        named |= {(group.household_id, case_id) for case_id in free if case_id in told}
    household_ids = sorted({household_id for household_id, _ in joining})
    if joining:
        await store.add_households(work, household_ids)
        joined = await store.add_members(work, joining, "listed")
        await store.touch_all(work, household_ids)
        untold = sorted((h, c) for h, c in joining if c in joined and (h, c) not in named)
        now = await store.list_cases_now(work, household_ids) if untold else {}
        for household_id, case_id in untold:
            work.emit(changed(household_id, case_id, "joined", "listed", now[household_id]))
    pairs = {(link.child_case_id, link.adult_case_id) for link in links}
    wanted = [
        (home, people[cases[child]], people[cases[adult]])
        for home, group in zip(homes, groups, strict=True)
        for child, adult in group.guardians
        if cases.get(child) in people and cases.get(adult) in people
    ]
    await _answer_for(work, [(h, c, a) for h, c, a in wanted if (c.case_id, a.case_id) not in pairs and _fits(c, a)])
    # The list took them for accompanied; since they were sent, the adult has died, was none, or is a child.
    unfit = sorted({c.case_id for _, c, a in wanted if c.age_band in domain.CHILDREN and not _fits(c, a)})
    standing = await store.list_links(work, unfit) if unfit else []
    for child in unfit:
        if domain.is_alone(child, standing):
            await protect(work, child)


async def _answer_for(work: Work, wanted: Sequence[tuple[str, Person, Person]]) -> None:
    """Link these children and adults as the list has them; of who counted as alone another person has to confirm it."""
    port = work.actor.port
    assert port is not None
    made = {
        link.link_id: (link, household_id)
        for household_id, child, adult in wanted
        for link in [
            domain.listed(
                link_id=new_id(),
                child_case_id=child.case_id,
                adult_case_id=adult.case_id,
                port=port,
                by=work.actor.id,
                now=work.now,
                was_alone=domain.ALONE in child.needs,
            )
        ]
    }
    if not made:
        return
    for link_id in sorted(await store.add_links(work, [link for link, _ in made.values()])):
        link, household_id = made[link_id]
        if link.state == "confirmed":
            work.emit(linked(link, household_id))
        else:
            work.record(proposed(link))


async def _cases_of(database: Database, vault: Vault, voyage_id: str, rows: Mapping[int, Row]) -> dict[int, str]:
    """The cases of those of the rows that were recorded before."""
    keys = {number: (voyage_id, vault.digest(*row.person)) for number, row in rows.items()}
    known = await arrivals.known(database, list(keys.values()))
    return {number: known[key].case_id for number, key in keys.items() if key in known}


def _fits(child: Person, adult: Person) -> bool:
    """True for an adult who landed and lives, and a child."""
    alive = child.ended_as is None and adult.ended_as is None
    return alive and child.age_band in domain.CHILDREN and adult.age_band not in domain.CHILDREN


def _is_accompanied(row: Row) -> bool:
    """True when the row's companion is an adult who can answer for a child."""
    return row.arrival is not None and row.arrival.accompanied


def _some(groups: Sequence[Group]) -> Iterator[Sequence[Group]]:
    for start in range(0, len(groups), GROUPS_AT_ONCE):
        yield groups[start : start + GROUPS_AT_ONCE]
