"""Consent of a case: what holds and its history; recorded, taken back; lawful bases named and ended."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints, model_validator

from services.intake import policy
from services.intake.actions import consents as actions
from services.intake.actions.consents import Consents, Spoken
from services.intake.api.keyed import once
from services.intake.domain.consents import EndReason, Kind, Scope, State, Words, every_standing
from services.intake.domain.erasures import Confirmation
from services.intake.domain.refusals.consents import ConsentsChanged
from services.intake.store.consents import Kept
from shared.contracts.codes import (
    ConsentHow,
    ConsentPurpose,
    GivenBy,
    LawfulBasis,
    LawfulReason,
    NeedCode,
    RecipientClass,
)
from shared.contracts.fact import Id, Identifying
from shared.kit import identity, web
from shared.kit.actor import Actor
from shared.kit.database import Database
from shared.kit.words import msg
from shared.kit.work import Work

router = APIRouter(tags=["consent"])

Recorder = Annotated[Actor, Depends(identity.require(policy.PROTECTION_ROLE, "port_officer"))]
Officer = Annotated[Actor, Depends(identity.require("port_officer"))]
Name = Annotated[str, StringConstraints(strip_whitespace=True, max_length=200), Identifying()]
Statement = Annotated[str, StringConstraints(strip_whitespace=True, max_length=2000), Identifying()]
Version = Annotated[int, Field(ge=0, le=2**31 - 1, strict=True)]


class ChangeIn(BaseModel):
    """`version`: how many entries the case had when it was looked at; null: however many."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    version: Version | None = None


class ScopeIn(ChangeIn):
    """For which purpose, class of recipients and needs of the case; without needs for all of them."""

    purpose: ConsentPurpose
    recipient_class: RecipientClass
    needs: tuple[NeedCode, ...] = ()

    @property
    def scope(self) -> Scope:
        return Scope(self.purpose, self.recipient_class, self.needs)


