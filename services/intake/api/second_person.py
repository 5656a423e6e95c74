"""What waits for a second person: that a child is of age, that somebody lives who was noted as dead."""

from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from services.intake import policy
from services.intake.actions import ages, deaths
from services.intake.api.arrival_corrections import (
    CONFLICTS,
    DoubtOut,
    ProposalOut,
    StateOut,
    correct,
    doubt_out,
    proposal_out,
)
from services.intake.api.keyed import once
from shared.contracts.fact import Id
from shared.kit import identity, web
from shared.kit.actor import Actor
from shared.kit.database import Database
from shared.kit.work import Work

router = APIRouter(tags=["arrivals"])

Decider = Annotated[Actor, Depends(identity.require("port_officer", policy.SUPERVISOR_ROLE))]

MOST_PROPOSALS = 500


class ConfirmationIn(BaseModel):
    """`version` of the arrival as it was looked at; null: whichever it is."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    version: Annotated[int, Field(ge=1, le=2**31 - 1, strict=True)] | None = None


class ProposalsOut(BaseModel):
    items: list[ProposalOut]


class DoubtsOut(BaseModel):
    items: list[DoubtOut]


@router.get("/api/death-doubts", response_model=DoubtsOut, summary="Deaths that may have been noted wrongly")
async def list_doubts(request: Request, actor: Decider) -> Response:
    """Of the own port, or of the region that the actor supervises; the longest waiting first."""
    database: Database = request.app.state.database
    async with database.work(actor, purpose="correct") as work:
        found = await deaths.list_open(work, limit=MOST_PROPOSALS)
    return web.json_response({"items": [doubt_out(one) for one in found]})


@router.post(
    "/api/death-doubts/{doubt_id}/confirmation",
    response_model=StateOut,
    summary="Confirm that somebody lives",
    openapi_extra=web.KEYED,
    responses=CONFLICTS,
)
async def confirm_doubt(request: Request, doubt_id: Id, sent: ConfirmationIn, actor: Decider) -> Response:
    """By somebody else than who said it. Needs that were met stay met; whoever answers for whom is linked anew."""
    return await correct(request, actor, lambda work: deaths.confirm(work, doubt_id, version=sent.version))


@router.post(
    "/api/death-doubts/{doubt_id}/refusal",
    status_code=204,
    summary="Refuse that somebody lives, or take it back",
    openapi_extra=web.KEYED,
)
async def refuse_doubt(request: Request, doubt_id: Id, actor: Decider) -> Response:
    """The death stands as it was noted. Who said otherwise takes it back by this."""
    return await _refuse(request, actor, lambda work: deaths.refuse(work, doubt_id))


@router.get("/api/age-proposals", response_model=ProposalsOut, summary="Ages that wait for a second person")
async def list_proposals(request: Request, actor: Decider) -> Response:
    """Of the own port, or of the region that the actor supervises; the longest waiting first."""
    database: Database = request.app.state.database
    async with database.work(actor, purpose="correct") as work:
        found = await ages.list_open(work, limit=MOST_PROPOSALS)
    return web.json_response({"items": [proposal_out(one) for one in found]})


@router.post(
    "/api/age-proposals/{proposal_id}/confirmation",
    response_model=StateOut,
    summary="Confirm that somebody is of age",
    openapi_extra=web.KEYED,
    responses=CONFLICTS,
)
async def confirm(request: Request, proposal_id: Id, sent: ConfirmationIn, actor: Decider) -> Response:
    """By somebody else than who asked for it; protection as a child ends with it."""
    return await correct(
        request,
        actor,
        lambda work: ages.confirm(work, request.app.state.vault, proposal_id, version=sent.version),
    )


@router.post(
    "/api/age-proposals/{proposal_id}/refusal",
    status_code=204,
    summary="Refuse an age proposal, or take it back",
    openapi_extra=web.KEYED,
)
async def refuse(request: Request, proposal_id: Id, actor: Decider) -> Response:
    """The person stays a child. Who asked for it takes it back by this."""
    return await _refuse(request, actor, lambda work: ages.refuse(work, proposal_id))


async def _refuse(request: Request, actor: Actor, step: Callable[[Work], Awaitable[None]]) -> Response:
    """One keyed refusal of what waits for a second person."""

    async def act(work: Work) -> Response:
        await step(work)
        return Response(status_code=204)

    return await once(request, actor, act, purpose="correct")
