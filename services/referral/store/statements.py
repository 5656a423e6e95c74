"""Statements of refusal: written once, read with the need."""

from collections.abc import Mapping, Sequence
from dataclasses import fields
from operator import attrgetter
from typing import Any

from services.referral.domain.statements import Statement
from shared.kit.work import Work

NAMES = tuple(field.name for field in fields(Statement))
PLAIN = tuple(name for name in NAMES if name != "explained")


async def add_statements(work: Work, statements: Sequence[Statement]) -> None:
    """Write these down."""
    await work.connection.execute(
        f"INSERT INTO refusal_statements ({', '.join(PLAIN)}, explained, recorded_at)"  # noqa: S608 - field names
        f" SELECT {', '.join(PLAIN)}, string_to_array(explained, ' '), $14 FROM unnest($1::uuid[], $2::text[],"
        " $3::uuid[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[], $10::text[],"
        f" $11::timestamptz[], $12::timestamptz[], $13::text[]) AS n ({', '.join(PLAIN)}, explained)",
        *zip(*map(attrgetter(*PLAIN), statements), strict=True),
        [" ".join(one.explained) for one in statements],
        work.now,
    )


async def find_statements(work: Work, referral_ids: Sequence[str]) -> dict[str, list[Statement]]:
    """The statements about these needs, first to last. # unscoped: the caller has found the needs as its own"""
    rows = await work.connection.fetch(
        f"SELECT {', '.join(NAMES)} FROM refusal_statements WHERE referral_id = ANY($1::uuid[])"  # noqa: S608
        " ORDER BY recorded_at, number",
        referral_ids,
    )
    found: dict[str, list[Statement]] = {}
    for row in rows:
        statement = _statement(row)
        found.setdefault(statement.referral_id, []).append(statement)
    return found


def _statement(row: Mapping[str, Any]) -> Statement:
    ids = {name: str(row[name]) for name in ("referral_id", "case_id")}
    return Statement(**{**row, **ids, "explained": tuple(row["explained"])})
