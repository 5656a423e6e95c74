"""Families apart: who of a household is with an office of another region, and what a supervisor decides of it."""

from datetime import datetime
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from services.referral import policy
from services.referral.actions import households, joining
from services.referral.actions.households import Deciding
from services.referral.actions.joining import Joining, Plan
from services.referral.api.items import Items, Verdict, answer_each, verdict
from services.referral.domain.escalations import Rung
from services.referral.domain.households import Reunification
from services.referral.domain.refusals import Refused
from shared.contracts.fact import Id
from shared.contracts.referral.households import ReunificationDecision, SplitReason
from shared.kit.actor import Actor
from shared.kit.identity import require
from shared.kit.web import KEYED, json_response
from shared.kit.words import Language

router = APIRouter()

Duty = Annotated[Actor, Depends(require(*policy.DUTY))]

MOST_ROWS = 500


class Apart(BaseModel):
    """Somebody who is apart from the household, in codes; who else is in it, and with whom, is the case teams' to know.

    `household_id` is shared by those of one household.
    """

    task_id: Id
    household_id: Id
    case_id: Id
    regency: str
    reason: SplitReason
    opened_at: datetime
    rung: Rung
    due_at: datetime
    version: int | None
    """Of the need that would move; null where nothing does: who helps already has to hand it on."""
    agency_id: str | None
    would_be_asked: str | None
    """Instead of `agency_id`; both null where one of the two needs is restricted."""


class Joins(BaseModel):
    """One of a household who is to be brought together with it. `version`: as `GET /api/reunifications` gave it."""

    model_config = ConfigDict(extra="forbid")

    task_id: Id
    version: int | None = Field(default=None, ge=0, le=2**31 - 1, strict=True)


class AllApart(BaseModel):
    items: list[Apart]
    now: datetime


class Decision(BaseModel):
    """Why they stay apart, or that they are together by other means. You answer for it by name."""

    model_config = ConfigDict(extra="forbid")

    task_id: Id
    decision: ReunificationDecision = Field(examples=["persons_wish"])


class DecisionResult(Verdict):
    task_id: Id


class DecisionResults(BaseModel):
    items: list[DecisionResult]


@router.get("/reunifications", response_model=AllApart)
async def get_reunifications(
    request: Request, actor: Duty, limit: Annotated[int, Query(ge=1, le=MOST_ROWS)] = 100
) -> Response:
    """Who is to be brought together in your region, the soonest due first; for a coordinator: what nobody settled."""
    async with request.app.state.database.work(actor, purpose="look") as work:
        found = await households.list_tasks(work, limit=limit)
        plans = await joining.plan(work, found, routing=request.app.state.routing)
        now = work.now
    return json_response({"items": [_apart(task, plans.get(task.task_id)) for task in found], "now": now.isoformat()})


@router.post("/reunifications/joins", response_model=DecisionResults, openapi_extra=KEYED)
async def post_joins(request: Request, actor: Duty, posted: Items[Joins]) -> Response:
    """Bring people together with their household: where its strictest need is helped is asked instead.

    Who helps already has to hand the need on itself.
    """
    joinings = [Joining(**item.model_dump()) for item in posted.items]

    def say(language: Language, n: int, result: Reunification | Refused) -> DecisionResult:
        return verdict(language, DecisionResult, result, task_id=joinings[n].task_id)

    act = partial(joining.bring_together, joinings=joinings, routing=request.app.state.routing)
    return await answer_each(request, actor, "supervise", act, say)


@router.post("/reunifications/decisions", response_model=DecisionResults, openapi_extra=KEYED)
async def post_decisions(request: Request, actor: Duty, posted: Items[Decision]) -> Response:
    """Say of families why they stay apart. It stands until one of the two is with another office."""
    decided = [Deciding(**item.model_dump()) for item in posted.items]

    def say(language: Language, n: int, result: Reunification | Refused) -> DecisionResult:
        return verdict(language, DecisionResult, result, task_id=decided[n].task_id)

    return await answer_each(request, actor, "supervise", lambda work: households.decide(work, decided), say)


def _apart(task: Reunification, plan: Plan | None) -> dict[str, Any]:
    planned: dict[str, Any] = {"version": None, "agency_id": None, "would_be_asked": None}
    if plan is not None and plan.is_possible:
        planned = {"version": plan.version, "agency_id": plan.agency_id, "would_be_asked": plan.to}
    return {name: getattr(task, name) for name in Apart.model_fields if name not in planned} | planned
