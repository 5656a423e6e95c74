"""The table of the versions of the rules."""

from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from services.referral.domain.rulesets import SHIPPED, RuleSet
from shared.kit.work import Work

NAMES = tuple(field.name for field in fields(RuleSet))
COLUMNS = ", ".join(NAMES)


@dataclass(frozen=True, slots=True)
class Active:
    version: str
    since: datetime


async def find_active(work: Work) -> Active | None:
    """The version in force; None before one was entered. # unscoped: rules are public to every signed-in actor"""
    row = await work.connection.fetchrow("SELECT version, activated_at FROM rule_sets WHERE state = 'active'")
    return None if row is None else Active(*row)


async def find_body(work: Work, version: str) -> bytes | None:
    """The JDM of a version. # unscoped: as above"""
    found: bytes | None = await work.connection.fetchval("SELECT body FROM rule_sets WHERE version = $1", version)
    return found


async def list_rule_sets(work: Work) -> list[RuleSet]:
    """All versions, the latest first. # unscoped: as above"""
    rows = await work.connection.fetch(f"SELECT {COLUMNS} FROM rule_sets ORDER BY drafted_at DESC, version DESC")  # noqa: S608
    return [_rule_set(row) for row in rows]


async def lock_rule_sets(work: Work) -> dict[str, RuleSet]:
    """All versions, for this work alone to change."""
    await work.connection.execute("LOCK TABLE rule_sets IN EXCLUSIVE MODE")
    return {found.version: found for found in await list_rule_sets(work)}


async def add_rule_set(work: Work, added: RuleSet, body: bytes) -> bool:
    """Enter a version; False when there is one of this name, or that says the same."""
    done: str = await work.connection.execute(
        f"INSERT INTO rule_sets ({COLUMNS}, body)"  # noqa: S608 - column names of our own dataclass
        f" VALUES ({', '.join(f'${n}' for n in range(1, len(NAMES) + 2))}) ON CONFLICT DO NOTHING",
        *(getattr(added, name) for name in NAMES),
        body,
    )
    return done.endswith(" 1")


async def enter_shipped(work: Work, version: str, body: bytes) -> None:
    """Enter the version that comes with the product: in force when no other is, else as a draft."""
    await work.connection.execute(
        "INSERT INTO rule_sets"
        " (version, state, digest, drafted_by, drafted_at, tried_at, activated_by, activated_at, body)"
        " SELECT $1, CASE WHEN f.free THEN 'active' ELSE 'draft' END, sha256($2), $3::text, n.now,"
        "  CASE WHEN f.free THEN n.now END, CASE WHEN f.free THEN $3::text END, CASE WHEN f.free THEN n.now END, $2"
        " FROM (SELECT NOT EXISTS (SELECT FROM rule_sets WHERE state = 'active') AS free) f,"
        " (SELECT $4::timestamptz AS now) n ON CONFLICT DO NOTHING",
        version,
        body,
        SHIPPED,
        work.now,
    )


async def update_rule_set(work: Work, changed: RuleSet) -> None:
    """Write how far a version has come."""
    await work.connection.execute(
        "UPDATE rule_sets SET state = $2, tried_at = $3, asked_by = $4, asked_at = $5, activated_by = $6,"
        " activated_at = $7, retired_at = $8 WHERE version = $1",
        changed.version,
        changed.state,
        changed.tried_at,
        changed.asked_by,
        changed.asked_at,
        changed.activated_by,
        changed.activated_at,
        changed.retired_at,
    )


def _rule_set(row: Any) -> RuleSet:
    return RuleSet(**{**row, "digest": bytes(row["digest"])})
