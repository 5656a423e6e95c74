"""Statements on `restricted_needs`: which needs that notify knows of the case team alone may know by now."""

from collections.abc import Mapping
from datetime import datetime

from shared.kit.work import Work

Need = tuple[str, str]
"""A case and one of its needs."""


async def keep(work: Work, said: Mapping[Need, bool]) -> None:
    """Write down which of these needs are restricted, and which are not any more.

    Of what no subscriber was ever to be told nothing is kept: not even that it exists.
    """
    # unscoped: what the service itself has heard
    await work.connection.execute(
        """
        WITH said AS (
            SELECT * FROM unnest($1::uuid[], $2::text[], $3::boolean[]) AS s (case_id, need, restricted)
        ), opened AS (
            DELETE FROM restricted_needs n USING said s
            WHERE n.case_id = s.case_id AND n.need = s.need AND NOT s.restricted
        )
        INSERT INTO restricted_needs (case_id, need, since)
        SELECT s.case_id, s.need, $4 FROM said s
        WHERE s.restricted
            AND EXISTS (SELECT FROM deliveries d WHERE d.case_id = s.case_id AND d.need = s.need AND NOT d.test)
        ON CONFLICT DO NOTHING
        """,
        [case_id for case_id, _ in said],
        [need for _, need in said],
        list(said.values()),
        work.now,
    )


async def list_since(work: Work, since: datetime) -> list[Need]:
    """Those that have been since then. # unscoped: the clock acts for all organisations"""
    rows = await work.connection.fetch("SELECT case_id::text, need FROM restricted_needs WHERE since >= $1", since)
    return [(row["case_id"], row["need"]) for row in rows]


async def is_restricted(work: Work, case_id: str, need: str) -> bool:
    """True for what the case team alone may know by now. # unscoped: of a notice found as the own"""
    found: bool = await work.connection.fetchval(
        "SELECT EXISTS (SELECT FROM restricted_needs WHERE case_id = $1 AND need = $2)", case_id, need
    )
    return found