class SpokenIn(BaseModel):
    """Who speaks, how, and in which language it was explained (ISO 639). Names are sealed before they are stored.

    `speaker`: the name of the parent or guardian; an adult's own is known. `witness`: where it was only spoken.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    by: GivenBy
    how: ConsentHow
    explained_in: Annotated[str, StringConstraints(pattern=r"^[a-z]{2,3}$")]
    speaker: Name = ""
    witness: Name = ""


class ConsentIn(ScopeIn):
    """A yes (`given`) or a no, with the words of a refusal as its statement; only a yes may expire."""

    given: bool
    spoken: SpokenIn
    expires_at: AwareDatetime | None = None
    statement: Statement = ""

    @model_validator(mode="after")
    def _fits(self) -> "ConsentIn":
        if self.given and self.statement:
            raise ValueError(msg("A statement belongs to a refusal."))
        if not self.given and self.expires_at is not None:
            raise ValueError(msg("Only a consent that was given expires."))
        return self


class WithdrawalIn(ChangeIn):
    """`needs`: of those of the consent; without any for all of it."""

    spoken: SpokenIn
    needs: tuple[NeedCode, ...] = ()


class BasisIn(ScopeIn):
    """Which law lets the identity be handed on whatever is said, and why."""

    basis: LawfulBasis
    reason: LawfulReason


class BasisEndIn(ChangeIn):
    reason: EndReason


class RecipientOut(BaseModel):
    """An agency that had been shown the identity, and what was heard of its ending that use."""

    agency_id: str
    state: Confirmation
    confirmed_at: datetime | None


class EntryOut(BaseModel):
    """One thing that was recorded, in codes. `ends`: which consent or basis. `has_words`: something of it is sealed."""

    entry_id: str
    version: int
    kind: Kind
    purpose: ConsentPurpose
    recipient_class: RecipientClass
    needs: list[NeedCode]
    ends: str | None
    spoken_by: GivenBy | None
    how: ConsentHow | None
    explained_in: str | None
    expires_at: datetime | None
    basis: LawfulBasis | None
    reason: str | None
    has_words: bool
    confirm_by: datetime | None
    recipients: list[RecipientOut]
    recorded_by: str
    recorded_at: datetime


class StandingOut(BaseModel):
    """What holds for one purpose, class and need. `stops`: the identity may not be handed on."""

    purpose: ConsentPurpose
    recipient_class: RecipientClass
    need: NeedCode
    state: State
    stops: bool
    entry_id: str | None


class ConsentsOut(BaseModel):
    """`version` counts the entries; a change names the version that was looked at."""

    case_id: str
    version: int
    speakers: list[GivenBy]
    """Who may say yes or no; nobody where the person has died."""
    standing: list[StandingOut]
    history: list[EntryOut]


class EndingOut(BaseModel):
    """A consent that ends soon: the person is to be asked again."""

    consent_id: str
    case_id: str
    purpose: ConsentPurpose
    recipient_class: RecipientClass
    needs: list[NeedCode]
    expires_at: datetime


class EndingsOut(BaseModel):
    items: list[EndingOut]


MOST_ENDING = 500
CONFLICTS: dict[int | str, dict[str, Any]] = {
    409: {"description": "More was recorded meanwhile, or it holds no longer"},
    410: {"description": "The identity was erased"},
    422: {"description": "Not by this speaker, for this need, until this day or on this basis"},
}


@router.get("/api/cases/{case_id}/consents", response_model=ConsentsOut, summary="Consent of a case, and its history")
@web.reads_people
async def show_consents(request: Request, case_id: Id, actor: Recorder) -> Response:
    """What holds for each purpose, class and need, and everything that led to it, in codes. On the trail first."""
    database: Database = request.app.state.database
    async with database.work(actor, purpose="consent") as work:
        found = await actions.read_consents(work, case_id)
        now = work.now
    return web.json_response(_consents(found, now))


@router.post(
    "/api/cases/{case_id}/consents",
    status_code=201,
    response_model=EntryOut,
    summary="Record a consent or a refusal",
    openapi_extra=web.KEYED,
    responses=CONFLICTS,
)
async def record_consent(request: Request, case_id: Id, sent: ConsentIn, actor: Recorder) -> Response:
    """What counts from now on for these needs. Needs the header Idempotency-Key."""
    spoken = _spoken(sent.spoken, sent.statement)
    return await _act(
        request,
        actor,
        lambda work: actions.record_consent(
            work,
            request.app.state.vault,
            case_id,
            version=sent.version,
            scope=sent.scope,
            given=sent.given,
            spoken=spoken,
            expires_at=sent.expires_at,
        ),
    )


@router.post(
    "/api/consents/{consent_id}/withdrawal",
    status_code=201,
    response_model=EntryOut,
    summary="Take a consent back",
    openapi_extra=web.KEYED,
    responses=CONFLICTS,
)
async def withdraw_consent(request: Request, consent_id: Id, sent: WithdrawalIn, actor: Recorder) -> Response:
    """Nothing is disclosed on it from now on; who had been shown the identity has 72 hours to confirm that it ended."""
    spoken = _spoken(sent.spoken)
    return await _act(
        request,
        actor,
        lambda work: actions.withdraw_consent(
            work,
            request.app.state.vault,
            consent_id,
            version=sent.version,
            spoken=spoken,
            needs=sent.needs,
        ),
    )


@router.post(
    "/api/cases/{case_id}/bases",
    status_code=201,
    response_model=EntryOut,
    summary="Name a lawful basis",
    openapi_extra=web.KEYED,
    responses=CONFLICTS,
)
async def name_basis(request: Request, case_id: Id, sent: BasisIn, actor: Recorder) -> Response:
    """It stands beside whatever is said until it is ended. Needs the header Idempotency-Key."""
    return await _act(
        request,
        actor,
        lambda work: actions.name_basis(
            work,
            request.app.state.vault,
            case_id,
            version=sent.version,
            scope=sent.scope,
            basis=sent.basis,
            reason=sent.reason,
        ),
    )


@router.post(
    "/api/bases/{basis_id}/end",
    status_code=201,
    response_model=EntryOut,
    summary="End a lawful basis",
    openapi_extra=web.KEYED,
    responses=CONFLICTS,
)
async def end_basis(request: Request, basis_id: Id, sent: BasisEndIn, actor: Recorder) -> Response:
    """What the person says counts again. Needs the header Idempotency-Key."""
    return await _act(
        request,
        actor,
        lambda work: actions.end_basis(
            work, request.app.state.vault, basis_id, version=sent.version, reason=sent.reason
        ),
    )


@router.get("/api/consents/ending", response_model=EndingsOut, summary="Consents that end soon")
async def list_ending(request: Request, actor: Officer) -> Response:
    """Of the own port, within 14 days, the first to end first. Once a consent has ended, what rests on it ends too."""
    database: Database = request.app.state.database
    async with database.work(actor, purpose="consent") as work:
        found = await actions.list_ending(work, limit=MOST_ENDING)
    return web.json_response(
        {
            "items": [
                {
                    "consent_id": one.entry_id,
                    "case_id": one.case_id,
                    "purpose": one.scope.purpose,
                    "recipient_class": one.scope.recipient_class,
                    "needs": list(one.scope.needs),
                    "expires_at": one.expires_at,
                }
                for one in found
            ]
        }
    )


Act = Callable[[Work], Awaitable[Kept]]


async def _act(request: Request, actor: Actor, act: Act) -> Response:
    """One change, once per key; with who was first when the case was not as it was looked at."""

    async def answered(work: Work) -> Response:
        return web.json_response(entry_out(await act(work)), 201)

    try:
        return await once(request, actor, answered, purpose="consent", names=True)
    except ConsentsChanged as refused:
        database: Database = request.app.state.database
        async with database.work(actor, purpose="consent") as work:
            raise await actions.changed(work, web.language_of(request), refused) from None


def _spoken(sent: SpokenIn, statement: str = "") -> Spoken:
    words = Words(sent.speaker, sent.witness, statement)
    return Spoken(sent.by, sent.how, sent.explained_in, words)


def entry_out(kept: Kept) -> dict[str, Any]:
    """An entry in codes."""
    entry = kept.entry
    own = (
        *("entry_id", "version", "kind", "ends", "spoken_by", "how", "expires_at", "basis", "reason"),
        *("confirm_by", "recorded_by", "recorded_at"),
    )
    return {
        **{name: getattr(entry, name) for name in own},
        "explained_in": entry.language,
        "purpose": entry.scope.purpose,
        "recipient_class": entry.scope.recipient_class,
        "needs": list(entry.scope.needs),
        "has_words": bool(kept.sealed),
        "recipients": [
            {"agency_id": one.agency_id, "state": one.state, "confirmed_at": one.confirmed_at}
            for one in kept.recipients
        ],
    }


def _consents(found: Consents, now: datetime) -> dict[str, Any]:
    return {
        "case_id": found.case.case_id,
        "version": found.version,
        "speakers": list(found.person.speakers),
        "standing": [
            {
                "purpose": purpose,
                "recipient_class": class_,
                "need": need,
                "state": held.state,
                "stops": held.stops,
                "entry_id": None if held.entry is None else held.entry.entry_id,
            }
            for (purpose, class_, need), held in every_standing(found.entries, found.person, now=now)
        ],
        "history": [entry_out(one) for one in found.kept],
    }
