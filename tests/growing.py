"""What a statement reads of a table that has grown since the statement was planned.

A connection keeps the plan of a statement for some minutes. Made while a table was empty, it may walk an index from end
to end, a partial one above all: that costs nothing then, and later as much as there is.
"""

from collections.abc import Awaitable, Callable

from shared.kit.actor import Actor
from shared.kit.database import Database
from shared.kit.work import Work

Ask = Callable[[Work], Awaitable[object]]

PLANNED = 7
"""How often a statement is asked before its plan stays: five times it is planned for what is asked."""
READ = (
    "SELECT coalesce(sum(pg_stat_get_xact_tuples_returned(t.oid)), 0)::bigint FROM ("
    " SELECT $1::text::regclass::oid AS oid UNION ALL SELECT indexrelid FROM pg_index"
    " WHERE indrelid = $1::text::regclass) t"
)
"""Entries of the indexes of a table, and rows that no index led to, that a connection has read."""


async def read(database: Database, actor: Actor, table: str, ask: Ask) -> int:
    """How much of a table is read to answer this."""
    async with database.work(actor, purpose="count") as work:
        before: int = await work.connection.fetchval(READ, table)
        await ask(work)
        after: int = await work.connection.fetchval(READ, table)
    return after - before


async def plan(database: Database, actor: Actor, *asks: Ask) -> None:
    """Let the plans of these stay as they are now."""
    for ask in asks * PLANNED:
        async with database.work(actor, purpose="count") as work:
            await ask(work)
