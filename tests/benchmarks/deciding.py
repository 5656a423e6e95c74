"""What deciding costs: decisions with their explanations stored, opening needs beside few and many old ones, an inbox
beside its past, and trying another directory on a hundred thousand needs."""

import itertools
import random
import statistics
import time
from collections.abc import Iterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg

from services.referral import rules
from services.referral.actions import opening, trying
from services.referral.actions.routing import Routing
from services.referral.domain.trials import Trial
from services.referral.rules import Router
from services.referral.store import desk
from shared.contracts import codes
from shared.kit import database
from shared.kit.actor import Actor, system
from shared.kit.database import Database
from tests.benchmarks.harness import Extent, Result, counted, note
from tests.benchmarks.rig import Rig
from tests.referral.factories import an_arrival

BATCH = 500
DECISIONS = 20_000
OLD, VERY_MANY = 10_000, 1_000_000
PAST = 100_000
PAGES = 300
WORKER = Actor("worker", "AGENCY-07", frozenset({"agency_worker"}), region="73.07")
CONSUMER = system("referral", "consumer")


async def measure(rig: Rig, extent: Extent) -> list[Result]:
    return [
        await stored_decisions(rig, extent),
        await beside_old_ones(rig, extent),
        await inbox_beside_its_past(rig, extent),
        await what_if(rig, extent),
    ]


@asynccontextmanager
async def referral(rig: Rig) -> Any:
    """Referral's database, migrated and empty, as the service and as a superuser."""
    urls, _ = await rig.fresh()
    opened = await database.connect(urls["referral"].application, service="referral", min_size=2)
    look = await asyncpg.connect(rig.server.url(database="referral"))
    try:
        yield opened, look
    finally:
        await look.close()
        await opened.aclose()


def people(seed: int) -> Iterator[Any]:
    """Arrivals with one need each, hardly two of them with the same facts."""
    cases = [
        (need, age, sex, home)
        for need, age, sex, home in itertools.product(
            codes.needs(), ("child", "adult", "elderly", "unknown"), ("F", "M"), codes.regencies()
        )
    ]
    for need, age, sex, home in random.Random(seed).sample(cases, len(cases)):
        yield an_arrival(need, age_band=age, sex=sex, origin=home)


async def open_all(opened: Database, routing: Routing, arrivals: list[Any]) -> float:
    """Needs opened in a second, batch by batch."""
    began = time.perf_counter()
    for start in range(0, len(arrivals), BATCH):
        async with opened.work(CONSUMER, purpose="hear") as work:
            await opening.open_referrals(work, arrivals[start : start + BATCH], routing=routing)
    return len(arrivals) / (time.perf_counter() - began)


async def stored_decisions(rig: Rig, extent: Extent) -> Result:
    """All new facts, so that each is evaluated, explained and stored, with its need and its first attempt."""
    async with referral(rig) as (opened, _):
        count = extent.of(DECISIONS, step=BATCH)
        return counted(
            "decisions_with_explanation_stored",
            await open_all(opened, Routing(rules.load(rules.latest())), list(itertools.islice(people(1), count))),
            "decisions/s",
            limit=2_000,
        )


async def beside_old_ones(rig: Rig, extent: Extent) -> Result:
    """Opening needs beside 1,000,000 old ones, as a share of the speed beside 10,000."""
    arrivals = people(2)
    count = extent.of(10_000, step=BATCH)
    rates: dict[int, list[float]] = {}
    for old in (OLD, extent.of(VERY_MANY)):
        async with referral(rig) as (opened, look):
            await fill(look, old)
            routing = Routing(rules.load(rules.latest()))
            await open_all(opened, routing, list(itertools.islice(arrivals, BATCH)))
            await rig.checkpoint()
            rates[old] = [await open_all(opened, routing, list(itertools.islice(arrivals, count))) for _ in range(3)]
    few, many = (statistics.median(found) for found in rates.values())
    note(f"beside {OLD}: {few:,.0f} needs/s; beside {extent.of(VERY_MANY):,}: {many:,.0f}")
    return counted("opening_cost_beside_a_million", few / many, "times the cost beside 10,000", limit=1.25)


