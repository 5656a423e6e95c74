"""The roll of a voyage: who is here, who is absent and why, called by several people at once."""

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator

from services.intake import policy
from services.intake.actions import roll_calls, roll_files
from services.intake.actions.arrival_corrections import ArrivalChanged, ChangedMeanwhile
from services.intake.actions.drafts import Write
from services.intake.actions.giving_back import XLSX, FileForm
from services.intake.actions.roll_calls import Entry, Sheet
from services.intake.actions.roll_files import Told
from services.intake.api.draft_rows import Row
from services.intake.api.drafts import DraftOut, written
from services.intake.api.keyed import once
from services.intake.domain.drafts import Standing
from services.intake.domain.refusals.roll_calls import RowCalled
from services.intake.domain.roll_calls import INITIALS, Call, Mark, Reason, begins_with
from services.intake.domain.voyages import Voyage
from shared.contracts.codes import AgeBand, Sex
from shared.contracts.fact import Id, Identifying
from shared.kit import identity, web, words
from shared.kit.actor import Actor
from shared.kit.database import Database
from shared.kit.words import msg
from shared.kit.work import Work

router = APIRouter(tags=["lists"])

PortActor = Annotated[Actor, Depends(identity.require(*policy.PORT_ROLES))]
Officer = Annotated[Actor, Depends(identity.require("port_officer"))]


class CallOut(BaseModel):
    """How somebody was called last."""

    mark: Mark
    reason: Reason | None
    next_voyage_id: str | None
    version: int
    by: str = Field(examples=["sari"])
    at: datetime | None


class PlaceOut(BaseModel):
    """A row of a list."""

    draft_id: str
    row: int


class EntryOut(BaseModel):
    """Somebody of a list. `version` says how the row was called when it was looked at, in this upload of the list.

    `case_id` is there for who is recorded; then `mark` is `here`, or `absent` when that was an error. `may_be`: rows of
    another list that may be this person, who was carried over or has a double who was; a person says which.
    """

    draft_id: str
    row: int = Field(examples=[12])
    version: int
    name: Annotated[str, Identifying()] = Field(examples=["Emong bin Kawaya"])
    sex: Sex | None
    age_band: AgeBand | None
    standing: Standing
    mark: Mark
    reason: Reason | None
    case_id: str | None
    called: CallOut | None
    may_be: list[PlaceOut]


class NextVoyageOut(BaseModel):
    """A voyage that somebody may roll over to, of any port."""

    voyage_id: str
    port: str
    vessel: str
    expected_at: datetime


class RollOut(BaseModel):
    """The roll of a voyage. `here` of `in_all`: everybody who is recorded, and who was called so; `left`: not called.

    `to_call`: of those who are left, whom one command may call as here; who may stand there twice is called one by one.
    """

    here: int = Field(examples=[309])
    absent: int = Field(examples=[2])
    left: int = Field(examples=[1])
    to_call: int = Field(examples=[1])
    in_all: int = Field(examples=[312])
    items: list[EntryOut]
    next_voyages: list[NextVoyageOut]


class CallIn(BaseModel):
    """`here`; `absent` with its reason, and with `rolled_over` the voyage if it is known; or `open`: taken back."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    version: Annotated[int, Field(ge=0, le=2**31 - 1, strict=True, examples=[0])]
    mark: Mark
    reason: Annotated[Reason | None, Field(validate_default=True)] = None
    next_voyage_id: Id | None = None

    @field_validator("reason")
    @classmethod
    def _is_of_who_is_absent(cls, value: Reason | None, told: ValidationInfo) -> Reason | None:
        if value is None and told.data.get("mark") == "absent":
            raise ValueError(msg("The reason is missing."))
        if value is not None and told.data.get("mark") in ("here", "open"):
            raise ValueError(msg("Only who is absent has a reason."))
        return value


class RestIn(BaseModel):
    """How many were left when it was looked at (`to_call`)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    left: Annotated[int, Field(ge=1, le=10_000_000, strict=True)]


class RestOut(BaseModel):
    called: int


class AbsenceIn(BaseModel):
    """Why somebody who is recorded was not there. `version`: the arrival's, as it was looked at."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    version: Annotated[int, Field(ge=1, le=2**31 - 1, strict=True)]
    reason: Literal["not_boarded", "pending_case", "documents_held", "ill_abroad", "rolled_over", "other", "unknown"]
    next_voyage_id: Id | None = None


class AbsenceOut(BaseModel):
    """The arrival is entered in error from now on."""

    case_id: str
    version: int


class CallConflictOut(BaseModel):
    """Somebody else has called this person and said otherwise."""

    code: Literal["row_called"]
    title: str
    detail: str
    theirs: CallOut
    yours: CallOut


@router.get("/api/voyages/{voyage_id}/roll-call", response_model=RollOut, summary="The roll of a voyage")
@web.reads_people
async def show_roll(
    request: Request,
    voyage_id: Id,
    actor: PortActor,
    letters: Annotated[str, Query(max_length=INITIALS, description="First letters of any word of a name")] = "",
    mark: Annotated[Mark | None, Query(description="Who was called so alone; `open`: who is left")] = None,
) -> Response:
    """Everybody of the voyage's lists under way. The reading is on the trail before the answer leaves."""
    database: Database = request.app.state.database
    sheet = await roll_calls.read_roll(database, request.app.state.vault, actor, voyage_id, form="json")
    async with database.work(actor, purpose="look") as work:
        following = await roll_calls.list_next(work, voyage_id)
    wanted = [one for one in sheet.entries if begins_with(one.name, letters) and mark in (None, one.mark)]
    return web.json_response({
        **_counts(sheet),
        "items": [_entry(one) for one in wanted],
        "next_voyages": [
            {"voyage_id": one.voyage_id, "port": one.port, "vessel": one.vessel, "expected_at": one.expected_at}
            for one in following
        ],
    })  # fmt: skip


