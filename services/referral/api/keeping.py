"""Keeping the directory: an entry with its history, changes, files out and in; and what an office says of itself."""

from dataclasses import asdict
from typing import Annotated, Any, Literal, Self

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field, model_validator

from services.referral import policy
from services.referral.actions import importing, keeping, leasing
from services.referral.actions.importing import Format, Preview
from services.referral.api.items import Items
from services.referral.domain import capacity, hsds
from services.referral.domain.capacity import Place
from services.referral.domain.entries import Problem
from services.referral.store import agencies, places
from services.referral.store.agencies import Version
from shared.contracts.fact import AwareDatetime, Digest
from shared.kit.actor import Actor
from shared.kit.identity import require
from shared.kit.web import (
    KEYED,
    FieldProblem,
    Invalid,
    body_limit,
    idempotent,
    json_response,
    key_of,
    language_of,
    takes,
)
from shared.kit.words import Language, translate

router = APIRouter()

Keeper = Annotated[Actor, Depends(require(*policy.KEEPERS))]
Supervisor = Annotated[Actor, Depends(require(*policy.SUPERVISORS))]
Worker = Annotated[Actor, Depends(require(*policy.WORKERS))]
Office = Annotated[str, Path(pattern=r"^[A-Z0-9][A-Z0-9.-]{0,63}$", description="Its id", examples=["DINSOS-73.06"])]

MOST_VERSIONS = 200
MEDIA = {"json": "application/json", "csv": "text/csv; charset=utf-8"}


Text = Annotated[str, Field(max_length=2000)]


class OwnFields(BaseModel):
    """New texts of what an office keeps itself, as an exported CSV file has them; what is not there stays as it is."""

    model_config = ConfigDict(extra="forbid")

    needs: Text = ""
    sexes: Text = ""
    min_age: Text = ""
    max_age: Text = ""
    languages: Text = Field("", examples=["bug,id,mak"])
    accessibility: Text = ""
    with_children: Text = ""
    hours: Text = Field("", examples=["MO,TU,WE,TH 07:30-16:00; FR 07:30-16:30"])
    keeps_holidays: Text = ""
    phone: Text = ""
    email: Text = ""

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not self.model_fields_set:
            raise ValueError("name at least one field")
        return self


class AllFields(OwnFields):
    """As above, with what coordinators keep."""

    name: Text = ""
    zone: Text = ""
    takes_referrals: Text = ""
    is_suspended: Text = ""
    serves: Text = ""
    supervised_by: Text = ""
    active_from: Text = ""
    active_until: Text = ""
    reserved: Text = ""


class OwnChanges(BaseModel):
    """What is to become of fields. `version`: the one that was read."""

    model_config = ConfigDict(extra="forbid")

    version: int | None = Field(default=None, ge=1, le=2**31 - 1, strict=True, examples=[3])
    fields: OwnFields


class Changes(OwnChanges):
    fields: AllFields


@router.get("/agencies/export")
async def export_agencies(
    request: Request,
    actor: Keeper,
    format_: Annotated[Format, Query(alias="format", examples=["csv"])] = "json",
) -> Response:
    """The whole directory as HSDS 3 services (JSON), or a row an office (CSV)."""
    async with request.app.state.database.work(actor, purpose="keep_directory") as work:
        found = await agencies.list_agencies(work)
    headers = {"Content-Disposition": f'attachment; filename="direktori.{format_}"'}
    return Response(importing.exported(found, format_), headers=headers, media_type=MEDIA[format_])


@router.post("/agencies/previews")
@body_limit(importing.MOST_BYTES)
@takes("application/json", "text/csv")
async def preview_import(request: Request, actor: Keeper) -> Response:
    """What a file would change, row by row; nothing is stored. `digest` confirms exactly this."""
    content = await request.body()
    async with request.app.state.database.work(actor, purpose="keep_directory") as work:
        looked = await importing.preview(work, content, ruled=request.app.state.routing.rules.kinds)
    return json_response(shown(language_of(request), looked))


@router.post("/agencies/imports", openapi_extra=KEYED)
@body_limit(importing.MOST_BYTES)
@takes("application/json", "text/csv")
async def post_import(
    request: Request, actor: Keeper, digest: Annotated[Digest, Query(description="Of the preview.")]
) -> Response:
    """Take a file in as it was looked at: all of it, or nothing when it or the directory has changed since."""
    content, key = await request.body(), await key_of(request)
    async with request.app.state.database.work(actor, purpose="keep_directory") as work:

        async def once() -> Response:
            taken = await importing.take_in(work, content, digest, ruled=request.app.state.routing.rules.kinds)
            return json_response({"digest": taken.digest, "counts": taken.counts})

        return await idempotent(request, work, key, once)


@router.post("/agencies/own/changes", openapi_extra=KEYED)
async def change_own_entry(request: Request, actor: Supervisor, posted: OwnChanges) -> Response:
    """Bring the own office's entry up to date; what is not named is confirmed as it is."""
    key = await key_of(request)
    async with request.app.state.database.work(actor, purpose="keep_own_entry") as work:

        async def once() -> Response:
            values = values_of(language_of(request), posted.fields.model_dump(exclude_unset=True))
            return json_response(await keeping.change_own_entry(work, values, version=posted.version))

        return await _refusing(request, idempotent(request, work, key, once))


