"""What is with whom and until when, and what nobody serves: of the own region, or of the country for a coordinator."""

from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Response
from fastapi import Request as HttpRequest
from pydantic import BaseModel

from services.referral import policy
from services.referral.actions import watching
from services.referral.domain import assignments
from services.referral.store import desk
from services.referral.store.requests import Request, Wanted
from shared.contracts.codes import NeedCode
from shared.contracts.fact import RegencyCode
from shared.kit.actor import Actor
from shared.kit.identity import require
from shared.kit.web import json_response

router = APIRouter()

Duty = Annotated[Actor, Depends(require(*policy.DUTY))]

MOST_ROWS = 500


@router.get("/requests")
async def get_requests(
    request: HttpRequest,
    actor: Duty,
    need: NeedCode | None = None,
    state: assignments.State | None = None,
    regency: RegencyCode | None = None,
    limit: Annotated[int, Query(ge=1, le=MOST_ROWS)] = 100,
    after: Annotated[str, Query(pattern=desk.PLACE)] = "",
) -> Response:
    """What is with whom in your region, or in the country for a coordinator, the soonest due first.

    Without restricted needs, which the case team knows.

    `clock`: what the time until `due_at` is for. `next` is the `after` of the next page. `restricted_overdue`: that
    agencies are late with restricted ones, whatever was asked for: how many, and since when the first; of the country
    rounded, without since when.
    """
    wanted = Wanted(need, state, regency)
    async with request.app.state.database.work(actor, purpose="look") as work:
        found = await watching.list_requests(work, wanted, after=after, limit=limit)
        overdue, now = await watching.find_restricted_overdue(work), work.now
    return json_response(
        {
            "items": [_shown(one) for one in found],
            "next": found[-1].place if len(found) == limit else None,
            "restricted_overdue": None if overdue is None else asdict(overdue),
            "now": now.isoformat(),
        }
    )


class Gap(BaseModel):
    """Needs of one kind that nobody serves in one place, for one reason; all that is restricted is one line without."""

    need: str | None
    regency: str | None
    reason: str | None
    total: int
    since: datetime


class Gaps(BaseModel):
    items: list[Gap]
    now: datetime


@router.get("/gaps/open", response_model=Gaps)
async def get_open_gaps(request: HttpRequest, actor: Duty) -> Response:
    """What nobody serves in your region, or in the whole country for a coordinator, the oldest first.

    Exact, since each need that is not restricted is yours to see; the line of all restricted ones is, of the country,
    rounded as the figures are, `since` to the day, and left out when it is small.
    """
    async with request.app.state.database.work(actor, purpose="look") as work:
        found = await watching.list_gaps(work)
        now = work.now
    return json_response({"items": found, "now": now.isoformat()})


def _shown(one: Request) -> dict[str, Any]:
    return asdict(one) | {"clock": one.clock}
