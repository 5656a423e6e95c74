"""Erasing a person, and what became of the copies of those who had been shown the identity."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BaseModel, ConfigDict, StringConstraints

from services.intake import policy
from services.intake.actions import erasures
from services.intake.actions.erasures import HeldByLaw
from services.intake.domain.erasures import Confirmation, Reason, Receipt
from services.intake.domain.holds import Hold
from services.intake.domain.references import LONGEST
from services.intake.domain.refusals.arrivals import CaseUnknown
from shared.contracts.fact import Id
from shared.kit import identity, web
from shared.kit.actor import Actor
from shared.kit.database import Database

router = APIRouter(tags=["personal data"])

Protector = Annotated[Actor, Depends(identity.require(policy.PROTECTION_ROLE))]
Eraser = Annotated[Actor, Depends(identity.require_recent(policy.PROTECTION_ROLE))]

MOST_RECEIPTS = 200

Reference = Annotated[str, StringConstraints(strip_whitespace=True, max_length=LONGEST)]


class ErasureIn(BaseModel):
    """`reference` is the number of the request or order, like PPID/2026/0113; never a name."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    reason: Reason
    reference: Reference


class RecipientOut(BaseModel):
    """An agency that had been shown the identity of a case. `overdue`: it has not confirmed in time."""

    case_id: str
    agency_id: str
    state: Confirmation
    confirmed_at: datetime | None
    overdue_at: datetime | None


class ReceiptOut(BaseModel):
    """What an erasure leaves behind. `outstanding`: how many agencies have not confirmed that their copy is gone."""

    case_ids: list[str]
    reason: Reason
    reference: str
    erased_by: str
    erased_at: datetime
    confirm_by: datetime
    recipients: list[RecipientOut]
    outstanding: int


class ReceiptsOut(BaseModel):
    """`next` is the `after` of the next page; None on the last."""

    items: list[ReceiptOut]
    next: str | None


@router.post(
    "/api/cases/{case_id}/erasure",
    response_model=ReceiptOut,
    summary="Erase a person",
    openapi_extra=web.KEYED,
    responses={409: {"description": "A legal hold stands on this person, or a list has a row that may be it"}},
)
async def erase_person(request: Request, case_id: Id, sent: ErasureIn, actor: Eraser) -> Response:
    """Destroy the key of a case's person for good. Whoever had been shown the identity is asked to erase the copy.

    Needs a log-in of the last five minutes and the header Idempotency-Key. Who was erased before stays so, and the
    first receipt is the answer.
    """
    await web.key_of(request)
    database: Database = request.app.state.database
    async with database.work(actor, purpose="erase") as work:
        done = await erasures.erase_person(
            work, request.app.state.vault, case_id, reason=sent.reason, reference=sent.reference
        )
    if isinstance(done, Hold):
        raise HeldByLaw(web.language_of(request), done)
    return web.json_response(_receipt(done))


@router.get("/api/cases/{case_id}/erasure", response_model=ReceiptOut, summary="The receipt of an erasure")
async def show_erasure(request: Request, case_id: Id, actor: Protector) -> Response:
    """Who erased the person of a case, why, and which agencies have confirmed that their copy is gone."""
    database: Database = request.app.state.database
    async with database.work(actor, purpose="protect") as work:
        receipt = await erasures.find_receipt(work, case_id)
    if receipt is None:
        raise CaseUnknown
    return web.json_response(_receipt(receipt))


@router.get("/api/erasures", response_model=ReceiptsOut, summary="All erasures, the latest first")
async def list_erasures(
    request: Request,
    actor: Protector,
    after: Annotated[Id | None, Query(description="The `next` of the page before")] = None,
    limit: Annotated[int, Query(ge=1, le=MOST_RECEIPTS)] = 50,
) -> Response:
    """Receipts of erasures."""
    database: Database = request.app.state.database
    async with database.work(actor, purpose="protect") as work:
        found, next_ = await erasures.list_receipts(work, after=after, limit=limit)
    return web.json_response({"items": [_receipt(one) for one in found], "next": next_})


def _receipt(receipt: Receipt) -> dict[str, Any]:
    return {
        "case_ids": receipt.case_ids,
        "reason": receipt.reason,
        "reference": receipt.reference,
        "erased_by": receipt.erased_by,
        "erased_at": receipt.erased_at,
        "confirm_by": receipt.confirm_by,
        "recipients": [
            {
                "case_id": one.case_id,
                "agency_id": one.agency_id,
                "state": one.state,
                "confirmed_at": one.confirmed_at,
                "overdue_at": one.overdue_at,
            }
            for one in receipt.recipients
        ],
        "outstanding": receipt.outstanding,
    }
