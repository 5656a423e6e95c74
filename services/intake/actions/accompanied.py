"""Children who are recorded with the adult that answers for them: both at once, or the child counts as alone."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial

from services.intake.actions.arrivals import (
    Desk,
    Item,
    Recorded,
    answered_before,
    day_at,
    port_of,
    seal_arrival,
)
from services.intake.actions.households import changed, linked
from services.intake.actions.slips import NotACode, find_by_code
from services.intake.actions.telling import Telling
from services.intake.domain import households as domain
from services.intake.domain.arrivals import Channel, screened
from services.intake.domain.companions import Unfit, unfit
from services.intake.domain.households import Companion
from services.intake.domain.refusals.arrivals import ArrivalInFuture, ArrivalLongAgo, CaseIdTaken, RecordedDifferently
from services.intake.domain.refusals.voyages import VoyageUnknown
from services.intake.store import arrivals as store
from services.intake.store import households
from services.intake.store.households import Person
from services.intake.store.vault import Vault
from shared.kit.actor import Actor
from shared.kit.crash import crash_point
from shared.kit.database import Database
from shared.kit.ids import is_id, new_id
from shared.kit.work import Work

Refusal = RecordedDifferently | ArrivalInFuture | ArrivalLongAgo | VoyageUnknown | CaseIdTaken


async def find_adult(work: Work, companion: Companion, *, voyage_id: str | None, landed_at: datetime) -> Person | Unfit:
    """Who is named, if that can be the adult of a child who landed then with that voyage, or with none; else why not.

    Raises `NotAllowed`.
    """
    try:
        cases = [companion.adult] if is_id(companion.adult) else await find_by_code(work, companion.adult)
    except NotACode:
        return "unknown"
    landings = await households.list_landings(work, cases)
    fit = [one.case_id for one in landings if unfit(one, voyage_id=voyage_id, landed_at=landed_at) is None]
    if len(fit) == 1:
        return (await households.find_people(work, fit))[fit[0]]
    if fit or not landings:
        return "unknown"
    return unfit(landings[0], voyage_id=voyage_id, landed_at=landed_at) or "unknown"


async def record_accompanied(
    database: Database, vault: Vault, desk: Desk, actor: Actor, item: Item, companion: Companion, channel: Channel
) -> Recorded:
    """Record one person with who is said to answer for it, in one transaction. Raises as `Desk.record`.

    A child whose adult cannot be found, or cannot be it, is recorded as alone: the answer shows it and says why.
    """
    submitted = (await desk.submitted(actor, item, channel))._replace(companion=companion)
    is_child = screened(submitted.arrival, submitted.day).age_band in domain.CHILDREN
    find = partial(find_adult, voyage_id=submitted.voyage_id, landed_at=submitted.arrived_at)
    why: Unfit | None = None
    try:
        async with database.work(actor, purpose="reception") as work:
            adult: Person | None = None
            if is_child:
                found = await find(work, companion)
                if isinstance(found, Person):
                    await work.lock_cases([found.case_id])
                    found = await find(work, replace(companion, adult=found.case_id))
                adult, why = (found, None) if isinstance(found, Person) else (None, found)
            household_id = (adult.household_id or new_id()) if adult is not None else None
            arrival = replace(submitted.arrival, accompanied=adult is not None)
            submitted = submitted._replace(arrival=arrival, household_id=household_id)
            new = seal_arrival(vault, Telling(actor), submitted, work.now)
            await work.as_service()  # policy lets the port record people; the adult was found at the port
            is_new = bool(await store.add(work.connection, [new]))
            if is_new and adult is not None and household_id is not None:
                await _link(work, new.case_id, adult, companion, household_id)
    except store.IdTaken:
        raise CaseIdTaken from None
    crash_point("arrivals.after_commit")
    if is_new:
        database.written.set()
        return Recorded(new.case_id, new.age_band, tuple(new.needs.split()), new=True, unfit=why)
    known = await store.known(database, [(new.scope, new.key)])
    before = answered_before(new, known[new.scope, new.key])
    if isinstance(before, RecordedDifferently):
        raise before
    return before._replace(unfit=why)


async def record_some(
    database: Database, vault: Vault, desk: Desk, actor: Actor, items: Sequence[tuple[Item, Companion | None]]
) -> list[Recorded | Refusal]:
    """Record a batch, in whatever order children and their adults stand in it; each has a result of its own.

    Raises as `Desk.record_many`.
    """
    alone = [n for n, (_, companion) in enumerate(items) if companion is None]
    recorded = await desk.record_many(actor, [items[n][0] for n in alone])
    results: dict[int, Recorded | Refusal] = dict(zip(alone, recorded, strict=True))
    now = database.clock.now()
    # Adults first: whoever is named by a child may name somebody too.
    for n in sorted(set(range(len(items))) - set(alone), key=lambda n: (_is_child(actor, items[n][0], now), n)):
        item, companion = items[n]
        assert companion is not None
        try:
            results[n] = await record_accompanied(database, vault, desk, actor, item, companion, "batch")
        except (RecordedDifferently, ArrivalInFuture, ArrivalLongAgo, VoyageUnknown, CaseIdTaken) as refused:
            results[n] = refused
    return [results[n] for n in range(len(items))]


def _is_child(actor: Actor, item: Item, now: datetime) -> bool:
    day = day_at(port_of(actor), item.arrived_at or now)
    return screened(item.arrival, day).age_band in domain.CHILDREN


async def _link(work: Work, child_case_id: str, adult: Person, companion: Companion, household_id: str) -> None:
    """The child stays together with the adult who answers for it. The child's arrival has named the household."""
    port = work.actor.port
    assert port is not None
    if adult.household_id is None:
        await households.add_households(work, [household_id])
    else:
        await households.touch(work, household_id, version=None)
    joined = await households.add_members(
        work, [(household_id, one) for one in (adult.case_id, child_case_id)], "listed"
    )
    if adult.case_id in joined:
        work.emit(changed(household_id, adult.case_id, "joined", "listed", [child_case_id, adult.case_id]))
    link = domain.listed(
        link_id=new_id(),
        child_case_id=child_case_id,
        adult_case_id=adult.case_id,
        port=port,
        by=work.actor.id,
        now=work.now,
        was_alone=False,
        relation=companion.relation,
        proof=companion.proof,
    )
    await households.add_links(work, [link])
    work.emit(linked(link, household_id))
