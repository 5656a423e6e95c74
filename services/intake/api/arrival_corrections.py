"""Corrections of what routing rests on: age, sex, origin, needs; entered in error; died. On the version looked at."""

from collections.abc import Awaitable, Callable
from datetime import date, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from services.intake import policy
from services.intake.actions import ages, deaths, endings
from services.intake.actions import arrival_corrections as actions
from services.intake.actions.ages import Told
from services.intake.actions.arrival_corrections import ArrivalChanged, ChangedMeanwhile
from services.intake.api.corrections import unfit
from services.intake.api.keyed import once
from services.intake.domain import dates, people
from services.intake.domain.arrival_corrections import (
    DeathPlace,
    DeathUndoneReason,
    Doubt,
    ErrorReason,
    Kept,
    Kind,
    Proposal,
    Step,
)
from services.intake.domain.cells import BadCell
from shared.contracts import codes
from shared.contracts.codes import AgeBand, AgeProof, CorrectionReason, NeedCode, Sex, StrikeReason
from shared.contracts.fact import Id, Identifying, RegencyCode
from shared.kit import identity, web
from shared.kit.actor import Actor
from shared.kit.database import Database
from shared.kit.words import msg
from shared.kit.work import Work

router = APIRouter(tags=["arrivals"])

Officer = Annotated[Actor, Depends(identity.require("port_officer"))]
Reader = Annotated[Actor, Depends(identity.require(*policy.PORT_ROLES))]
CONFLICTS: dict[int | str, dict[str, Any]] = {
    409: {"description": "Corrected meanwhile: the answer names both values, who was first and when; or it has ended"}
}


class CorrectionOf(BaseModel):
    """`version` is that of the arrival as it was looked at."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    version: Annotated[int, Field(ge=1, le=2**31 - 1, strict=True)]


class SexIn(CorrectionOf):
    sex: Sex
    reason: CorrectionReason


class OriginIn(CorrectionOf):
    """`origin_regency` null: nobody knows where the person comes from."""

    origin_regency: RegencyCode | None
    reason: CorrectionReason

    @model_validator(mode="after")
    def _is_known(self) -> "OriginIn":
        if self.origin_regency is not None and self.origin_regency not in codes.regencies():
            raise ValueError(msg("There is no regency or city with this code."))
        return self


class NeedsIn(CorrectionOf):
    """What is added has a `reason`, what is struck a `strike_reason`."""

    add: tuple[NeedCode, ...] = ()
    reason: CorrectionReason | None = None
    strike: tuple[NeedCode, ...] = ()
    strike_reason: StrikeReason | None = None

    @model_validator(mode="after")
    def _says_why(self) -> "NeedsIn":
        if (self.add and self.reason is None) or (self.strike and self.strike_reason is None):
            raise ValueError(msg("Choose why it is corrected."))
        return self


class AgeIn(CorrectionOf):
    """A birth, or the age in years when landing; neither: nobody knows, and the person is treated as a child."""

    birth_date: Annotated[str, StringConstraints(pattern=r"^\d{4}(-\d{2}(-\d{2})?)?$"), Identifying()] | None = None
    age: Annotated[int, Field(ge=0, le=people.OLDEST, strict=True), Identifying()] | None = None
    reason: CorrectionReason
    proof: AgeProof | None = None


class ErrorIn(CorrectionOf):
    """`duplicate_of`: for a duplicate the case that stays."""

    reason: ErrorReason
    duplicate_of: Id | None = None


class DeathIn(CorrectionOf):
    died_on: date
    place: DeathPlace


class DoubtIn(CorrectionOf):
    reason: DeathUndoneReason


class CorrectedOut(BaseModel):
    """One correction: `version` is the arrival's after it."""

    version: int
    kind: Kind
    was: str | None
    became: str | None
    added: list[NeedCode]
    struck: list[NeedCode]
    reason: str | None
    strike_reason: StrikeReason | None
    proof: AgeProof | None
    duplicate_of: str | None
    died_on: date | None
    proposed_by: str | None
    corrected_by: str
    corrected_at: datetime


