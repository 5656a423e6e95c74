"""Things referral deals with, always valid; tests say only what matters to them."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from services.referral.domain import needs
from services.referral.domain.deadlines import BY_THE_CLOCK
from services.referral.domain.handovers import RECEIVERS, Handover
from services.referral.domain.needs import Need
from services.referral.domain.referrals import Referral
from services.referral.domain.routing import Candidate, Terms
from shared.contracts.fact import Fact, Told
from shared.contracts.intake.arrivals import ArrivalRecorded
from shared.contracts.intake.consents import ConsentExpired, ConsentRecorded, ConsentWithdrawn, LawfulBasisNamed
from shared.contracts.intake.identities import PersonErased
from shared.kit.actor import Actor
from shared.kit.heard import Heard
from shared.kit.ids import new_id

START = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)


def an_arrival(*needs: str, origin: str | None = "73.06", age_band: str = "adult", **other: Any) -> Heard[Any]:
    """Somebody from Gowa who landed at Nunukan, with these needs (NEED when none is given)."""
    fact = ArrivalRecorded.model_validate(
        {
            "case_id": new_id(),
            "voyage_id": None,
            "port": "NNK",
            "port_regency": "65.03",
            "origin_regency": origin,
            "sex": "F",
            "age_band": age_band,
            "needs": needs or ("NEED",),
            "onward_wish": "go_home",
            "arrived_at": START,
            "channel": "manifest",
            **other,
        }
    )
    return heard(fact)


def an_erasure(case_id: str, *recipients: str, within: timedelta = timedelta(days=3)) -> Heard[Any]:
    """The person of this case was erased, whom these agencies had been shown."""
    fact = PersonErased(case_id=case_id, reason="request", recipients=recipients, confirm_by=START + within)
    return heard(fact)


def a_consent(
    case_id: str, *needs: str, given: bool = True, to: str = "civil_society", seq: int = 2, **other: Any
) -> Heard[Any]:
    """Somebody was asked at the port and said yes, or no, which is on file there."""
    fact = ConsentRecorded.model_validate(
        {
            "case_id": case_id,
            "purpose": "help",
            "recipient_class": to,
            "needs": needs,
            "consent_id": new_id(),
            "given": given,
            "given_by": "self",
            "how": "signed",
            "language": "id",
            "statement": None if given else new_id(),
            **other,
        }
    )
    return replace(heard(fact), case_seq=seq)


def a_withdrawal(
    case_id: str,
    *recipients: str,
    to: str = "civil_society",
    needs: tuple[str, ...] = (),
    seq: int = 3,
    confirm_by: datetime = START + timedelta(days=3),
    **other: Any,
) -> Heard[Any]:
    """A consent was taken back; these agencies had been shown who it is."""
    fact = ConsentWithdrawn.model_validate(
        {
            "case_id": case_id,
            "purpose": "help",
            "recipient_class": to,
            "needs": needs,
            "withdrawal_id": new_id(),
            "consent_id": new_id(),
            "withdrawn_by": "self",
            "how": "signed",
            "recipients": recipients,
            "confirm_by": confirm_by,
            **other,
        }
    )
    return replace(heard(fact), case_seq=seq)


def an_expiry(case_id: str, *recipients: str, to: str = "civil_society", seq: int = 8) -> Heard[Any]:
    """A consent has reached its end; these agencies had been shown who it is."""
    fact = ConsentExpired.model_validate(
        {
            "case_id": case_id,
            "purpose": "help",
            "recipient_class": to,
            "expiry_id": new_id(),
            "consent_id": new_id(),
            "recipients": recipients,
            "confirm_by": START + timedelta(days=3),
        }
    )
    return replace(heard(fact), case_seq=seq)


def a_basis(case_id: str, *needs: str, to: str = "state", seq: int = 4, **other: Any) -> Heard[Any]:
    """A law decides, whatever the person says."""
    fact = LawfulBasisNamed.model_validate(
        {
            "case_id": case_id,
            "purpose": "help",
            "recipient_class": to,
            "needs": needs,
            "basis_id": new_id(),
            "basis": "vital_interest",
            "reason": "danger_to_life",
            **other,
        }
    )
    return replace(heard(fact), case_seq=seq)


def heard(fact: Fact, event_id: str | None = None) -> Heard[Any]:
    """The fact as the inbox hands it over."""
    told = Told[type(fact)](  # type: ignore[misc]
        actor="petugas.nnk", organisation="BP3MI-65", role="port_officer", purpose="receive", data=fact
    )
    return Heard(
        event_id=event_id or new_id(),
        source="intake",
        type=fact.type,
        case_id=fact.case_id,
        case_seq=1,
        occurred_at=START,
        traceparent=None,
        shared=True,
        payload=told.model_dump_json().encode(),
        told=told,
    )


def an_agency(agency_id: str, *, person: bool = False) -> Actor:
    """A worker or the system of an agency."""
    region = agency_id.partition("-")[2] or None
    if person:
        return Actor(id=f"petugas.{agency_id.lower()}", organisation=agency_id, roles=frozenset({"agency_worker"}))
    return Actor(id=agency_id, organisation=agency_id, roles=frozenset({"agency_system"}), kind="client", region=region)


def some_minutes(assignment_id: str = "1", outcome: str = "HANDED_TO_FAMILY", **other: Any) -> Handover:
    """Signed minutes BAST/1 of an adult, with the receiver that the outcome says."""
    minutes = Handover(
        assignment_id=assignment_id,
        number="BAST/1",
        case_id="",
        agency_id="DINSOS-73.06",
        child=False,
        handed_by="petugas",
        receiver=RECEIVERS.get(outcome, ("family",))[0],
        witness="village",
        place="73.06",
        documents=("belongings",),
        condition="well",
        guardian_check=None,
        handed_at=START,
        signed_at=START,
    )
    return replace(minutes, **other)


CANDIDATES = tuple(Candidate(f"DINSOS-{n}", Terms(0, 1, 4)) for n in range(10, 14))


def a_need(age_band: str = "adult") -> Need:
    """An open need that nobody was asked about yet."""
    return Need(
        Referral(
            referral_id="r",
            case_id="c",
            need="ELDER",
            state="open",
            version=1,
            restricted=False,
            regency="73.08",
            port="NNK",
            sex="F",
            age_band=age_band,
            onward_wish="go_home",
            arrived_at=START,
            explanation=b"",
            opened_at=START,
        )
    )


def an_asked_need(age_band: str = "adult") -> Need:
    """The same need, with the first of `CANDIDATES` asked, in attempt `1`."""
    return needs.ask(a_need(age_band), CANDIDATES[0], assignment_id="1", times=BY_THE_CLOCK, now=START)
