"""Looking for earlier returns of those who landed: in memory, in intake alone, and on the trail. It decides nothing.

Identities are opened in batches, compared and forgotten. What is kept are keyed digests, levels of agreement in codes,
and which pairs a person at the port has to decide (`matches`).
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import structlog

from services.intake.domain.matches import said_levels
from services.intake.domain.matching.blocks import asked_by, keys_of
from services.intake.domain.matching.fields import Features, compare, features_of
from services.intake.domain.matching.scoring import MOST_COMPARED, PROPOSED_FROM, strength_of, weigh
from services.intake.store import match_keys, matches
from services.intake.store.match_keys import Comparable, ordered
from services.intake.store.matches import Proposed
from services.intake.store.vault import Damaged, Sealed, Vault, WrongKey
from services.intake.store.vault.wrapped import FIRST
from shared.contracts.intake.matches import IdentitiesCompared
from shared.kit.actor import system
from shared.kit.database import Database
from shared.kit.ids import new_id
from shared.kit.work import Work

log = structlog.get_logger()

ACTOR = system("intake", "operator")

BREATH = 20
"""After so many people others get their turn: comparing is the only long work in the memory of the process."""


@dataclass(frozen=True, slots=True)
class Round:
    """What one batch did; `last` is the case after which to go on, None when there was nothing to compare."""

    compared: int
    proposed: int
    last: str | None


async def compare_new(work: Work, vault: Vault, *, after: str, limit: int) -> Round:
    """Find those who may have come before among the next cases that nobody has looked at. By intake's clock.

    The identity of a case is compared with those that share a key with it, and of these comparisons one entry a case is
    on the trail, before anything of them is told to anybody. What is corrected meanwhile is compared once more.
    """
    await match_keys.be_alone(work)
    new = await match_keys.list_uncompared(work, after=after, limit=limit)
    if not new:
        return Round(0, 0, None)
    people = await _read(vault, new)
    keys = {case_id: {vault.match_key(key) for key in keys_of(person)} for case_id, person in people.items()}
    await match_keys.add(work, {one.case_id: keys.get(one.case_id, ()) for one in new})
    pairs: dict[tuple[str, str], Proposed] = {}
    for case_id, (compared, found) in (await look_up(work, vault, {one.case_id: one for one in new}, people)).items():
        pairs |= {(pair.case_id, pair.earlier_case_id): pair for pair in found}
        if compared:
            proposed = sum(pair.bits >= PROPOSED_FROM for pair in found)
            work.record(IdentitiesCompared(case_id=case_id, compared=tuple(compared), proposed=proposed))
    cases = {case_id for pair in pairs for case_id in pair}.union(one.case_id for one in new)
    await work.lock_cases(cases)
    standing = await match_keys.find_sealed(work, cases)
    await match_keys.forget(work, [one.case_id for one in new if standing.get(one.case_id) != one])
    await matches.propose(work, [pair for both, pair in pairs.items() if standing.keys() >= set(both)])
    return Round(len(new), len(pairs), new[-1].case_id)


async def look_up(
    work: Work, vault: Vault, cases: Mapping[str, Comparable], people: Mapping[str, Features]
) -> dict[str, tuple[list[str], list[Proposed]]]:
    """For each of these people the cases it was compared with, and those of them that may be of the same person.

    With whom it waits to be decided on, it is compared and paired however little of the two agrees by now.
    """
    asked = {case_id: {vault.match_key(key) for key in asked_by(person)} for case_id, person in people.items()}
    sharing = await match_keys.find_sharing(work, asked, most=MOST_COMPARED)
    waiting = await matches.list_waiting(work, asked)
    for case_id, others in waiting.items():
        sharing[case_id] += [other for other in others if other not in sharing[case_id]]
    wanted = {other for others in sharing.values() for other in others}
    kept = {**cases, **await match_keys.find_sealed(work, wanted - cases.keys())}
    known = {**people, **await _read(vault, [kept[one] for one in wanted - people.keys() if one in kept])}
    found = {}
    for n, (case_id, others) in enumerate(sharing.items(), 1):
        compared = [other for other in others if other in known]
        pairs = {other: _pair(kept[case_id], kept[other], known) for other in compared}
        asks = waiting.get(case_id, ())
        found[case_id] = compared, [one for other, one in pairs.items() if one.bits >= PROPOSED_FROM or other in asks]
        if n % BREATH == 0:
            await asyncio.sleep(0)
    return found


async def compare_all_anew(database: Database, *, limit: int = 500) -> int:
    """Forget what earlier returns are found by; the clock's next round over everybody makes it anew. Answers how many.

    For when the rules of comparing, or the key of the digests, are others. Pairs and decisions stay.
    """
    forgotten, after = 0, FIRST
    while True:
        async with database.work(ACTOR, purpose="compare") as work:
            batch = await match_keys.forget_next(work, after=after, limit=limit)
        if not batch:
            return forgotten
        forgotten, after = forgotten + len(batch), batch[-1]


async def _read(vault: Vault, cases: Sequence[Comparable]) -> dict[str, Features]:
    """What is compared of these cases. One that does not open is left out, and is said to be so."""
    people = {}
    for n, one in enumerate(cases, 1):
        try:
            sealed = Sealed(one.wrapped_key, one.sealed)
            identity = vault.open(sealed, person_id=one.person_id, case_id=one.case_id)
        except (Damaged, WrongKey) as error:
            log.error("identity_not_compared", case_id=one.case_id, error=type(error).__name__)
            continue
        if not identity.full_name:
            continue  # logged in a hurry: compared when it is complete (`persons.reseal`)
        people[one.case_id] = features_of(identity, regency=one.origin_regency, sex=one.sex)
        if n % BREATH == 0:
            await asyncio.sleep(0)
    return people


def _pair(one: Comparable, other: Comparable, people: Mapping[str, Features]) -> Proposed:
    """The two as a pair to decide."""
    levels = compare(people[one.case_id], people[other.case_id])
    bits = weigh(levels)
    later, earlier = ordered(one, other)
    return Proposed(
        *(new_id(), later.case_id, later.person_id, earlier.case_id, earlier.person_id, later.port, later.voyage_id),
        *(strength_of(bits), bits, " ".join(said_levels(levels))),
    )
