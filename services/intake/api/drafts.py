"""Lists that are kept until they are done with: uploaded, uploaded again, discarded."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from services.intake import policy
from services.intake.actions import drafts, uploading, voyages
from services.intake.actions.drafts import Write
from services.intake.actions.giving_back import XLSX
from services.intake.actions.opening import FileOpened, open_file
from services.intake.api.keyed import TRIES, Act, once, once_prepared
from services.intake.domain.drafts import LONGEST_SENDER, Draft
from services.intake.domain.headings import Asked
from services.intake.domain.retention import BY_CODE
from services.intake.domain.sheets import MOST_BYTES
from shared.contracts.fact import Id
from shared.kit import identity, web
from shared.kit.actor import Actor
from shared.kit.database import Database
from shared.kit.work import Work

router = APIRouter(tags=["lists"])

PortActor = Annotated[Actor, Depends(identity.require(*policy.PORT_ROLES))]
Sender = Annotated[
    str,
    Query(max_length=LONGEST_SENDER, description="Who sends such lists: a mission, an organisation; never a person"),
]
KINDS = ("text/csv", "text/tab-separated-values", XLSX)
FILE = {
    "requestBody": {
        "required": True,
        "content": {
            "text/csv": {"schema": {"type": "string"}, "example": "Nama;L/P;Umur\nBala;L;30\n"},
            "text/tab-separated-values": {"schema": {"type": "string"}, "example": "Nama\tL/P\tUmur\nBala\tL\t30\n"},
            XLSX: {"schema": {"type": "string", "format": "binary"}},
        },
    }
}


class CountsOut(BaseModel):
    """`lines` = `ready` + `mend` + `twice` + `known` + `empty` + `left_out` + `absent`.

    `mend`: a cell has to be mended; `twice`: possibly somebody who is there already; `known`: recorded;
    `absent`: called on the quay and not there.
    """

    lines: int = Field(examples=[300])
    ready: int = Field(examples=[297])
    mend: int = Field(examples=[2])
    twice: int = Field(examples=[1])
    known: int = Field(examples=[0])
    empty: int = Field(examples=[0])
    left_out: int = Field(examples=[0])
    absent: int = Field(examples=[0])


class DraftOut(BaseModel):
    """A list that was uploaded. Once `state` is `sent`, `discarded`, `expired` or `erased` its rows are gone."""

    draft_id: str
    voyage_id: str
    state: Literal["open", "sending", "sent", "discarded", "expired", "erased"]
    form: Literal["csv", "xlsx", "paste", "carried"]
    upload: int = Field(examples=[1])
    version: int = Field(examples=[4])
    counts: CountsOut
    owner: str = Field(examples=["rina"])
    created_at: datetime
    changed_by: str = Field(examples=["sari"])
    changed_at: datetime
    asks: list[Asked] = Field([], examples=[["birth_date"]])
    """What somebody has to say of its columns first (`/columns`): which row holds the headings, which of two columns it
    is, which column has that field. Until then no row is read, and all count as `mend`."""
    expires_at: datetime | None
    """When its rows go if nobody touches it before; null once they are gone."""


Seen = Annotated[int | None, Field(ge=1, le=2**31 - 1, strict=True, examples=[4])]
"""The version of a list that was looked at."""


class DiscardIn(BaseModel):
    """Which version was looked at: nobody's work that came after it is destroyed unseen."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    version: Seen = None


LOOKED_AT_NOTHING = DiscardIn()


@router.post(
    "/api/voyages/{voyage_id}/drafts",
    status_code=201,
    response_model=DraftOut,
    summary="Upload a list to be looked at, mended and sent",
    openapi_extra=web.KEYED | FILE,
)
@web.body_limit(MOST_BYTES)
@web.takes(*KINDS)
async def upload(
    request: Request,
    voyage_id: Id,
    actor: PortActor,
    sender: Sender = "",
    worksheet: Annotated[str | None, Query(max_length=100)] = None,
    heading_row: Annotated[int | None, Query(ge=1, le=1000)] = None,
) -> Response:
    """Keep a list (CSV, a workbook, pasted rows) sealed until it is done with. Needs the header Idempotency-Key.

    The very same file again is the draft that it is. Nobody is recorded before it is sent.
    """
    database: Database = request.app.state.database
    voyage = await voyages.find_voyage(database, actor, voyage_id)

    async def prepare() -> Write:
        file = await _opened(request, actor, sender, worksheet, heading_row)
        return await uploading.prepare_draft(database, request.app.state.vault, actor, voyage, file)

    return await written(request, actor, prepare, status=201, kind=_kind(request))


