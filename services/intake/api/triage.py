"""Completing who was logged in a hurry, and finding a case by the code of its slip."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from services.intake import policy
from services.intake.actions import completing, slips
from services.intake.actions.arrival_corrections import ArrivalChanged, ChangedMeanwhile
from services.intake.actions.slips import NotACode
from services.intake.api.arrival_corrections import CONFLICTS
from services.intake.api.keyed import once
from services.intake.domain import cells
from services.intake.domain.cells import BadCell
from services.intake.domain.completing import COMPLETED
from services.intake.domain.corrections import read_value
from services.intake.domain.households import NO_PROOF, NOT_STATED, Link
from services.intake.domain.problems import CELL_PROBLEMS
from shared.contracts import codes
from shared.contracts.codes import AgeBand, NeedCode, Sex
from shared.contracts.fact import Id, Identifying, RegencyCode
from shared.contracts.intake.households import Relation, RelationProof
from shared.kit import identity, web, words
from shared.kit.actor import Actor
from shared.kit.database import Database
from shared.kit.words import Language, msg
from shared.kit.work import Work

router = APIRouter(tags=["arrivals"])

Officer = Annotated[Actor, Depends(identity.require("port_officer"))]
Reader = Annotated[Actor, Depends(identity.require(*policy.PORT_ROLES))]
Said = Annotated[str, StringConstraints(strip_whitespace=True, max_length=200), Identifying()]

MOST = 200


class CompletionIn(BaseModel):
    """What is known now; empty fields stay as they are. `version` is that of the arrival as it was looked at."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        json_schema_extra={
            "examples": [{"version": 1, "full_name": "Siti", "birth": "1987", "origin_regency": "73.06"}]
        },
    )

    version: Annotated[int, Field(ge=1, le=2**31 - 1, strict=True)]
    full_name: Said = ""
    birth: Said = ""
    """As people write it; it has to agree with the age group that was seen."""
    nik: Said = ""
    document_type: Said = ""
    document_number: Said = ""
    mother_name: Said = ""
    origin_village: Said = ""
    family_contact: Said = ""
    language: Said = ""
    origin_regency: RegencyCode | None = None
    """Taken where none is known; a wrong one is corrected."""
    relation: Relation = NOT_STATED
    """What the adult who answers for a child is to it, where nobody has said it yet."""
    proof: RelationProof = NO_PROOF
    """What shows that."""


class CompletedOut(BaseModel):
    """`version` is that of the arrival now."""

    case_id: str
    version: int


class AnsweringOut(BaseModel):
    """The adult who answers for a child; `relation` and `proof` are to be completed where they say nothing."""

    link_id: str
    adult_case_id: str
    relation: Relation
    proof: RelationProof


class UnfinishedOut(BaseModel):
    """Somebody who was logged in a hurry, in codes. `guardian` is null for who is no child or a child alone."""

    case_id: str
    voyage_id: str | None
    sex: Sex
    age_band: AgeBand
    origin_regency: RegencyCode | None
    needs: list[NeedCode]
    recorded_at: datetime
    guardian: AnsweringOut | None


class UnfinishedPage(BaseModel):
    """`next` is the `after` of the next page; None on the last."""

    items: list[UnfinishedOut]
    next: str | None


class FoundOut(BaseModel):
    """Nearly always one case, none where the code is no case of the port's of the last 400 days."""

    case_ids: list[str]


@router.get("/api/arrivals/unfinished", response_model=UnfinishedPage, summary="Who is to be completed")
async def list_unfinished(
    request: Request,
    actor: Reader,
    after: Annotated[Id | None, Query(description="The `next` of the page before")] = None,
    limit: Annotated[int, Query(ge=1, le=MOST)] = 50,
) -> Response:
    """People of the port who were logged in a hurry, the earliest first."""
    policy.own_port(actor)
    database: Database = request.app.state.database
    async with database.work(actor, purpose="look") as work:
        found = await completing.list_incomplete(work, after=after, limit=limit + 1)
    items = [{**one.arrival._asdict(), "guardian": _answering(one.link)} for one in found[:limit]]
    next_ = found[limit - 1].arrival.case_id if len(found) > limit else None
    return web.json_response({"items": items, "next": next_})


@router.post(
    "/api/arrivals/{case_id}/completion",
    response_model=CompletedOut,
    summary="Complete who somebody is",
    openapi_extra=web.KEYED,
    responses=CONFLICTS,
)
async def complete(request: Request, case_id: Id, sent: CompletionIn, actor: Officer) -> Response:
    """Fill what is empty: of the identity, the origin, and of a child what the adult is to it who answers for it.

    Needs the header Idempotency-Key.

    What stands there already is neither shown nor overwritten: for that a correction is asked for.
    """
    language = web.language_of(request)
    said = _read(language, sent)
    if sent.origin_regency is not None and sent.origin_regency not in codes.regencies():
        raise web.Invalid([_problem(language, "origin_regency", *CELL_PROBLEMS["regency_unknown"])])
    vault = request.app.state.vault

    async def act(work: Work) -> Response:
        kept = await completing.complete_identity(
            *(work, vault, case_id, said),
            version=sent.version,
            origin=sent.origin_regency,
            relation=sent.relation,
            proof=sent.proof,
        )
        return web.json_response({"case_id": case_id, "version": kept.version})

    try:
        return await once(request, actor, act, purpose="correct", names=True)
    except ChangedMeanwhile as changed:
        raise ArrivalChanged(language, changed, lambda _, code: code) from None


@router.get("/api/cases", response_model=FoundOut, summary="Find a case by the code of its slip")
async def find_by_code(
    request: Request,
    actor: Reader,
    code: Annotated[str, Query(max_length=40, description="Like 21A0-MH32-B, however it is written")],
) -> Response:
    """Of the own port alone."""
    language = web.language_of(request)
    database: Database = request.app.state.database
    try:
        async with database.work(actor, purpose="look") as work:
            found = await slips.find_by_code(work, code)
    except NotACode:
        message = msg("This is not the code of a slip: a sign is missing or was copied wrongly.")
        raise web.Invalid([_problem(language, "code", message, msg("It has nine signs, like 21A0-MH32-B."))]) from None
    return web.json_response({"case_ids": found})


def _read(language: Language, sent: CompletionIn) -> dict[str, str]:
    """The fields in the form that they are kept in. Raises `Invalid`."""
    said, errors = {}, []
    for name in COMPLETED:
        text = getattr(sent, name)
        try:
            if text:
                cells.text(text)
                said[name] = read_value(name, text)
        except BadCell as bad:
            errors.append(_problem(language, name, *CELL_PROBLEMS[bad.code]))
    if errors:
        raise web.Invalid(errors)
    return said


def _answering(link: Link | None) -> dict[str, str] | None:
    return None if link is None else {name: getattr(link, name) for name in AnsweringOut.model_fields}


def _problem(language: Language, field: str, message: str, remedy: str) -> web.FieldProblem:
    return web.FieldProblem(f"/{field}", words.translate(language, message), words.translate(language, remedy))
