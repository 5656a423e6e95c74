"""Finding a person by a number, and handing out what is kept: at the person's own request (UU 27/2022 Art 30, 32)."""

from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, ConfigDict, StringConstraints

from services.intake import policy
from services.intake.actions import records
from services.intake.actions.records import By, Export
from services.intake.api.arrival_corrections import CorrectedOut, corrected_out
from services.intake.api.consents import EntryOut, entry_out
from services.intake.api.erasures import Reference
from services.intake.api.screening import ScreeningOut, screening_out
from services.intake.domain.households import Link, LinkState
from services.intake.store.persons import Case
from shared.contracts.codes import AgeBand, NeedCode, Sex
from shared.contracts.fact import Id, Identifying
from shared.contracts.intake.households import HouseholdReason, Relation, RelationProof
from shared.kit import identity, web
from shared.kit.actor import Actor
from shared.kit.database import Database

router = APIRouter(tags=["personal data"])

Protector = Annotated[Actor, Depends(identity.require(policy.PROTECTION_ROLE))]
Exporter = Annotated[Actor, Depends(identity.require_recent(policy.PROTECTION_ROLE))]

SCHEMA = "rujukan.person.v1"
OF_OTHERS = frozenset({"case_id", "members", "adult_case_id"})
"""What of a fact is not handed out: the number of the case stands beside it, the others are other people's."""


class SearchIn(BaseModel):
    """A number that a person came with, or the id of a case, or the code of its slip. It is never in an address."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    by: By
    value: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=40), Identifying()]


class CaseOut(BaseModel):
    """A case in codes. `erased`: nobody can read any more whose it is."""

    case_id: str
    port: str
    origin_regency: str | None
    sex: Sex
    age_band: AgeBand
    needs: list[NeedCode]
    onward_wish: str
    channel: str
    arrived_at: datetime
    recorded_at: datetime
    erased: bool


class CasesOut(BaseModel):
    items: list[CaseOut]


class ExportIn(BaseModel):
    """`reference` is the number under which the person's request is kept; never a name."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    reference: Reference


class ExportedCaseOut(CaseOut):
    """A case with the identity that is kept of it; empty once it was erased."""

    identity: Annotated[dict[str, str], Identifying()]
    corrections: list[CorrectedOut] = []
    """What was corrected of its codes, first to last."""


class ExportedConsentOut(EntryOut):
    """What was recorded of consent in one case, with the names and words that were sealed with it."""

    case_id: str
    words: Annotated[dict[str, str], Identifying()]


class BelongingOut(BaseModel):
    """That somebody belonged to a household; who else does is for them to know. `others`: how many do now."""

    case_id: str
    household_id: str
    joined_as: HouseholdReason
    joined_at: datetime
    parted_for: HouseholdReason | None
    parted_at: datetime | None
    others: int


class GuardianshipOut(BaseModel):
    """That an adult answers for a child; `role` is the person's own."""

    case_id: str
    role: Literal["child", "adult"]
    relation: Relation
    proof: RelationProof
    state: LinkState
    since: datetime
    until: datetime | None


class AskedOut(ScreeningOut):
    """What the person was asked at the port, and answered."""

    answers: Annotated[dict[str, str], Identifying()]


class StepOut(BaseModel):
    """One thing that was done with the data: when, what, by which organisation, what for, with its facts in codes."""

    case_id: str
    at: datetime
    what: str
    organisation: str
    purpose: str
    facts: dict[str, Any]


class ExportOut(BaseModel):
    """All that is kept of one person. `schema_` stands as `schema`; a new number means another form."""

    model_config = ConfigDict(populate_by_name=True)

    schema_: Annotated[str, StringConstraints(pattern="^rujukan\\.person\\.v1$")]
    made_at: datetime
    reference: str
    cases: list[ExportedCaseOut]
    consents: list[ExportedConsentOut]
    households: list[BelongingOut] = []
    guardians: list[GuardianshipOut] = []
    screenings: list[AskedOut] = []
    processing: list[StepOut]


@router.post("/api/persons/search", response_model=CasesOut, summary="Find a person's cases by a number")
@web.reads_people
async def search(request: Request, sent: SearchIn, actor: Protector) -> Response:
    """The cases of whoever came with exactly this number. The search is on the trail before the answer leaves."""
    database: Database = request.app.state.database
    async with database.work(actor, purpose="protect") as work:
        found = await records.find_cases(work, request.app.state.vault, by=sent.by, value=sent.value)
    return web.json_response({"items": [case_out(case) for case in found]})


@router.post("/api/cases/{case_id}/export", response_model=ExportOut, summary="Everything that is kept of a person")
@web.reads_people
async def export(request: Request, case_id: Id, sent: ExportIn, actor: Exporter) -> Response:
    """A person's data and who has seen it, for that person. On the trail before the bytes leave.

    Needs a log-in of the last five minutes. The same person's data again is another handing out.
    """
    database: Database = request.app.state.database
    async with database.work(actor, purpose="export") as work:
        made = await records.hand_out(work, request.app.state.vault, case_id, reference=sent.reference, form="json")
        made_at = work.now
    headers = {"Content-Disposition": f'attachment; filename="rujukan-{case_id[-8:]}.json"'}
    return web.json_response(_export(made, made_at), headers=headers)


def case_out(case: Case) -> dict[str, Any]:
    names = set(CaseOut.model_fields) - {"erased"}
    return {**{name: getattr(case, name) for name in sorted(names)}, "erased": case.is_erased}


def _export(made: Export, made_at: datetime) -> dict[str, Any]:
    identities = {
        case_id: {name: getattr(one, name) for name in records.filled(one)} for case_id, one in made.identities.items()
    }
    own = {case.case_id for case in made.record.cases}
    return {
        "schema": SCHEMA,
        "made_at": made_at,
        "reference": made.reference,
        "cases": [
            {
                **case_out(case),
                "identity": identities.get(case.case_id, {}),
                "corrections": [corrected_out(step) for step in made.record.history.get(case.case_id, ())],
            }
            for case in made.record.cases
        ],
        "consents": [
            {**entry_out(kept), "case_id": kept.entry.case_id, "words": words_out(made, kept.entry.entry_id)}
            for kept in made.record.consents
        ],
        "households": [one._asdict() for one in made.record.belonging],
        "guardians": [_guardianship(link, own) for link in made.record.links],
        "screenings": [
            {**screening_out(kept.screening), "answers": made.answers.get(kept.screening.screening_id, {})}
            for kept in made.record.screenings
        ],
        "processing": [
            {
                "case_id": step.case_id,
                "at": step.at,
                "what": step.type,
                "organisation": step.organisation,
                "purpose": step.purpose,
                "facts": {name: value for name, value in step.facts.items() if name not in OF_OTHERS},
            }
            for step in made.record.steps
        ],
    }


def _guardianship(link: Link, own: set[str]) -> dict[str, Any]:
    is_child = link.child_case_id in own
    return {
        "case_id": link.child_case_id if is_child else link.adult_case_id,
        "role": "child" if is_child else "adult",
        "relation": link.relation,
        "proof": link.proof,
        "state": link.state,
        "since": link.confirmed_at or link.proposed_at,
        "until": link.ended_at,
    }


def words_out(made: Export, entry_id: str) -> dict[str, str]:
    said = made.words.get(entry_id)
    return {} if said is None else {name: text for name, text in asdict(said).items() if text}