FILE_HEADING = (
    "draft_id", "row", "name", "sex", "age_band", "mark", "reason", "next_voyage_id", "called_by", "called_at",
    "case_id",
)  # fmt: skip


@router.get(
    "/api/voyages/{voyage_id}/roll-call/file",
    response_class=Response,
    responses={200: {"content": {"text/csv": {}, XLSX: {}}}},
    summary="Take the roll of a voyage away",
)
@web.reads_people
async def take_roll_away(
    request: Request, voyage_id: Id, actor: PortActor, form: Annotated[FileForm, Query()] = "csv"
) -> Response:
    """Every listed row as a file: how it was called, why, by whom and when, in codes.

    Names stand in it of lists under way alone. On the trail before the answer leaves.
    """
    file = await roll_files.take_roll_away(
        *(request.app.state.database, request.app.state.vault, actor, voyage_id),
        form=form,
        heading=FILE_HEADING,
        tell=_line,
    )
    headers = {"Content-Disposition": f'attachment; filename="{file.name}"'}
    return Response(file.content, media_type=file.media_type, headers=headers)


def _line(_voyage: Voyage, told: Told) -> list[str]:
    one, call = told.entry, told.entry.call
    said = (one.sex, one.age_band, one.mark, one.reason, call and call.next_voyage_id, call and call.by)
    at = call.at.isoformat() if call and call.at else ""
    return [one.draft_id, str(one.row or ""), one.name, *(code or "" for code in said), at, one.case_id or ""]


@router.post(
    "/api/drafts/{draft_id}/rows/{row}/call",
    response_model=DraftOut,
    responses={409: {"description": "Somebody else has called this person", "model": CallConflictOut}},
    summary="Call somebody of a list as here or absent",
    openapi_extra=web.KEYED,
)
async def call_row(request: Request, draft_id: Id, row: Row, sent: CallIn, actor: PortActor) -> Response:
    """Call one person, or take a call back. Needs the header Idempotency-Key.

    Calls of different rows never refuse one another; of the same row, who comes second and says otherwise gets 409
    with both values. Once somebody was called, sending the list records only who is here.
    """
    database: Database = request.app.state.database

    async def prepare() -> Write:
        return await roll_calls.prepare_call(
            *(database, request.app.state.vault, actor, draft_id, row),
            version=sent.version,
            mark=sent.mark,
            reason=sent.reason,
            next_voyage_id=sent.next_voyage_id,
        )

    try:
        return await written(request, actor, prepare, tries=roll_calls.TRIES)
    except RowCalled as called:
        language = web.language_of(request)
        body = {
            "code": "row_called",
            "title": words.translate(language, msg("Somebody else has called this person")),
            "detail": words.translate(language, called.detail),
            "theirs": _call(called.theirs),
            "yours": _call(called.yours),
        }
        return web.json_response(body, 409)


@router.post(
    "/api/voyages/{voyage_id}/roll-call/rest",
    response_model=RestOut,
    summary="Everybody who is left is here",
    openapi_extra=web.KEYED,
)
async def call_rest(request: Request, voyage_id: Id, sent: RestIn, actor: PortActor) -> Response:
    """Call all who are left as here, if they are as many as were looked at. Needs the header Idempotency-Key."""

    async def act(work: Work) -> Response:
        called = await roll_calls.call_the_rest(work, request.app.state.vault, voyage_id, left=sent.left)
        return web.json_response({"called": called})

    return await once(request, actor, act, purpose="manifest")


@router.post(
    "/api/arrivals/{case_id}/absence",
    response_model=AbsenceOut,
    summary="Somebody who is recorded was not there",
    openapi_extra=web.KEYED,
)
async def not_there(request: Request, case_id: Id, sent: AbsenceIn, actor: Officer) -> Response:
    """The arrival is entered in error, and the person counts as listed and absent. Needs Idempotency-Key."""

    async def act(work: Work) -> Response:
        kept = await roll_calls.record_absence(
            work, case_id, version=sent.version, reason=sent.reason, next_voyage_id=sent.next_voyage_id
        )
        return web.json_response({"case_id": kept.case_id, "version": kept.version})

    try:
        return await once(request, actor, act, purpose="correct")
    except ChangedMeanwhile as changed:
        raise ArrivalChanged(web.language_of(request), changed, lambda _, code: code) from None


def _counts(sheet: Sheet) -> dict[str, int]:
    return {name: getattr(sheet, name) for name in ("here", "absent", "left", "to_call", "in_all")}


def _entry(one: Entry) -> dict[str, Any]:
    return {
        "draft_id": one.draft_id,
        "row": one.row,
        "version": one.version,
        "name": one.name,
        "sex": one.sex,
        "age_band": one.age_band,
        "standing": one.standing,
        "mark": one.mark,
        "reason": one.reason,
        "case_id": one.case_id,
        "called": one.call and _call(one.call),
        "may_be": [place._asdict() for place in one.may_be],
    }


def _call(call: Call) -> dict[str, Any]:
    return {
        "mark": call.mark,
        "reason": call.reason,
        "next_voyage_id": call.next_voyage_id,
        "version": call.version,
        "by": call.by,
        "at": call.at,
    }
