"""A supervisor's view of the own region: the live requests, what is with whom and until when."""

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Response
from fastapi import Request as HttpRequest

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

Supervisor = Annotated[Actor, Depends(require(*policy.SUPERVISORS))]

MOST_ROWS = 500


@router.get("/requests")
async def get_requests(
    request: HttpRequest,
    actor: Supervisor,
    need: NeedCode | None = None,
    state: assignments.State | None = None,
    regency: RegencyCode | None = None,
    limit: Annotated[int, Query(ge=1, le=MOST_ROWS)] = 100,
    after: Annotated[str, Query(pattern=desk.PLACE)] = "",
) -> Response:
    """What is with whom in your region, the soonest due first; without restricted needs, which the case team knows.

    `clock`: what the time until `due_at` is for. `next` is the `after` of the next page.
    """
    wanted = Wanted(need, state, regency)
    async with request.app.state.database.work(actor, purpose="look") as work:
        found = await watching.list_requests(work, wanted, after=after, limit=limit)
        now = work.now
    return json_response(
        {
            "items": [_shown(one) for one in found],
            "next": found[-1].place if len(found) == limit else None,
            "now": now.isoformat(),
        }
    )


def _shown(one: Request) -> dict[str, Any]:
    return asdict(one) | {"clock": one.clock}
