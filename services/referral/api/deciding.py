"""What else an agency may say to what it was asked: not yet, not us but them, a question first, not any more."""

from functools import partial
from typing import Literal

from fastapi import APIRouter, Request, Response
from pydantic import Field

from services.referral.actions import answering, asking, passing
from services.referral.api.assignments import Item, Results, Worker, post
from services.referral.api.items import Items
from shared.contracts.fact import AwareDatetime, Code
from shared.contracts.referral.assignments import QuestionCode
from shared.contracts.referral.households import SaidOfSplit
from shared.kit.web import KEYED

router = APIRouter()


class Waiting(Item):
    """`until`: when your agency looks at it again, at most 90 days from now; without a decision by then it expires."""

    until: AwareDatetime = Field(examples=["2026-12-01T08:00:00+08:00"])


class Asked(Item):
    """`question`: one of those that have coded answers; each may be asked once."""

    question: QuestionCode = Field(examples=["fit_to_travel"])


class Transfer(Item):
    """`agency_id`: who is to take over, an office of a kind that the rules ask for this need.

    `split`: why the person is parted from the household, where that comes of it.
    """

    agency_id: Code = Field(examples=["DINSOS-73.71"])
    split: SaidOfSplit | None = None


class Forward(Transfer):
    """`agency_id`: who is the right one. `reason`: why your agency is not."""

    reason: Literal["wrong_service", "outside_region"] = Field(examples=["outside_region"])


@router.post("/assignments/undoings", response_model=Results, openapi_extra=KEYED)
async def post_undoings(request: Request, actor: Worker, posted: Items[Item]) -> Response:
    """Take back an acceptance within ten seconds, unless somebody has read who the person is."""
    return await post(request, actor, posted, "accept", answering.undo_acceptances)


@router.post("/assignments/waitlistings", response_model=Results, openapi_extra=KEYED)
async def post_waitlistings(request: Request, actor: Worker, posted: Items[Waiting]) -> Response:
    """You would help, but not yet: name the day on which you look at it again."""
    act = partial(answering.waitlist_assignments, routing=request.app.state.routing)
    return await post(request, actor, posted, "waitlist", act)


@router.post("/assignments/questions", response_model=Results, openapi_extra=KEYED)
async def post_questions(request: Request, actor: Worker, posted: Items[Asked]) -> Response:
    """Ask the port before you decide. Your time stands still until it answers, or its own time is over."""
    act = partial(asking.ask_port, routing=request.app.state.routing)
    return await post(request, actor, posted, "ask", act)


@router.post("/assignments/transfers", response_model=Results, openapi_extra=KEYED)
async def post_transfers(request: Request, actor: Worker, posted: Items[Transfer]) -> Response:
    """You help, and another agency is to take over: it is asked. The need stays yours until it has accepted."""
    act = partial(passing.transfer_assignments, routing=request.app.state.routing)
    return await post(request, actor, posted, "transfer", act)


@router.post("/assignments/forwards", response_model=Results, openapi_extra=KEYED)
async def post_forwards(request: Request, actor: Worker, posted: Items[Forward]) -> Response:
    """You are the wrong one: decline, and name the right one, which is asked next."""
    act = partial(passing.forward_assignments, routing=request.app.state.routing)
    return await post(request, actor, posted, "decline", act)
