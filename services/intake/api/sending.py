"""Sending a list: what is ready is recorded, the rest stays to be mended."""

from typing import Annotated

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from services.intake.actions import sending
from services.intake.api.drafts import DraftOut, PortActor, draft_out
from services.intake.api.keyed import Act, once_prepared
from services.intake.api.manifests import ManifestOut, manifest_answer
from services.intake.domain.refusals.drafts import DraftChanged
from shared.contracts.fact import Id
from shared.kit import web, words
from shared.kit.database import Database
from shared.kit.words import msg
from shared.kit.work import Work

router = APIRouter(tags=["lists"])

Version = Annotated[int, Field(ge=1, le=2**31 - 1, strict=True, examples=[4])]


class SendIn(BaseModel):
    """The version that was looked at: what was changed since is not sent unseen."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    version: Version


class SentOut(BaseModel):
    """The draft after it was sent, and the list as which it was taken in."""

    draft: DraftOut
    manifest: ManifestOut


@router.post(
    "/api/drafts/{draft_id}/sendings",
    response_model=SentOut,
    responses={409: {"description": "It was changed since, nothing is ready, or the voyage is not due"}},
    summary="Record what is ready, hold back the rest",
    openapi_extra=web.KEYED,
)
async def send(request: Request, draft_id: Id, sent: SendIn, actor: PortActor) -> Response:
    """Record every row that is ready; what is not stays here to be mended. Needs the header Idempotency-Key.

    Interrupted, it is sent again and goes on: each row is recorded once.
    """
    database: Database = request.app.state.database
    vault = request.app.state.vault

    async def prepare() -> Act:
        try:
            done = await sending.send_draft(database, vault, actor, draft_id, version=sent.version)
        except DraftChanged as changed:
            raise changed_since(request, changed) from None
        body = {"draft": draft_out(done.draft), "manifest": await manifest_answer(request, actor, done.manifest)}

        async def answer(_: Work) -> Response:
            return web.json_response(body)

        return answer

    return await once_prepared(request, actor, prepare)


def changed_since(request: Request, changed: DraftChanged) -> web.Invalid:
    """The refusal of what was not looked at, with who changed it and when."""
    told = msg("%(who)s changed this list at %(time)s. Look at it again, then send it.")
    language = web.language_of(request)
    time = words.moment(language, changed.at, "Asia/Jakarta")
    return ChangedSince([], words.translate(language, told, who=changed.by, time=time))


class ChangedSince(web.Invalid):
    """Somebody has changed the list since it was looked at."""

    status = 409
    code = "list_changed"
    title = msg("This list was changed meanwhile")
