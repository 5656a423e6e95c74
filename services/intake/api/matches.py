"""Who may have come before: listed, looked at side by side, decided, taken back."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from services.intake import policy
from services.intake.actions import matches as actions
from services.intake.actions.matches import MatchConflict, Side, SideBySide
from services.intake.api.keyed import once
from services.intake.domain.matches import SHOWN, Decision, EndReason, Match, State, Step, Taken, UndoReason, covered
from services.intake.domain.matching.scoring import Strength
from services.intake.domain.refusals.matches import MatchChangedMeanwhile
from shared.contracts.codes import Sex
from shared.contracts.fact import Id, Identifying, RegencyCode
from shared.kit import identity, web
from shared.kit.actor import Actor
from shared.kit.database import Database
from shared.kit.work import Work

router = APIRouter(tags=["earlier returns"])

Officer = Annotated[Actor, Depends(identity.require("port_officer"))]

PER_PAGE = 100
CONFLICTS: dict[int | str, dict[str, Any]] = {
    409: {"description": "Decided meanwhile: the answer says what, by whom and when; or another decision contradicts"}
}


class MatchDecisionIn(BaseModel):
    """`version` is that of the match as it was looked at."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    decision: Decision
    version: Annotated[int, Field(ge=1, le=2**31 - 1, strict=True)]


class UndoingIn(BaseModel):
    """Why a decision is taken back; `version` is that of the match as it was looked at."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    reason: UndoReason
    version: Annotated[int, Field(ge=1, le=2**31 - 1, strict=True)]


class AgreementOut(BaseModel):
    """How far two records agree in a field: a code, `missing` where one does not say it; its weight in bits."""

    field: str
    level: str
    bits: float


class MatchOut(BaseModel):
    """Two cases that may be of one person, in codes; `case_id` landed later. `owner` will decide `later`."""

    match_id: str
    case_id: str
    earlier_case_id: str
    voyage_id: str | None
    strength: Strength
    bits: float
    agreements: list[AgreementOut]
    state: State
    owner: str | None
    version: int
    proposed_at: datetime
    decided_by: str | None
    decided_at: datetime | None


class MatchesOut(BaseModel):
    """What is to be decided, the latest first; `next` is the `after` of the next page."""

    items: list[MatchOut]
    next: str | None


class SideOut(BaseModel):
    """One of the two: what is compared, numbers by their end alone, and the month of landing."""

    case_id: str
    landed: str
    sex: Sex
    origin_regency: RegencyCode | None
    identity: Annotated[dict[str, str], Identifying()]


class MatchStepOut(BaseModel):
    version: int
    decision: Taken
    reason: UndoReason | None
    decided_by: str
    decided_at: datetime


class SideBySideOut(BaseModel):
    """`closed`: one of the two was entered in error after they were decided on; neither side is shown any more.

    The decision can be taken back, and the pair ends by that.
    """

    match: MatchOut
    later: SideOut | None
    earlier: SideOut | None
    history: list[MatchStepOut]
    closed: EndReason | None


@router.get("/api/matches", response_model=MatchesOut, summary="Who may have come before")
async def list_matches(
    request: Request,
    actor: Officer,
    voyage_id: Annotated[Id | None, Query()] = None,
    after: Annotated[Id | None, Query()] = None,
) -> Response:
    """What is to be decided of who landed at the own port, or of one voyage; in codes."""
    database: Database = request.app.state.database
    async with database.work(actor, purpose="look") as work:
        found, following = await actions.list_undecided(work, voyage_id=voyage_id, after=after, limit=PER_PAGE)
    return web.json_response({"items": [_match(one) for one in found], "next": following})


@router.get("/api/matches/{match_id}", response_model=SideBySideOut, summary="Two people side by side")
@web.reads_people
async def show_match(request: Request, match_id: Id, actor: Officer) -> Response:
    """What is compared of both, on the trail of both first."""
    database: Database = request.app.state.database
    async with database.work(actor, purpose="match") as work:
        seen = await actions.read_side_by_side(work, request.app.state.vault, match_id)
    return web.json_response(_side_by_side(seen))


@router.post(
    "/api/matches/{match_id}/decision",
    response_model=MatchOut,
    summary="Decide whether two cases are of one person",
    openapi_extra=web.KEYED,
    responses=CONFLICTS,
)
async def decide(request: Request, match_id: Id, sent: MatchDecisionIn, actor: Officer) -> Response:
    """The same person, different people, or later. Needs the header Idempotency-Key."""

    async def act(work: Work) -> Match:
        return await actions.decide(work, match_id, sent.decision, version=sent.version)

    return await _act(request, actor, act)


@router.post(
    "/api/matches/{match_id}/undo",
    response_model=MatchOut,
    summary="Take a decision back",
    openapi_extra=web.KEYED,
    responses=CONFLICTS,
)
async def take_back(request: Request, match_id: Id, sent: UndoingIn, actor: Officer) -> Response:
    """The two are to be decided on again. Needs the header Idempotency-Key."""

    async def act(work: Work) -> Match:
        return await actions.take_back(work, match_id, reason=sent.reason, version=sent.version)

    return await _act(request, actor, act)


async def _act(request: Request, actor: Actor, act: Callable[[Work], Awaitable[Match]]) -> Response:
    """One decision, once per key; whoever comes second learns who was first."""

    async def answered(work: Work) -> Response:
        return web.json_response(_match(await act(work)))

    try:
        return await once(request, actor, answered, purpose="match")
    except MatchChangedMeanwhile as changed:
        raise MatchConflict(web.language_of(request), changed, policy.own_port(actor)) from None


def _match(one: Match) -> dict[str, Any]:
    agreements = [{"field": a.field, "level": a.level, "bits": a.bits} for a in one.agreements]
    kept = {name: getattr(one, name) for name in MatchOut.model_fields if name != "agreements"}
    return {**kept, "bits": round(one.bits, 2), "agreements": agreements}


def _side(side: Side) -> dict[str, Any]:
    shown = {name: covered(name, value) for name in SHOWN if (value := getattr(side.identity, name))}
    return {
        "case_id": side.case_id,
        "landed": side.landed.strftime("%Y-%m"),
        "sex": side.sex,
        "origin_regency": side.regency,
        "identity": shown,
    }


def _step(step: Step) -> dict[str, Any]:
    return {name: getattr(step, name) for name in MatchStepOut.model_fields}


def _side_by_side(seen: SideBySide) -> dict[str, Any]:
    later, earlier = map(_side, seen.sides) if seen.sides else (None, None)
    return {
        "match": _match(seen.match),
        "later": later,
        "earlier": earlier,
        "history": [_step(step) for step in seen.history],
        "closed": seen.closed,
    }
