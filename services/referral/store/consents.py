"""What was said of handing cases on: written once, in the order of the sender, and read whole, case by case."""

from collections.abc import Mapping, Sequence
from dataclasses import fields
from operator import attrgetter
from typing import Any

from services.referral.domain.consents import Consents, Said
from shared.kit.work import Work

NAMES = tuple(field.name for field in fields(Said))
PLAIN = tuple(name for name in NAMES if name != "needs")


async def add_said(work: Work, said: Sequence[Said]) -> None:
    """Write these down; what is there already stays.

    The needs travel joined: arrays of arrays have to be of one length.
    """
    await work.connection.execute(
        f"INSERT INTO consents ({', '.join(PLAIN)}, needs)"  # noqa: S608 - field names
        f" SELECT {', '.join(PLAIN)}, string_to_array(needs, ' ') FROM unnest($1::uuid[], $2::integer[], $3::text[],"
        " $4::uuid[], $5::text[], $6::timestamptz[], $7::text[], $8::timestamptz[], $9::text[], $10::text[],"
        f" $11::text[], $12::text[]) AS n ({', '.join(PLAIN)}, needs) ON CONFLICT DO NOTHING",
        *zip(*map(attrgetter(*PLAIN), said), strict=True),
        [" ".join(one.needs) for one in said],
    )


async def find_consents(work: Work, case_ids: Sequence[str]) -> dict[str, Consents]:
    """What was said of each of these cases. # unscoped: the caller has found the cases through something of its own"""
    rows = await work.connection.fetch(
        f"SELECT {', '.join(NAMES)} FROM consents WHERE case_id = ANY($1::uuid[]) ORDER BY case_id, seq",  # noqa: S608
        case_ids,
    )
    found: dict[str, list[Said]] = {case_id: [] for case_id in case_ids}
    for row in rows:
        said = _said(row)
        found[said.case_id].append(said)
    return {case_id: Consents(tuple(said)) for case_id, said in found.items()}


def _said(row: Mapping[str, Any]) -> Said:
    ids = {name: str(row[name]) for name in ("case_id", "said_id")}
    return Said(**{**row, **ids, "needs": tuple(row["needs"])})