class ProposalOut(BaseModel):
    """That a child, or who may be one, is to count as of age; it waits for a second person."""

    proposal_id: str
    case_id: str
    was: AgeBand
    becomes: AgeBand
    reason: CorrectionReason
    proof: AgeProof
    proposed_by: str
    proposed_at: datetime
    due_at: datetime
    """Until when a second person should decide; four days later it ends by itself."""


class DoubtOut(BaseModel):
    """That somebody lives who was noted as dead; it waits for a second person."""

    doubt_id: str
    case_id: str
    reason: DeathUndoneReason
    proposed_by: str
    proposed_at: datetime


class StateOut(BaseModel):
    """An arrival as it is now, in codes. `proposal`: about its age, one that was made or still waits."""

    case_id: str
    version: int
    ended_as: str | None
    sex: Sex
    age_band: AgeBand
    origin_regency: str | None
    needs: list[NeedCode]
    proposal: ProposalOut | None = None


class HistoryOut(StateOut):
    history: list[CorrectedOut]


@router.get("/api/arrivals/{case_id}", response_model=HistoryOut, summary="One arrival, with what was corrected of it")
async def show_arrival(request: Request, case_id: Id, actor: Reader) -> Response:
    """An arrival of the own port in codes, and each correction: what, why, who and when."""
    database: Database = request.app.state.database
    async with database.work(actor, purpose="look") as work:
        seen = await actions.look(work, case_id)
    return web.json_response(
        {**_state(seen.kept, seen.proposal), "history": [corrected_out(step) for step in seen.steps]}
    )


@router.post(
    "/api/arrivals/{case_id}/sex",
    response_model=StateOut,
    summary="Correct the sex",
    openapi_extra=web.KEYED,
    responses=CONFLICTS,
)
async def correct_sex(request: Request, case_id: Id, sent: SexIn, actor: Officer) -> Response:
    """Who helps is chosen anew where it hangs on it. Needs the header Idempotency-Key."""
    return await correct(
        request,
        actor,
        lambda work: actions.correct_sex(work, case_id, version=sent.version, to=sent.sex, reason=sent.reason),
    )


@router.post(
    "/api/arrivals/{case_id}/origin",
    response_model=StateOut,
    summary="Correct the origin",
    openapi_extra=web.KEYED,
    responses=CONFLICTS,
)
async def correct_origin(request: Request, case_id: Id, sent: OriginIn, actor: Officer) -> Response:
    """Needs that are due at home are routed again, with their first attempts in the history."""
    return await correct(
        request,
        actor,
        lambda work: actions.correct_origin(
            work, case_id, version=sent.version, to=sent.origin_regency, reason=sent.reason
        ),
    )


@router.post(
    "/api/arrivals/{case_id}/needs",
    response_model=StateOut,
    summary="Add or strike needs",
    openapi_extra=web.KEYED,
    responses=CONFLICTS,
)
async def correct_needs(request: Request, case_id: Id, sent: NeedsIn, actor: Officer) -> Response:
    """What is added is referred, what is struck ends as entered in error. What follows from the age comes with it."""
    return await correct(
        request,
        actor,
        lambda work: actions.correct_needs(
            work,
            case_id,
            version=sent.version,
            add=sent.add,
            strike=sent.strike,
            reason=sent.reason,
            strike_reason=sent.strike_reason,
        ),
    )


