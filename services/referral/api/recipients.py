"""What an agency has to do about its copy of a person that was erased or corrected, and that it has done so."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BaseModel, ConfigDict

from services.referral import policy
from services.referral.actions import overseeing, reaching
from services.referral.actions.reaching import Result
from services.referral.api.items import Items, Verdict, answer_each, verdict
from services.referral.domain.recipients import RecipientTask
from services.referral.domain.refusals import Refused
from services.referral.store import recipients
from shared.contracts.fact import Id
from shared.kit.actor import Actor
from shared.kit.identity import require
from shared.kit.web import KEYED, json_response
from shared.kit.words import Language

router = APIRouter()

Worker = Annotated[Actor, Depends(require(*policy.WORKERS))]
Overseer = Annotated[Actor, Depends(require(*policy.OVERSEERS))]
Oversight = Annotated[Actor, Depends(require(*policy.OVERSIGHT))]

MOST_ROWS = 500
Limit = Annotated[int, Query(ge=1, le=MOST_ROWS)]


class Confirmation(BaseModel):
    """One copy that was seen to."""

    model_config = ConfigDict(extra="forbid")

    task_id: Id


class ConfirmationResult(Verdict):
    task_id: Id
    confirmed_at: datetime | None = None


class ConfirmationResults(BaseModel):
    items: list[ConfirmationResult]


@router.get("/erasures")
async def get_erasures(request: Request, actor: Worker, limit: Limit = 100) -> Response:
    """The cases whose identity your agency has still to erase from its own files, the soonest limit first."""
    async with request.app.state.database.work(actor, purpose="look") as work:
        found, now = await recipients.list_open_of_kind(work, "erasure", limit), work.now
    return _listed([_task(task) for task in found], now)


@router.get("/copies")
async def get_copies(request: Request, actor: Worker, limit: Limit = 100) -> Response:
    """The cases of which your agency has a copy to see to, the soonest limit first.

    `kind` says what to do: `erasure`, erase it; `correction`, read the identity again, whose `fields` were corrected;
    `withdrawal`, use it no longer, since the person has taken the consent back, or refused it.
    """
    async with request.app.state.database.work(actor, purpose="look") as work:
        found, now = await recipients.list_open(work, limit), work.now
    return _listed([{**_task(task), "kind": task.kind, "fields": task.fields} for task in found], now)


@router.get("/copies/outstanding")
async def get_outstanding(request: Request, actor: Overseer, limit: Limit = 100) -> Response:
    """The copies that agencies of your region, or of the country, have not seen to yet, the longest overdue first.

    `kind` and `fields` as in `GET /api/copies`. `is_overdue`: you may confirm it for the agency, after a check.
    """
    everywhere = policy.oversees_everywhere(actor)
    async with request.app.state.database.work(actor, purpose="look") as work:
        found, now = await recipients.list_outstanding(work, limit, everywhere=everywhere), work.now
    shown = [
        {
            **_task(task),
            "kind": task.kind,
            "fields": task.fields,
            "agency_id": task.agency_id,
            "is_overdue": task.confirm_by <= now,
        }
        for task in found
    ]
    return _listed(shown, now)


@router.get("/copies/counts")
async def get_counts(request: Request, actor: Oversight) -> Response:
    """How many copies agencies of your region, or of the country, have still to see to, by `kind`; how many overdue.

    `since`: since when the oldest is asked for; `next_by`: when the first is, or was, due. Before a coordinator
    rounded as the figures are: both times to the day, `overdue` null and kinds left out where they are small.
    """
    async with request.app.state.database.work(actor, purpose="look") as work:
        found, now = await overseeing.count_outstanding(work), work.now
    return _listed([asdict(one) for one in found], now)


@router.post("/erasures/confirmations", response_model=ConfirmationResults, openapi_extra=KEYED)
async def post_erased(request: Request, actor: Worker, posted: Items[Confirmation]) -> Response:
    """Say that the own copies are erased: names, papers, contacts, in files, on paper and with whoever got them."""
    return await _confirm(request, actor, posted)


@router.post("/copies/confirmations", response_model=ConfirmationResults, openapi_extra=KEYED)
async def post_confirmations(request: Request, actor: Worker, posted: Items[Confirmation]) -> Response:
    """Say that the own copies are seen to: erased, used no longer, or corrected where you are shown it no more.

    While it is shown to you, reading it is what settles a correction (`identity_to_be_read`).
    """
    return await _confirm(request, actor, posted)


async def _confirm(request: Request, actor: Actor, posted: Items[Confirmation]) -> Response:
    ids = [item.task_id for item in posted.items]

    def say(language: Language, n: int, result: Result) -> ConfirmationResult:
        said = {"task_id": ids[n], "confirmed_at": None if isinstance(result, Refused) else result.settled_at}
        return verdict(language, ConfirmationResult, result, **said)

    return await answer_each(request, actor, "settle_copy", partial(reaching.confirm_tasks, task_ids=ids), say)


def _listed(items: Sequence[dict[str, Any]], now: datetime) -> Response:
    return json_response({"items": items, "now": now.isoformat()})


def _task(task: RecipientTask) -> dict[str, Any]:
    return {name: getattr(task, name) for name in ("task_id", "case_id", "asked_at", "confirm_by")}
