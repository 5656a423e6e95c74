"""What is asked of a case reads no more when the ledger is long."""

from functools import partial

from services.audit import store
from shared.kit.actor import system
from shared.kit.database import Database
from tests import growing

CLOCK = system("audit", "clock")
CASES = 400
ENTRIES = 50


async def test_a_case_is_found_by_the_end_of_its_id_without_the_entries_of_the_others(database: Database) -> None:
    await database.fetch(
        "INSERT INTO leaves (leaf_index, event_id, source, type, case_id, case_seq, occurred_at, commitment, leaf_hash,"
        " salt, payload, received_at)"
        " SELECT row_number() OVER () - 1, gen_random_uuid(), 'intake', 'x', c.id, n, now(),"
        " sha256('c'), sha256('h'), decode(repeat('00', 32), 'hex'), '{}', now()"
        " FROM (SELECT gen_random_uuid() AS id FROM generate_series(1, $1)) c CROSS JOIN generate_series(1, $2) AS n",
        CASES,
        ENTRIES,
    )
    [row] = await database.fetch("SELECT case_id::text FROM leaves LIMIT 1")
    ask = partial(store.find_cases_by_tail, tail=row["case_id"][-10:], limit=2)
    await growing.plan(database, CLOCK, ask)

    assert await growing.read(database, CLOCK, "leaves", ask) <= 2 * (CASES + ENTRIES)
    async with database.work(CLOCK, purpose="look") as work:
        [found] = await ask(work)
    assert (found.case_id, found.entries) == (row["case_id"], ENTRIES)
