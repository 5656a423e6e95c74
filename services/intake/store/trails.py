"""What the journal says of a person's cases: the trail of processing that the person may see."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import orjson

from shared.kit.work import Work

MOST_STEPS = 5_000


class Step(NamedTuple):
    """One thing that was done with the data, by which organisation and what for."""

    case_id: str
    at: datetime
    type: str
    organisation: str
    purpose: str
    facts: Mapping[str, Any]


async def list_steps(work: Work, case_ids: Sequence[str]) -> list[Step]:
    """Everything that intake did with these cases, in order.

    # unscoped: for the person the cases are about, handed out by the officer for the protection of data.
    """
    rows = await work.connection.fetch(
        "SELECT case_id, occurred_at, type, payload FROM journal WHERE case_id = ANY($1::uuid[])"
        " ORDER BY case_id, case_seq LIMIT $2",
        case_ids,
        MOST_STEPS,
    )
    steps = []
    for row in rows:
        told = orjson.loads(row["payload"])
        step = Step(
            str(row["case_id"]), row["occurred_at"], row["type"], told["organisation"], told["purpose"], told["data"]
        )
        steps.append(step)
    return steps
