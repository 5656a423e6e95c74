"""A supervisor's tasks: what waits in the own region, closing a need with a reason, reopening it."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from services.referral import policy
from services.referral.actions import escalating, supervising
from services.referral.actions.supervising import Closing, Reopening, Result
from services.referral.api.items import Items, Verdict, answer_each, verdict
from services.referral.domain.refusals import Refused
from services.referral.rules import reasons
from services.referral.store import desk
from services.referral.store.desk import Task, View
from shared.contracts.fact import Code, Id
from shared.contracts.referral.households import SaidOfSplit
from shared.contracts.referral.referrals import CloseReason, ReopenReason
from shared.kit.actor import Actor
from shared.kit.identity import require
from shared.kit.web import KEYED, json_response
from shared.kit.words import Language
from shared.kit.work import Work

router = APIRouter()

Supervisor = Annotated[Actor, Depends(require(*policy.SUPERVISORS))]
Duty = Annotated[Actor, Depends(require(*policy.DUTY))]

MOST_ROWS = 500


class Item(BaseModel):
    """One need of a list. `version`: the one that was read; a newer one, of it or its attempts, refuses the item."""

    model_config = ConfigDict(extra="forbid")

    referral_id: Id
    version: int | None = Field(default=None, ge=0, le=2**31 - 1, strict=True)


class Closure(Item):
    """`personally`: you answer for it by name, which a restricted need takes."""

    reason: CloseReason
    personally: bool = Field(default=False, strict=True)

    def asked(self) -> Closing:
        return Closing(**self.model_dump())


class Reopened(Item):
    """`agency_id`: whom to ask; without it the first candidate."""

    reason: ReopenReason
    agency_id: Code | None = None
    split: SaidOfSplit | None = None
    """Why the household is parted by it, where it is."""

    def asked(self) -> Reopening:
        return Reopening(**self.model_dump())


class Taking(BaseModel):
    """One need that you answer for from now on."""

    model_config = ConfigDict(extra="forbid")

    referral_id: Id

    def asked(self) -> str:
        return self.referral_id


class NeedResult(Verdict):
    referral_id: Id
    state: str | None = None
    version: int | None = None


class NeedResults(BaseModel):
    items: list[NeedResult]


@router.get("/tasks")
async def get_tasks(
    request: Request,
    actor: Duty,
    closed: bool = False,
    view: View = "waiting",
    limit: Annotated[int, Query(ge=1, le=MOST_ROWS)] = 100,
    after: Annotated[str, Query(pattern=desk.PLACE)] = "",
) -> Response:
    """What waits for a supervisor in the own region, oldest first; or `closed`: what may be reopened, latest first.

    `view`: all of it, what you have taken (`mine`), or what has climbed since nobody has (`overdue`). A coordinator
    sees what has climbed to the whole country; nothing is closed there. What is restricted shows neither need nor
    agency. `next` is the `after` of the next page.
    """
    async with request.app.state.database.work(actor, purpose="look") as work:
        found = (
            await desk.list_closed(work, after=after, limit=limit)
            if closed
            else await escalating.list_tasks(work, view=view, after=after, limit=limit)
        )
        tasks = await supervising.count_attempts(work, found)
        now = work.now
    return json_response(
        {
            "items": [_task(task) for task in tasks],
            "next": found[-1].place if len(found) == limit else None,
            "now": now.isoformat(),
        }
    )


@router.post("/referrals/takes", response_model=NeedResults, openapi_extra=KEYED)
async def post_takes(request: Request, actor: Duty, posted: Items[Taking]) -> Response:
    """Answer for needs by name. Each comes back unless it moves in time: an agency is asked, or it is closed."""
    return await post(request, actor, posted, escalating.take_needs)


@router.post("/referrals/closures", response_model=NeedResults, openapi_extra=KEYED)
async def post_closures(request: Request, actor: Supervisor, posted: Items[Closure]) -> Response:
    """End needs that were not met, each with a coded reason. Who is asked or helps is told that its part has ended."""
    return await post(request, actor, posted, supervising.close_needs)


@router.post("/referrals/reopenings", response_model=NeedResults, openapi_extra=KEYED)
async def post_reopenings(request: Request, actor: Supervisor, posted: Items[Reopened]) -> Response:
    """Open needs again that were met or given up; an agency is asked at once."""
    act = partial(supervising.reopen_needs, routing=request.app.state.routing)
    return await post(request, actor, posted, act)


async def post(
    request: Request,
    actor: Actor,
    posted: Items[Any],
    act: Callable[[Work, Sequence[Any]], Awaitable[list[Result]]],
) -> Response:
    """One action over the items, once per key."""
    asked = [item.asked() for item in posted.items]

    def say(language: Language, n: int, result: Result) -> NeedResult:
        said: dict[str, Any] = {"referral_id": posted.items[n].referral_id}
        if not isinstance(result, Refused):
            said |= {"state": result.referral.state, "version": result.version}
        return verdict(language, NeedResult, result, **said)

    return await answer_each(request, actor, "supervise", lambda work: act(work, asked), say)


@router.get("/referrals/{referral_id}/explanation")
async def get_explanation(request: Request, actor: Duty, referral_id: Id) -> Response:
    """Why a need of your region, or of the country for a coordinator, went where it went.

    Rules, facts, terms, and every office with what stood in its way; sentences in Indonesian and English. Of a
    restricted need nothing is said here: its `explanation` is null. `holidays_unknown_of`: a year within the deadline
    that runs whose holidays are not decreed yet, else null.
    """
    async with request.app.state.database.work(actor, purpose="look") as work:
        found = await supervising.explain(work, referral_id, routing=request.app.state.routing)
    decision = found.decision
    said = None if decision is None else {"digest": decision.digest.hex()} | reasons.said(decision)
    return json_response(
        {
            "referral_id": referral_id,
            "restricted": found.task.restricted,
            "holidays_unknown_of": found.unknown_year,
            "explanation": said,
        }
    )


def _task(task: Task) -> dict[str, Any]:
    shown = asdict(task)
    del shown["explanation"]
    return shown