@router.get("/api/drafts", response_model=list[DraftOut], summary="Lists of the port that are not done with")
async def list_drafts(
    request: Request,
    actor: PortActor,
    voyage_id: Annotated[Id | None, Query(description="Of this voyage alone")] = None,
) -> Response:
    """The latest touched first, in counts: where to go on after a lost connection, or where a colleague stopped."""
    found = await drafts.list_drafts(request.app.state.database, actor, voyage_id=voyage_id)
    return web.json_response([draft_out(one) for one in found])


@router.post(
    "/api/drafts/{draft_id}/uploads",
    response_model=DraftOut,
    summary="Upload a corrected file in the place of the one before",
    openapi_extra=web.KEYED | FILE,
)
@web.body_limit(MOST_BYTES)
@web.takes(*KINDS)
async def upload_again(
    request: Request,
    draft_id: Id,
    actor: PortActor,
    worksheet: Annotated[str | None, Query(max_length=100)] = None,
    heading_row: Annotated[int | None, Query(ge=1, le=1000)] = None,
    version: Annotated[
        int | None, Query(ge=1, le=2**31 - 1, description="Of the list that was looked at: 409 once it has another")
    ] = None,
) -> Response:
    """What is the same keeps what was mended in it; what is new, changed or gone is said. Needs Idempotency-Key."""
    database: Database = request.app.state.database

    async def prepare() -> Write:
        file = await _opened(request, actor, "", worksheet, heading_row)
        return await uploading.prepare_file(database, request.app.state.vault, actor, draft_id, file, version=version)

    return await written(request, actor, prepare, kind=_kind(request))


@router.post(
    "/api/drafts/{draft_id}/discard",
    response_model=DraftOut,
    summary="Discard a list",
    openapi_extra=web.KEYED,
)
async def discard(request: Request, draft_id: Id, actor: PortActor, sent: DiscardIn = LOOKED_AT_NOTHING) -> Response:
    """Destroy what an uploaded list says. Who of it was recorded stays recorded. Needs the header Idempotency-Key.

    With a version it is refused (409) once somebody has changed the list since.
    """

    async def act(work: Work) -> Response:
        return web.json_response(draft_out(await drafts.discard_draft(work, draft_id, version=sent.version)))

    return await once(request, actor, act, purpose="manifest")


def draft_out(draft: Draft) -> dict[str, Any]:
    """A draft in codes and counts."""
    counts = {name: getattr(draft, name) for name in CountsOut.model_fields}
    rest = set(DraftOut.model_fields) - {"counts", "expires_at"}
    ends = draft.changed_at + BY_CODE["drafts"].after if draft.is_under_way else None
    return {**{name: getattr(draft, name) for name in sorted(rest)}, "counts": counts, "expires_at": ends}


async def written(
    request: Request,
    actor: Actor,
    prepare: Callable[[], Awaitable[Write]],
    *,
    status: int = 200,
    tries: int = TRIES,
    kind: str = "",
) -> Response:
    """What `prepare` makes of a draft, written once per key; the answer is the draft. `kind`: of a file, its type."""

    async def prepared() -> Act:
        write = await prepare()

        async def answer(work: Work) -> Response:
            return web.json_response(draft_out(await write(work)), status)

        return answer

    return await once_prepared(request, actor, prepared, tries=tries, kind=kind)


def _kind(request: Request) -> str:
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


async def _opened(
    request: Request, actor: Actor, sender: str, worksheet: str | None, heading_row: int | None
) -> FileOpened:
    return await open_file(
        request.app.state.database,
        request.app.state.vault,
        actor,
        await request.body(),
        pasted=_kind(request) == "text/tab-separated-values",
        sender=sender,
        worksheet=worksheet,
        heading_row=heading_row,
    )
