"""Voyages: announced, corrected, how they stand, and who was recorded of them."""

from datetime import date, datetime, time, timedelta
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from services.intake import policy
from services.intake.actions import voyage_corrections, voyages
from services.intake.actions.arrivals import port_of
from services.intake.actions.totals import Said, problem_of_part
from services.intake.actions.voyage_corrections import VoyageChanged, VoyageChangedMeanwhile
from services.intake.api.keyed import once
from services.intake.api.reconciliation import LetterIn, parts_of
from services.intake.domain.refusals.totals import PartTwice, PartUnknown
from services.intake.domain.voyage_corrections import Said as VoyageSaid
from services.intake.domain.voyages import FIRST_DAY, LAST_DAY, MOST_ANNOUNCED, Counts, Modality, Voyage
from services.intake.store import arrivals as arrivals_store
from services.intake.store import voyages as store
from services.intake.store.arrivals import Line
from shared.contracts.codes import AgeBand, NeedCode, Sex, VoyageCorrectionReason, VoyageField
from shared.contracts.fact import AwareDatetime, Id
from shared.kit import identity, web
from shared.kit.actor import Actor
from shared.kit.database import Database
from shared.kit.work import Work

router = APIRouter(tags=["voyages"])

PortActor = Annotated[Actor, Depends(identity.require(*policy.PORT_ROLES))]
MOST_VOYAGES = 200
MOST_LINES = 500


Vessel = Annotated[str, StringConstraints(strip_whitespace=True, max_length=80, pattern=r"^[^\x00-\x1f\x7f]*$")]


class VoyageIn(BaseModel):
    """A voyage as a consular letter announces it. It lands at the port of the one who announces it."""

    model_config = ConfigDict(extra="forbid")

    modality: Modality
    vessel: Vessel = ""
    announced: Annotated[int, Field(ge=0, le=MOST_ANNOUNCED, strict=True)]
    expected_at: AwareDatetime
    """Within a year from now; late entry counts as announcing."""
    letter: LetterIn | None = None
    """What the letter says besides; more letters, and minutes of handovers, are kept with `totals`."""


class VoyageCorrectionIn(BaseModel):
    """What a voyage is from now on; what is left out stays as it is.

    `version` is that of the voyage as it was looked at. An `expected_at` that changes is within a year from now.
    """

    model_config = ConfigDict(extra="forbid")

    version: Annotated[int, Field(ge=1, le=2**31 - 1, strict=True)]
    expected_at: AwareDatetime | None = None
    vessel: Vessel | None = None
    modality: Modality | None = None
    reason: VoyageCorrectionReason


class CountsOut(BaseModel):
    """`listed` + `unlisted` = `arrived` + `rejected` + `waiting` + `absent`.

    `listed`: people on the name lists; `unlisted`: arrived, but on none; `rejected`: listed rows that are still held
    back; `waiting`: rows of a list that is still being recorded; `absent`: listed, called on the quay and not there.
    """

    announced: int
    listed: int
    absent: int
    unlisted: int
    rejected: int
    waiting: int
    arrived: int
    referred: int


class VoyageFactsOut(BaseModel):
    """A voyage as it is now; it is corrected on this `version`."""

    voyage_id: str
    port: str
    modality: Modality
    vessel: str
    expected_at: datetime
    version: int


class VoyageOut(VoyageFactsOut):
    counts: CountsOut


class VoyageStepOut(BaseModel):
    """One correction: `version` is the voyage's after it; of each field what it said before and says now."""

    version: int
    changed: list[VoyageField]
    was_expected_at: datetime
    expected_at: datetime
    was_vessel: str
    vessel: str
    was_modality: Modality
    modality: Modality
    reason: VoyageCorrectionReason
    corrected_by: str
    corrected_at: datetime


class NeedOut(BaseModel):
    people: int
    referred: int


class VoyageReportOut(VoyageOut, CountsOut):
    """A voyage in full; the counts stand here too."""

    needs: dict[str, NeedOut]
    corrections: list[VoyageStepOut]


class LineOut(BaseModel):
    """One arrival of a voyage, in codes. `referred`: each of its needs has become an open referral."""

    case_id: str
    manifest_row: int | None
    sex: Sex
    age_band: AgeBand
    needs: list[NeedCode]
    referred_needs: list[NeedCode]
    referred: bool
    recorded_at: datetime


class LinesOut(BaseModel):
    """`next` is the `after` of the next page; None on the last."""

    items: list[LineOut]
    next: str | None


