"""Finding people again among many: how long it takes to look for one who landed, and what is kept of each for it.

The people are those of the labelled set (tests/intake/matching_set.py). Its names come from few words, so that more
share a key than would in life.
"""

import statistics
import time
from collections.abc import Sequence
from contextlib import aclosing
from datetime import UTC, datetime

import asyncpg

from services.intake.actions.arrivals import Submitted, record_arrivals, seal_arrival
from services.intake.actions.comparing import compare_new, look_up
from services.intake.actions.telling import Telling
from services.intake.clock import COMPARED_AT_ONCE
from services.intake.domain.arrivals import Arrival
from services.intake.domain.matching.blocks import keys_of
from services.intake.store import match_keys
from services.intake.store.vault import Keyring, Vault
from shared.contracts import codes
from shared.kit.actor import Actor, system
from shared.kit.database import Database, connect
from shared.kit.ids import new_id
from tests.benchmarks.harness import Extent, Result, counted, note
from tests.benchmarks.rig import Rig
from tests.intake import matching_set
from tests.intake.matching_set import Written

PEOPLE = 1_000_000
SOUGHT = 2_000
BATCH = 500
LIMIT_MS = 20.0
KEY = bytes(range(32))
PORT = Actor("port-NNK", "port-NNK", frozenset({"port_system"}), kind="client", port="NNK")
CLOCK = system("intake", "clock")
ALIKE = 1.2
"""For each of the set's people there is this many, with those who are like them."""


async def measure(rig: Rig, extent: Extent) -> list[Result]:
    urls, _ = await rig.fresh()
    labelled = matching_set.make(round(extent.of(PEOPLE) / ALIKE), seed=matching_set.HALF_TO_REPORT)
    vault = Vault(Keyring(KEY), KEY)
    database = await connect(urls["intake"].application, service="intake", max_size=2)
    look = await asyncpg.connect(rig.server.url(database="intake"))
    async with aclosing(database):
        who = await fill(database, vault, labelled.earlier)
        await look.execute("VACUUM ANALYZE arrivals, person_keys, match_keys, compared_cases")
        await rig.checkpoint()
        sought = extent.of(SOUGHT)
        later = matching_set.sampled(labelled, 2 * sought).later
        waited, spent, proposed = await seek(database, vault, later[::2])
        rate = await take_up(database, vault, later[1::2])
    kept = await look.fetchval("SELECT pg_total_relation_size('match_keys') + pg_total_relation_size('compared_cases')")
    compared = await look.fetchval(
        "SELECT avg(json_array_length(convert_from(payload, 'UTF8')::json -> 'data' -> 'compared'))"
        " FROM journal WHERE type = 'intake.identities_compared.v1'"
    )
    await look.close()
    recorded = set(who.values())
    returned = sum(one.who in recorded for one in later[::2])
    right = sum(who[case_id] == one.who for one, cases in zip(later[::2], proposed, strict=True) for case_id in cases)
    all_proposed = sum(map(len, proposed))
    cuts = statistics.quantiles(waited, n=100)
    note(f"{len(labelled.earlier):,} people: half found within {cuts[49]:.1f} ms, 95 % within {cuts[94]:.1f} ms")
    note(f"{compared or 0:.0f} compared on average; {kept / len(labelled.earlier):.0f} bytes kept for each")
    return [
        counted("find_again_recall", 100 * right / returned, "%"),
        counted("find_again_precision", 100 * right / all_proposed, "%"),
        counted("find_again_p50", cuts[49], "ms"),
        counted("find_again_p95", cuts[94], "ms", limit=LIMIT_MS),
        counted("find_again_cpu", spent, "ms"),
        counted("find_again_rate", rate, "people/s"),
        counted("find_again_kept", kept / len(labelled.earlier), "bytes/person"),
    ]


async def fill(database: Database, vault: Vault, people: Sequence[Written]) -> dict[str, int]:
    """Record these people and the keys they are found by, comparing nobody; answers who each case is."""
    who: dict[str, int] = {}
    for start in range(0, len(people), BATCH):
        keys = await record(database, vault, people[start : start + BATCH])
        who |= zip(keys, (one.who for one in people[start : start + BATCH]), strict=True)
        async with database.work(CLOCK, purpose="compare") as work:
            await match_keys.add(work, keys)
        if start % (BATCH * 100) == 0:
            note(f"{start:,} of {len(people):,} recorded")
    return who


async def record(database: Database, vault: Vault, people: Sequence[Written]) -> dict[str, set[int]]:
    """The keys of each case that was recorded."""
    now = datetime.now(UTC)
    telling = Telling(PORT)
    new = [
        seal_arrival(
            vault,
            telling,
            Submitted(
                Arrival(one.identity, one.sex, None, one.regency or None),  # type: ignore[arg-type]
                scope=new_id(),
                key=b"1",
                port=codes.ports()["NNK"],
                channel="single",
                arrived_at=now,
            ),
            now,
        )
        for one in people
    ]
    await record_arrivals(database, new)
    return {
        case.case_id: {vault.match_key(key) for key in keys_of(one.features)}
        for case, one in zip(new, people, strict=True)
    }


async def seek(
    database: Database, vault: Vault, people: Sequence[Written]
) -> tuple[list[float], float, list[list[str]]]:
    """Milliseconds to look for each of these people: candidates by key, opened and compared. Nothing is written.

    And how many of them this process had the processor, on average: that does not depend on who else has it;
    and the earlier cases that would be proposed for each of them.
    """
    waited, spent, proposed = [], 0.0, []
    for one in people:
        [case_id] = await record(database, vault, [one])
        async with database.work(CLOCK, purpose="compare") as work:
            cases = await match_keys.find_sealed(work, [case_id])
            began, busy = time.perf_counter(), time.process_time()
            found = await look_up(work, vault, cases, {case_id: one.features})
            waited.append((time.perf_counter() - began) * 1000)
            spent += (time.process_time() - busy) * 1000
        _, pairs = found[case_id]
        proposed.append([pair.earlier_case_id for pair in pairs])
    return waited, spent / len(people), proposed


async def take_up(database: Database, vault: Vault, people: Sequence[Written]) -> float:
    """People a second that intake's clock compares and keeps, in its batches."""
    first = new_id()
    await record(database, vault, people)
    began = time.perf_counter()
    compared, after = 0, first
    while True:
        async with database.work(CLOCK, purpose="compare") as work:
            done = await compare_new(work, vault, after=after, limit=COMPARED_AT_ONCE)
        if done.last is None:
            return compared / (time.perf_counter() - began)
        compared, after = compared + done.compared, done.last
