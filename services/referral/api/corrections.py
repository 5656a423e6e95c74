"""Origins that were corrected, for the offices for returns of the port and of both origins."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BaseModel

from services.referral import policy
from services.referral.store import corrections
from shared.contracts.codes import CorrectionReason
from shared.contracts.fact import Id, RegencyCode
from shared.kit.actor import Actor
from shared.kit.identity import require
from shared.kit.web import json_response

router = APIRouter()

Worker = Annotated[Actor, Depends(require(*policy.WORKERS))]

MOST_ROWS = 500


class ShownOrigin(BaseModel):
    """`was` and `became` null: nobody knew, or knows. `assignment_id`: your office's latest attempt at the case."""

    case_id: Id
    version: int
    port: str
    was: RegencyCode | None
    became: RegencyCode | None
    reason: CorrectionReason
    corrected_at: datetime
    assignment_id: Id | None


class ShownOrigins(BaseModel):
    items: list[ShownOrigin]


@router.get("/origin-corrections", response_model=ShownOrigins)
async def get_origin_corrections(
    request: Request, actor: Worker, limit: Annotated[int, Query(ge=1, le=MOST_ROWS)] = 100
) -> Response:
    """Who of your province comes from elsewhere than was recorded, or the other way round; the latest first."""
    async with request.app.state.database.work(actor, purpose="look") as work:
        found = await corrections.list_notices(work, limit)
    return json_response({"items": [one._asdict() for one in found]})