@router.post("/api/voyages", status_code=201, response_model=VoyageOut, openapi_extra=web.KEYED)
async def announce_voyage(request: Request, sent: VoyageIn, actor: PortActor) -> Response:
    """Announce a voyage. Needs the header Idempotency-Key."""
    letter = None
    if sent.letter is not None:
        said = sent.letter
        letter = Said("letter", sent.announced, said.number, said.dated, said.issued_by, parts=parts_of(said.parts))

    async def act(work: Work) -> Response:
        voyage = await voyages.announce_voyage(
            work,
            modality=sent.modality,
            vessel=sent.vessel,
            announced=sent.announced,
            expected_at=sent.expected_at,
            letter=letter,
        )
        return web.json_response(_voyage(voyage, Counts(voyage.announced)), 201)

    try:
        return await once(request, actor, act, purpose="reception")
    except (PartUnknown, PartTwice) as wrong:
        problem = problem_of_part(web.language_of(request), wrong)
        raise web.Invalid([web.FieldProblem("/letter/parts", *problem)]) from None


@router.get("/api/voyages", response_model=list[VoyageOut])
async def list_voyages(
    request: Request,
    actor: PortActor,
    day: Annotated[date | None, Query(ge=FIRST_DAY, le=LAST_DAY, description="In the port's zone")] = None,
) -> Response:
    """The voyages of a day at the actor's port, today's when no day is given."""
    database: Database = request.app.state.database
    port = port_of(actor)
    zone = ZoneInfo(port.zone)
    start = datetime.combine(day or database.clock.now().astimezone(zone).date(), time(), zone)
    async with database.work(actor, purpose="look") as work:
        found = await store.expected_between(work, start, start + timedelta(days=1), limit=MOST_VOYAGES)
    return web.json_response([_voyage(s.voyage, s.counts) for s in found])


@router.get("/api/voyages/{voyage_id}", response_model=VoyageReportOut)
async def show_voyage(request: Request, voyage_id: Id, actor: PortActor) -> Response:
    """One voyage with all its counts."""
    report = await voyages.report_voyage(request.app.state.database, actor, voyage_id)
    kinds = {need: {"people": people, "referred": report.opened.get(need, 0)} for need, people in report.needs.items()}
    counts = _counts(report.counts)
    steps = [{name: getattr(step, name) for name in VoyageStepOut.model_fields} for step in report.steps]
    return web.json_response({**_voyage(report.voyage, report.counts), **counts, "needs": kinds, "corrections": steps})


@router.post(
    "/api/voyages/{voyage_id}/correction",
    response_model=VoyageFactsOut,
    summary="Correct when a voyage is expected, its ship or flight, or its kind of return",
    openapi_extra=web.KEYED,
    responses={409: {"description": "Corrected meanwhile: the answer names both values, who was first and when"}},
)
async def correct_voyage(request: Request, voyage_id: Id, sent: VoyageCorrectionIn, actor: PortActor) -> Response:
    """Who was recorded before landed when it was said then; who is recorded from now on, at the new time."""
    said = VoyageSaid(sent.expected_at, sent.vessel, sent.modality)

    async def act(work: Work) -> Response:
        after = await voyage_corrections.correct_voyage(
            work, voyage_id, version=sent.version, said=said, reason=sent.reason
        )
        return web.json_response(_facts(after))

    try:
        return await once(request, actor, act, purpose="correct")
    except VoyageChangedMeanwhile as changed:
        raise VoyageChanged(web.language_of(request), changed, lambda _, value: str(value)) from None


@router.get("/api/voyages/{voyage_id}/arrivals", response_model=LinesOut)
async def list_arrivals(
    request: Request,
    voyage_id: Id,
    actor: PortActor,
    after: Annotated[Id | None, Query(description="The case after which to go on")] = None,
    limit: Annotated[int, Query(ge=1, le=MOST_LINES)] = 100,
) -> Response:
    """Who arrived on a voyage, in the order they were recorded: each case as it is referred, without a name."""
    database: Database = request.app.state.database
    voyage = await voyages.find_voyage(database, actor, voyage_id)
    async with database.work(actor, purpose="look") as work:
        found = await arrivals_store.of_voyage(work, voyage.voyage_id, after=after, limit=limit + 1)
    return web.json_response(
        {
            "items": [_line(line) for line in found[:limit]],
            "next": found[limit - 1].case_id if len(found) > limit else None,
        }
    )


def _line(line: Line) -> dict[str, Any]:
    return {
        "case_id": line.case_id,
        "manifest_row": line.manifest_row,
        "sex": line.sex,
        "age_band": line.age_band,
        "needs": line.needs,
        "referred_needs": sorted(line.opened),
        "referred": line.referred,
        "recorded_at": line.recorded_at,
    }


def _voyage(voyage: Voyage, counts: Counts) -> dict[str, Any]:
    return {**_facts(voyage), "counts": _counts(counts)}


def _facts(voyage: Voyage) -> dict[str, Any]:
    return {name: getattr(voyage, name) for name in VoyageFactsOut.model_fields}


def _counts(counts: Counts) -> dict[str, int]:
    return {
        "announced": counts.announced,
        "listed": counts.listed,
        "unlisted": counts.unlisted,
        "rejected": counts.rejected,
        "waiting": counts.waiting,
        "absent": counts.absent,
        "arrived": counts.arrived,
        "referred": counts.referred,
    }
