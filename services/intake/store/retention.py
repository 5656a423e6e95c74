"""What has reached its period, and the reports of what was removed. Run by the clock, for all ports.

# unscoped: a period ends wherever somebody landed.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from services.intake.domain.retention import VICTIM_NEEDS, Kind, Report, Rule, first_id_at
from services.intake.store.persons import Person
from shared.kit.ids import new_id
from shared.kit.work import Work

DUE = """
FROM arrivals a JOIN person_keys k USING (person_id)
WHERE a.recorded_at < $1 AND ($2::uuid IS NULL OR a.case_id > $2::uuid) AND a.age_band = ANY($3::text[])
    AND ($4::boolean IS NULL OR (a.needs && $5::text[]) = $4::boolean)
    AND NOT EXISTS (
        SELECT FROM unnest(a.needs) AS n (need) LEFT JOIN referred_needs r ON r.case_id = a.case_id AND r.need = n.need
        WHERE r.ended_at IS NULL OR r.ended_at >= $1
    )
    AND ($6::uuid[] IS NULL OR a.case_id = ANY($6::uuid[]))
"""
"""Identities whose people landed before a time, for whom every need has been taken up and ended before it."""

HELD = "EXISTS (SELECT FROM legal_holds h WHERE h.person_id = a.person_id AND h.lifted_at IS NULL)"


class Due(NamedTuple):
    """A batch of people whose period has ended; `held` of them are kept by a legal hold and are not in `people`."""

    people: Sequence[Person]
    held: int
    last: str | None
    """The case after which to go on; None when there is nothing more."""


async def find_due(work: Work, rule: Rule, *, after: str | None, limit: int, among: Sequence[str] | None = None) -> Due:
    """People whose identity has reached its period; with `among` only those of these cases."""
    rows = await work.connection.fetch(
        f"SELECT a.case_id, a.person_id, {HELD} AS held {DUE} ORDER BY a.case_id LIMIT $7",
        *_of(rule, rule.ends_before(work.now), after, among),
        limit,
    )
    people = [Person(str(row["person_id"]), (str(row["case_id"]),)) for row in rows if not row["held"]]
    last = str(rows[-1]["case_id"]) if len(rows) == limit else None
    return Due(people, len(rows) - len(people), last)


async def count_due(work: Work, rule: Rule, *, by: datetime) -> tuple[int, int]:
    """How many identities would go until then, and how many a legal hold would keep."""
    row = await work.connection.fetchrow(
        f"SELECT count(*) FILTER (WHERE NOT {HELD}) AS due, count(*) FILTER (WHERE {HELD}) AS held {DUE}",
        *_of(rule, rule.ends_before(by)),
    )
    return (0, 0) if row is None else (row["due"], row["held"])


DRAFTS_DUE = (
    "FROM drafts d WHERE d.ended_at IS NULL AND d.changed_at < $1 AND NOT (d.form = 'carried' AND EXISTS"
    " (SELECT FROM voyages v WHERE v.voyage_id = d.voyage_id AND v.expected_at >= $1))"
)
"""Lists that nobody has touched since then; those of who rolls over are counted from when the voyage is expected."""

REPEATS_DUE = "(kept_on < ($1 AT TIME ZONE 'UTC')::date OR (kept_on IS NULL AND case_id < $2))"
"""Writes that are too old to be repeated, by our clock; of the earliest only the id of the case tells when."""

SWEPT: dict[Kind, str] = {
    "answers": "DELETE FROM answers WHERE (actor, key) IN ("
    " SELECT actor, key FROM answers WHERE created_at < $1 LIMIT $2)",
    "requests": "DELETE FROM requests WHERE (scope, key) IN ("  # noqa: S608 - a constant
    f" SELECT scope, key FROM requests WHERE {REPEATS_DUE} LIMIT $3)",
    "held_rows": "UPDATE held_rows SET said = '{}', mark = decode(repeat('00', 16), 'hex')"
    " WHERE (manifest_id, row_number) IN (SELECT manifest_id, row_number FROM held_rows"
    " WHERE manifest_id < $1 AND said <> '{}' LIMIT $2)",
    "drafts": f"WITH due AS (SELECT draft_id {DRAFTS_DUE} LIMIT $2),"  # noqa: S608 - a constant
    " rows AS (DELETE FROM draft_blocks WHERE draft_id IN (SELECT draft_id FROM due)),"
    " keys AS (DELETE FROM draft_keys WHERE draft_id IN (SELECT draft_id FROM due))"
    " UPDATE drafts SET state = 'expired', header = '', ended_at = $1::timestamptz + interval '14 days'"
    " WHERE draft_id IN (SELECT draft_id FROM due)",
}
COUNTED: dict[Kind, str] = {
    "answers": "SELECT count(*) FROM answers WHERE created_at < $1",
    "requests": f"SELECT count(*) FROM requests WHERE {REPEATS_DUE}",  # noqa: S608 - a constant
    "held_rows": "SELECT count(*) FROM held_rows WHERE manifest_id < $1 AND said <> '{}'",
    "drafts": f"SELECT count(*) {DRAFTS_DUE}",
}


async def sweep(work: Work, rule: Rule, *, limit: int) -> int:
    """Remove what has reached its period of what is no identity; answers how much."""
    done: str = await work.connection.execute(SWEPT[rule.kind], *_bounds(rule, work.now), limit)
    return int(done.rpartition(" ")[2])


async def count_sweep(work: Work, rule: Rule, *, by: datetime) -> int:
    """How much would be removed until then."""
    counted: int = await work.connection.fetchval(COUNTED[rule.kind], *_bounds(rule, by))
    return counted


async def add_report(work: Work, rule: Rule, *, removed: int, held: int) -> str:
    """Keep what a batch did; answers the report's id."""
    report_id = new_id()
    await work.connection.execute(
        "INSERT INTO retention_reports (report_id, rule, removed, held, reported_at) VALUES ($1, $2, $3, $4, $5)",
        report_id,
        rule.code,
        removed,
        held,
        work.now,
    )
    return report_id


async def list_reports(work: Work, *, limit: int) -> list[Report]:
    """What was removed, day by day and rule by rule, the latest first."""
    rows = await work.connection.fetch(
        "SELECT rule, sum(removed)::bigint AS removed, max(held) AS held, max(reported_at) AS reported_at"
        " FROM retention_reports GROUP BY rule, date_trunc('day', reported_at)"
        " ORDER BY reported_at DESC, rule LIMIT $1",
        limit,
    )
    return [Report(**row) for row in rows]


def _of(
    rule: Rule, before: datetime, after: str | None = None, among: Sequence[str] | None = None
) -> tuple[object, ...]:
    return before, after, list(rule.bands), rule.victims, list(VICTIM_NEEDS), among


def _bounds(rule: Rule, now: datetime) -> tuple[object, ...]:
    """Before when something was kept that has reached its period: the time, the first id of that time, or both."""
    before = rule.ends_before(now)
    if rule.kind == "requests":
        return before, first_id_at(before)
    return (before if rule.kind in ("answers", "drafts") else first_id_at(before),)
