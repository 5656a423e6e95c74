"""Legal holds: place, lift, list."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BaseModel, ConfigDict

from services.intake import policy
from services.intake.actions import holds
from services.intake.api.erasures import Reference
from services.intake.api.keyed import once
from services.intake.domain.holds import Hold, LiftReason, Reason
from shared.contracts.fact import Id
from shared.kit import identity, web
from shared.kit.actor import Actor
from shared.kit.database import Database
from shared.kit.work import Work

router = APIRouter(tags=["personal data"])

Protector = Annotated[Actor, Depends(identity.require(policy.PROTECTION_ROLE))]
Lifter = Annotated[Actor, Depends(identity.require_recent(policy.PROTECTION_ROLE))]

MOST_HOLDS = 200


class HoldIn(BaseModel):
    """`reference` is the number of the order or file, like PN-JKT/112/2026; never a name."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    reason: Reason
    reference: Reference


class LiftIn(BaseModel):
    """Why a hold ends."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    reason: LiftReason


class HoldOut(BaseModel):
    """`lifted_at` is None while it stands."""

    hold_id: str
    case_id: str
    reason: Reason
    reference: str
    placed_by: str
    placed_at: datetime
    lifted_by: str | None
    lifted_at: datetime | None
    lift_reason: LiftReason | None


class HoldsOut(BaseModel):
    """`next` is the `after` of the next page; None on the last."""

    items: list[HoldOut]
    next: str | None


@router.post(
    "/api/cases/{case_id}/holds",
    status_code=201,
    response_model=HoldOut,
    summary="Place a legal hold",
    openapi_extra=web.KEYED,
)
async def place_hold(request: Request, case_id: Id, sent: HoldIn, actor: Protector) -> Response:
    """Keep the person of a case from being erased. Needs the header Idempotency-Key."""

    async def act(work: Work) -> Response:
        hold = await holds.place_hold(work, case_id, reason=sent.reason, reference=sent.reference)
        return web.json_response(_hold(hold), 201)

    return await once(request, actor, act, purpose="protect")


@router.post("/api/holds/{hold_id}/lift", response_model=HoldOut, summary="Lift a hold", openapi_extra=web.KEYED)
async def lift_hold(request: Request, hold_id: Id, sent: LiftIn, actor: Lifter) -> Response:
    """End a legal hold. Needs a log-in of the last five minutes and the header Idempotency-Key."""

    async def act(work: Work) -> Response:
        return web.json_response(_hold(await holds.lift_hold(work, hold_id, reason=sent.reason)))

    return await once(request, actor, act, purpose="protect")


@router.get("/api/holds", response_model=HoldsOut, summary="Legal holds that stand")
async def list_holds(
    request: Request,
    actor: Protector,
    after: Annotated[Id | None, Query(description="The `next` of the page before")] = None,
    limit: Annotated[int, Query(ge=1, le=MOST_HOLDS)] = 50,
) -> Response:
    """In the order they were placed."""
    database: Database = request.app.state.database
    async with database.work(actor, purpose="protect") as work:
        found, next_ = await holds.list_holds(work, after=after, limit=limit)
    return web.json_response({"items": [_hold(one) for one in found], "next": next_})


def _hold(hold: Hold) -> dict[str, Any]:
    return {name: getattr(hold, name) for name in HoldOut.model_fields}
