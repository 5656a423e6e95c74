"""Corrections of an identity: asked for, listed, looked at and decided."""

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, ConfigDict, StringConstraints, model_validator

from services.intake import policy
from services.intake.actions import corrections
from services.intake.api.erasures import Reference
from services.intake.api.keyed import once
from services.intake.domain.cells import BadCell
from services.intake.domain.corrections import RejectReason
from services.intake.domain.problems import CELL_PROBLEMS
from services.intake.store.corrections import Correction
from shared.contracts.fact import Code, Id, Identifying
from shared.kit import identity, web, words
from shared.kit.actor import Actor
from shared.kit.database import Database
from shared.kit.words import msg
from shared.kit.work import Work

router = APIRouter(tags=["personal data"])

Protector = Annotated[Actor, Depends(identity.require(policy.PROTECTION_ROLE))]
Decider = Annotated[Actor, Depends(identity.require_recent(policy.PROTECTION_ROLE))]
Requester = Annotated[Actor, Depends(identity.require(policy.PROTECTION_ROLE, "port_officer"))]

MOST_CORRECTIONS = 500


class CorrectionIn(BaseModel):
    """What a field of the identity is to become; empty to take it away. The value is sealed before it is stored."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    field: Code
    value: Annotated[str, StringConstraints(strip_whitespace=True, max_length=200), Identifying()]
    reference: Reference


class DecisionIn(BaseModel):
    """`reason` is for a rejection alone. `seen`: as the correction had it when looked at; null: nobody looked."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    decision: Literal["accepted", "rejected"]
    reason: RejectReason | None = None
    seen: Annotated[str, StringConstraints(pattern="^[0-9a-f]{32}$")] | None = None

    @model_validator(mode="after")
    def _says_why(self) -> "DecisionIn":
        if (self.decision == "rejected") != (self.reason is not None):
            raise ValueError(msg("A rejection needs a reason, an acceptance has none."))
        return self


class CorrectionOut(BaseModel):
    """A correction without its value. `overdue`: it should have been decided by now."""

    correction_id: str
    case_id: str
    field: str
    reference: str
    requested_by: str
    requested_at: datetime
    decide_by: datetime
    decision: str | None
    reason: RejectReason | None
    decided_by: str | None
    decided_at: datetime | None
    overdue: bool


class CorrectionsOut(BaseModel):
    """What is to be decided, the longest due first."""

    items: list[CorrectionOut]


class ProposalOut(CorrectionOut):
    """A correction with what the field says now and what it is to say.

    Who accepts it hands `seen` back: it is refused where the field says something else by then.
    """

    now: Annotated[str, Identifying()]
    proposed: Annotated[str, Identifying()]
    seen: str


@router.post(
    "/api/cases/{case_id}/corrections",
    status_code=201,
    response_model=CorrectionOut,
    summary="Ask for a correction",
    openapi_extra=web.KEYED,
)
async def request_correction(request: Request, case_id: Id, sent: CorrectionIn, actor: Requester) -> Response:
    """Ask that a field of an identity be corrected; it is decided within 72 hours. Needs the header Idempotency-Key."""
    vault = request.app.state.vault

    async def act(work: Work) -> Response:
        try:
            new = await corrections.request_correction(
                work, vault, case_id, field=sent.field, value=sent.value, reference=sent.reference
            )
        except BadCell as bad:
            raise unfit(request, "/value", bad) from None
        return web.json_response(_correction(new, work.now), 201)

    return await once(request, actor, act, purpose="correct", names=True)


@router.get("/api/corrections", response_model=CorrectionsOut, summary="Corrections to be decided")
async def list_corrections(request: Request, actor: Protector) -> Response:
    """The longest due first, without their values."""
    database: Database = request.app.state.database
    async with database.work(actor, purpose="correct") as work:
        found = await corrections.list_undecided(work, limit=MOST_CORRECTIONS)
        now = work.now
    return web.json_response({"items": [_correction(one, now) for one in found]})


@router.get("/api/corrections/{correction_id}", response_model=ProposalOut, summary="What a correction would change")
@web.reads_people
async def show_correction(request: Request, correction_id: Id, actor: Decider) -> Response:
    """The field as it is and as it is to be, on the trail first. Needs a log-in of the last five minutes."""
    database: Database = request.app.state.database
    async with database.work(actor, purpose="correct") as work:
        looked = await corrections.read_proposal(work, request.app.state.vault, correction_id)
        now = work.now
    values = {name: getattr(looked, name) for name in ("now", "proposed", "seen")}
    return web.json_response({**_correction(looked.correction, now), **values})


@router.post(
    "/api/corrections/{correction_id}/decision",
    status_code=204,
    summary="Decide a correction",
    openapi_extra=web.KEYED,
)
async def decide(request: Request, correction_id: Id, sent: DecisionIn, actor: Decider) -> Response:
    """Accept or reject. Who had been shown the identity is told to read it again. Needs the header Idempotency-Key."""

    async def act(work: Work) -> Response:
        if sent.reason is None:
            await corrections.accept_correction(work, request.app.state.vault, correction_id, seen=sent.seen)
        else:
            await corrections.reject_correction(work, correction_id, reason=sent.reason)
        return Response(status_code=204)

    return await once(request, actor, act, purpose="correct")


def unfit(request: Request, field: str, bad: BadCell) -> web.Invalid:
    """The refusal of a value in the reader's words."""
    message, remedy = (words.translate(web.language_of(request), text) for text in CELL_PROBLEMS[bad.code])
    return web.Invalid([web.FieldProblem(field, message, remedy)])


def _correction(one: Correction, now: datetime) -> dict[str, Any]:
    names = [name for name in CorrectionOut.model_fields if name != "overdue"]
    overdue = one.decision is None and one.decide_by < now
    return {**{name: getattr(one, name) for name in names}, "overdue": overdue}
