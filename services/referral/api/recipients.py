"""What an agency has to do about its copy of a person that was erased or corrected, and that it has done so."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BaseModel, ConfigDict

from services.referral import policy
from services.referral.actions import reaching
from services.referral.actions.reaching import Result
from services.referral.api.items import Items, answer_of, note_denied
from services.referral.domain.recipients import RecipientTask
from services.referral.domain.refusals import Refused
from services.referral.store import recipients
from shared.contracts.fact import Id
from shared.kit import words
from shared.kit.actor import Actor
from shared.kit.identity import require
from shared.kit.web import KEYED, idempotent, json_response, key_of, language_of
from shared.kit.words import Language

router = APIRouter()

Worker = Annotated[Actor, Depends(require(*policy.WORKERS))]

MOST_ROWS = 500
Limit = Annotated[int, Query(ge=1, le=MOST_ROWS)]


class Confirmation(BaseModel):
    """One copy that was seen to."""

    model_config = ConfigDict(extra="forbid")

    task_id: Id


class ConfirmationResult(BaseModel):
    """What became of one item. `ok` false: `code`, `title` say why."""

    task_id: Id
    ok: bool
    status: int
    confirmed_at: datetime | None = None
    code: str | None = None
    title: str | None = None


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

    `kind` says what to do: `erasure`, erase it; `correction`, read the identity again, whose `fields` were corrected.
    """
    async with request.app.state.database.work(actor, purpose="look") as work:
        found, now = await recipients.list_open(work, limit), work.now
    return _listed([{**_task(task), "kind": task.kind, "fields": task.fields} for task in found], now)


@router.post("/erasures/confirmations", response_model=ConfirmationResults, openapi_extra=KEYED)
async def post_erased(request: Request, actor: Worker, posted: Items[Confirmation]) -> Response:
    """Say that the own copies are erased: names, papers, contacts, in files, on paper and with whoever got them."""
    return await _confirm(request, actor, posted)


@router.post("/copies/confirmations", response_model=ConfirmationResults, openapi_extra=KEYED)
async def post_confirmations(request: Request, actor: Worker, posted: Items[Confirmation]) -> Response:
    """Say that the own copies are seen to: erased, or corrected where the identity is not shown to you any more.

    While it is shown to you, reading it is what settles a correction (`identity_to_be_read`).
    """
    return await _confirm(request, actor, posted)


async def _confirm(request: Request, actor: Actor, posted: Items[Confirmation]) -> Response:
    key = await key_of(request)
    task_ids = [item.task_id for item in posted.items]
    async with request.app.state.database.work(actor, purpose="settle_copy") as work:

        async def respond() -> Response:
            results = await reaching.confirm_tasks(work, task_ids)
            note_denied(request, work, results)
            language = language_of(request)
            said = [_result(language, id_, result) for id_, result in zip(task_ids, results, strict=True)]
            return json_response(ConfirmationResults(items=said))

        return await idempotent(request, work, key, respond)


def _listed(items: Sequence[dict[str, Any]], now: datetime) -> Response:
    return json_response({"items": items, "now": now.isoformat()})


def _task(task: RecipientTask) -> dict[str, Any]:
    return {name: getattr(task, name) for name in ("task_id", "case_id", "asked_at", "confirm_by")}


def _result(language: Language, task_id: str, result: Result) -> ConfirmationResult:
    if isinstance(result, Refused):
        status, code, title = answer_of(result)
        return ConfirmationResult(
            task_id=task_id, ok=False, status=status, code=code, title=words.translate(language, title)
        )
    return ConfirmationResult(task_id=task_id, ok=True, status=200, confirmed_at=result.settled_at)
