"""The directory of agencies, and the figures."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response

from services.referral import policy
from services.referral.actions import looking
from services.referral.store import agencies
from shared.kit.actor import Actor
from shared.kit.identity import require
from shared.kit.web import json_response

router = APIRouter()

Watcher = Annotated[Actor, Depends(require(*policy.WATCHERS))]
Anybody = Annotated[Actor, Depends(require(*policy.ANYBODY))]

KIND = r"^[A-Z0-9-]{1,32}$"
AGENCY = r"^[A-Z0-9.-]{0,64}$"


@router.get("/agencies")
async def get_agencies(
    request: Request,
    actor: Anybody,
    kind: Annotated[str | None, Query(pattern=KIND)] = None,
    region: Annotated[str | None, Query(pattern=r"^[0-9]{2}(\.[0-9]{2})?$")] = None,
    limit: Annotated[int, Query(ge=1, le=5000)] = 1000,
    after: Annotated[str, Query(pattern=AGENCY)] = "",
) -> Response:
    """The directory by id; `region` a province with its regencies, or one regency."""
    async with request.app.state.database.work(actor, purpose="look") as work:
        found = await agencies.list_agencies(work, kind=kind, region=region, after=after, limit=limit)
    return json_response({"items": found, "next": found[-1].agency_id if len(found) == limit else None})


@router.get("/figures")
async def get_figures(request: Request, actor: Watcher) -> Response:
    """How many referrals and attempts, by state, province, need and agency. No case is in it.

    Rounded to `rounded_to`; a number below `fewest` is null, and a line with so small a total is left out. Restricted
    needs stand together in the lines called `restricted`, and are in the totals once they are not too few to be shown
    there. Only the services themselves see exact numbers.
    """
    async with request.app.state.database.work(actor, purpose="look") as work:
        return json_response(await looking.take_figures(work))


@router.get("/gaps")
async def get_gaps(request: Request, actor: Watcher) -> Response:
    """Needs that nobody serves, by regency and need: `total`, `since` when the oldest waits, and `tried_in` which state
    of the directory somebody was looked for last. Each closes itself, and is routed, when a service appears.

    Rounded as the figures are; restricted needs stand together in the line called `restricted`. A supervisor finds the
    needs of the own region one by one at `GET /api/tasks`.
    """
    async with request.app.state.database.work(actor, purpose="look") as work:
        return json_response({"items": await looking.take_gaps(work), "now": work.now.isoformat()})