@router.post(
    "/api/arrivals/{case_id}/age",
    response_model=StateOut,
    summary="Correct the age",
    openapi_extra=web.KEYED,
    responses={**CONFLICTS, 202: {"model": StateOut, "description": "Asked for: another person has to confirm it"}},
)
async def correct_age(request: Request, case_id: Id, sent: AgeIn, actor: Officer) -> Response:
    """Towards a child at once. A child, or who may be one, is of age when another person has confirmed it (202)."""

    async def act(work: Work) -> Kept | Proposal:
        try:
            told = Told(None if sent.birth_date is None else dates.read_birth(sent.birth_date), sent.age)
        except dates.BadDate as bad:
            raise unfit(request, "/birth_date", BadCell(bad.code)) from None
        try:
            return await ages.correct_age(
                work,
                request.app.state.vault,
                case_id,
                version=sent.version,
                told=told,
                reason=sent.reason,
                proof=sent.proof,
            )
        except BadCell as bad:
            raise unfit(request, "/birth_date", bad) from None

    return await correct(request, actor, act)


@router.post(
    "/api/arrivals/{case_id}/error",
    response_model=StateOut,
    summary="Enter an arrival in error",
    openapi_extra=web.KEYED,
    responses=CONFLICTS,
)
async def enter_in_error(request: Request, case_id: Id, sent: ErrorIn, actor: Officer) -> Response:
    """It should never have been recorded: whatever goes on for it ends, and who helps is told."""
    return await correct(
        request,
        actor,
        lambda work: endings.enter_in_error(
            work, case_id, version=sent.version, reason=sent.reason, duplicate_of=sent.duplicate_of
        ),
    )


@router.post(
    "/api/arrivals/{case_id}/death",
    response_model=StateOut,
    summary="Note that somebody has died",
    openapi_extra=web.KEYED,
    responses=CONFLICTS,
)
async def note_death(request: Request, case_id: Id, sent: DeathIn, actor: Officer) -> Response:
    """What goes on for the person ends; that the remains come home is referred."""
    return await correct(
        request,
        actor,
        lambda work: endings.note_death(work, case_id, version=sent.version, died_on=sent.died_on, place=sent.place),
    )


@router.post(
    "/api/arrivals/{case_id}/death/doubt",
    status_code=202,
    response_model=DoubtOut,
    summary="Say that somebody lives who was noted as dead",
    openapi_extra=web.KEYED,
    responses=CONFLICTS,
)
async def doubt_death(request: Request, case_id: Id, sent: DoubtIn, actor: Officer) -> Response:
    """Another person has to confirm it; then what ended because of the death goes on."""
    return await correct(
        request,
        actor,
        lambda work: deaths.doubt(work, case_id, version=sent.version, reason=sent.reason),
    )


async def correct(
    request: Request, actor: Actor, step: Callable[[Work], Awaitable[Kept | Proposal | Doubt]]
) -> Response:
    """One keyed correction and its answer. Raises `ArrivalChanged` for who comes second."""

    async def act(work: Work) -> Response:
        done = await step(work)
        if isinstance(done, Kept):
            return web.json_response(_state(done, None))
        if isinstance(done, Doubt):
            return web.json_response(doubt_out(done), 202)
        seen = await actions.look(work, done.case_id)
        return web.json_response(_state(seen.kept, done), 202)

    try:
        return await once(request, actor, act, purpose="correct", names=True)
    except ChangedMeanwhile as changed:
        raise ArrivalChanged(web.language_of(request), changed, lambda _, code: code) from None


def corrected_out(step: Step) -> dict[str, Any]:
    """One correction in codes."""
    return {name: getattr(step, name) for name in CorrectedOut.model_fields}


def doubt_out(one: Doubt) -> dict[str, Any]:
    return {name: getattr(one, name) for name in DoubtOut.model_fields}


def proposal_out(one: Proposal) -> dict[str, Any]:
    return {name: getattr(one, name) for name in ProposalOut.model_fields}


def _state(kept: Kept, proposal: Proposal | None) -> dict[str, Any]:
    state = {name: getattr(kept, name) for name in StateOut.model_fields if name != "proposal"}
    return {**state, "proposal": None if proposal is None else proposal_out(proposal)}