async def inbox_beside_its_past(rig: Rig, extent: Extent) -> Result:
    """The inbox page's query of an agency with 100,000 ended attempts, in the service."""
    async with referral(rig) as (opened, look):
        await fill(look, extent.of(PAST), agency=WORKER.organisation)
        took: list[float] = []
        for _ in range(extent.of(PAGES)):
            began = time.perf_counter()
            async with opened.work(WORKER, purpose="look") as work:
                await desk.list_inbox(work, ["sent", "acknowledged"], limit=50)
                await desk.count_inbox(work)
            took.append((time.perf_counter() - began) * 1000)
        return counted("inbox_page_beside_its_past_p50", statistics.median(took), "ms", limit=20)


async def what_if(rig: Rig, extent: Extent) -> Result:
    """Trying the directory without one office on 100,000 needs, hardly two with the same facts."""
    async with referral(rig) as (opened, look):
        routing = Routing(rules.load(rules.latest()))
        await open_all(opened, routing, list(itertools.islice(people(3), extent.of(40_000, step=BATCH))))
        # The same decisions again for further needs, until there are a hundred thousand.
        await look.execute("SET session_replication_role = replica")
        await look.execute(
            "INSERT INTO referrals (referral_id, case_id, need, state, version, restricted, regency, port, sex,"
            " age_band, onward_wish, arrived_at, opened_at, explanation) SELECT md5('w' || n || r.referral_id)::uuid,"
            " md5('wc' || n || r.referral_id)::uuid, need, 'open', 1, restricted, regency, port, sex, age_band,"
            " onward_wish, arrived_at, opened_at, explanation FROM referrals r, generate_series(1, 2) AS n"
            " LIMIT $1::integer",
            extent.of(60_000),
        )
        began = time.perf_counter()
        async with opened.work(CONSUMER, purpose="what_if") as work:
            past, found = await trying.read_past(work, since=None, until=None, port=None)
        trial = Trial(apart=True)
        active = rules.load(rules.latest())
        routers = Router(active, found), Router(active, trying.without(found, ["DINSOS-73.06"]))
        async for _ in trying.try_out(past, trial, before=routers[0], after=routers[1]):
            pass
        trial.published()
        seconds = time.perf_counter() - began
        note(f"{trial.needs:,} needs by {len(past):,} decisions: {seconds:.1f} s")
        return counted("what_if_on_100000_needs", seconds, "s", limit=60)


async def fill(look: asyncpg.Connection, count: int, agency: str = "AGENCY-01") -> None:
    """So many needs that were met, with their one attempt, and a few that wait."""
    await look.execute("SET session_replication_role = replica")  # the needs refer to no explanation
    await look.execute(
        "INSERT INTO referrals (referral_id, case_id, need, state, version, restricted, regency, port, sex, age_band,"
        " onward_wish, arrived_at, opened_at, explanation, outcome, ended_at, closed_by) SELECT md5(n::text)::uuid,"
        " md5('case' || n)::uuid, 'WAGE', 'fulfilled', 3, FALSE, '73.' || lpad((n % 24 + 1)::text, 2, '0'), 'NNK', 'F',"
        " 'adult', 'go_home', now(), now(), '', 'SERVICE_DELIVERED', now(), 'w'"
        " FROM generate_series(1, $1::integer) AS n",
        count,
    )
    await look.execute(
        "INSERT INTO assignments (assignment_id, referral_id, attempt, agency_id, state, version, service_hours,"
        " sent_at, answer_due_at, service_due_at, answered_at, answered_by, ended_at, outcome)"
        " SELECT md5('a' || n)::uuid, md5(n::text)::uuid, 1, $2, 'completed', 3, 24, now(), now(), now(), now(), 'w',"
        " now() - n * interval '1 second', 'SERVICE_DELIVERED' FROM generate_series(1, $1::integer) AS n",
        count,
        agency,
    )
    await look.execute("VACUUM ANALYZE referrals, assignments")