@router.get("/agencies/{office}")
async def get_agency(
    request: Request, office: Office, actor: Annotated[Actor, Depends(require(*policy.ANYBODY))]
) -> Response:
    """One office."""
    async with request.app.state.database.work(actor, purpose="look") as work:
        found = await agencies.find_agency(work, office)
    if found is None:
        raise keeping.AgencyUnknown(office)
    return json_response(found)


@router.get("/agencies/{office}/versions")
async def get_versions(request: Request, office: Office, actor: Keeper) -> Response:
    """What an entry was before, the latest change first: when, by which role, and what of it."""
    async with request.app.state.database.work(actor, purpose="keep_directory") as work:
        found = await agencies.list_versions(work, office, limit=MOST_VERSIONS)
    if not found:
        raise keeping.AgencyUnknown(office)
    return json_response({"items": [_version(version) for version in found]})


@router.post("/agencies/{office}/changes", openapi_extra=KEYED)
async def change_agency(request: Request, office: Office, actor: Keeper, posted: Changes) -> Response:
    """Change fields of an office, or take it out of routing and back (`is_suspended`)."""
    key = await key_of(request)
    async with request.app.state.database.work(actor, purpose="keep_directory") as work:

        async def once() -> Response:
            values = values_of(language_of(request), posted.fields.model_dump(exclude_unset=True))
            return json_response(await keeping.change_agency(work, office, values, version=posted.version))

        return await _refusing(request, idempotent(request, work, key, once))


class Offer(BaseModel):
    """Places of one sort, and until when that is to be believed: up to seven days."""

    model_config = ConfigDict(extra="forbid")

    sex: Literal["F", "M", "any"] = Field(examples=["F"])
    age_band: Literal["child", "adult", "elderly", "any"] = Field(examples=["adult"])
    accessible: bool = Field(default=False, strict=True)
    offered: int = Field(ge=0, le=capacity.MOST_PLACES, strict=True, examples=[4])
    expires_at: AwareDatetime = Field(examples=["2026-12-01T08:00:00+08:00"])


@router.get("/places")
async def get_places(request: Request, actor: Worker) -> Response:
    """The own office's places by sort. `free` is null when the publication is too old: then nobody knows."""
    async with request.app.state.database.work(actor, purpose="look") as work:
        found = await places.list_places(work, actor.organisation)
        return json_response({"items": [{**asdict(place), "free": place.free(work.now)} for place in found]})


@router.post("/places", openapi_extra=KEYED)
async def post_places(request: Request, actor: Worker, posted: Items[Offer]) -> Response:
    """Say how many places the own office has, sort by sort; sorts that are not named stay as they are."""
    key = await key_of(request)
    async with request.app.state.database.work(actor, purpose="publish_places") as work:

        async def once() -> Response:
            offers = [Place(**item.model_dump(), agency_id=actor.organisation, taken=0) for item in posted.items]
            try:
                published = await leasing.publish_places(work, offers)
            except capacity.PlacesTaken as taken:
                raise Invalid([too_few(language_of(request), taken)]) from None
            return json_response({"items": [{**asdict(place), "free": place.free(work.now)} for place in published]})

        return await idempotent(request, work, key, once)


def too_few(language: Language, taken: capacity.PlacesTaken) -> FieldProblem:
    """Fewer places than are taken, in words and numbers."""
    return FieldProblem(
        "offered",
        translate(language, capacity.TOO_FEW) % {"offered": taken.offered, "taken": taken.taken},
        translate(language, capacity.TOO_FEW_REMEDY) % {"taken": taken.taken},
    )


async def _refusing(request: Request, answer: Any) -> Response:
    """The answer; an entry that cannot stand is refused field by field."""
    try:
        response: Response = await answer
    except keeping.EntryUnusable as unusable:
        raise Invalid([said(language_of(request), problem) for problem in unusable.problems]) from None
    return response


def values_of(language: Language, fields: dict[str, str]) -> dict[str, Any]:
    """The values that these texts stand for. Raises `Invalid`."""
    values, wrong = hsds.values_of(fields)
    if wrong:
        raise Invalid([said(language, problem) for problem in wrong])
    return values


def said(language: Language, problem: Problem) -> FieldProblem:
    """A problem of a field in words."""
    return FieldProblem(problem.field, translate(language, problem.message), translate(language, problem.remedy))


def shown(language: Language, looked: Preview) -> dict[str, Any]:
    """A preview, its problems in words."""
    return {
        "digest": looked.digest,
        "counts": looked.counts,
        "rows": [
            {
                **asdict(row),
                "problems": [
                    {
                        "field": p.field,
                        "code": p.code,
                        "value": p.value,
                        "message": translate(language, p.message),
                        "remedy": translate(language, p.remedy),
                    }
                    for p in row.problems
                ],
            }
            for row in looked.rows
        ],
    }


def _version(version: Version) -> dict[str, Any]:
    return {
        "version": version.agency.version,
        "changed_at": version.changed_at,
        "change": version.change,
        "fields": version.fields,
        "by_role": version.by_role,
        "entry": hsds.row(version.agency),
    }
