"""Kafka in: arrivals become referrals, erased and corrected persons tasks for who had been shown them.

And what persons say of handing their case on says who may be asked.
"""

from services.referral.actions import consenting, correcting, households, opening, reaching, returning
from services.referral.actions.routing import Routing
from shared.contracts.intake.arrivals import (
    AgeCorrected,
    ArrivalEnteredInError,
    ArrivalRecorded,
    DeathUndone,
    NeedsCorrected,
    OriginCorrected,
    PersonDied,
    SexCorrected,
)
from shared.contracts.intake.consents import (
    ConsentExpired,
    ConsentRecorded,
    ConsentWithdrawn,
    LawfulBasisEnded,
    LawfulBasisNamed,
)
from shared.contracts.intake.households import HouseholdChanged
from shared.contracts.intake.identities import IdentityCorrected, PersonErased
from shared.contracts.intake.matches import ReturnMatched, ReturnUnmatched
from shared.kit.heard import Heard
from shared.kit.inbox import Inbox
from shared.kit.work import Work


def subscribe(inbox: Inbox, routing: Routing) -> None:
    """Register what referral hears."""

    @inbox.hears(ArrivalRecorded)
    async def on_arrivals_recorded(work: Work, heard: list[Heard[ArrivalRecorded]]) -> None:
        await opening.open_referrals(work, heard, routing=routing)

    @inbox.hears(HouseholdChanged)
    async def on_households_changed(work: Work, heard: list[Heard[HouseholdChanged]]) -> None:
        await households.hear_households(work, heard, routing=routing)

    @inbox.hears(PersonErased, IdentityCorrected)
    async def on_persons_erased_or_corrected(work: Work, heard: list[reaching.Said]) -> None:
        await reaching.ask_recipients(work, heard)

    @inbox.hears(ReturnMatched, ReturnUnmatched)
    async def on_returns_matched_or_unmatched(work: Work, heard: list[returning.HeardOf]) -> None:
        await returning.hear_returns(work, heard)

    @inbox.hears(ConsentRecorded, ConsentWithdrawn, ConsentExpired, LawfulBasisNamed, LawfulBasisEnded)
    async def on_consents_said(work: Work, heard: list[consenting.HeardOf]) -> None:
        await consenting.hear_consents(work, heard, routing=routing)

    @inbox.hears(
        AgeCorrected, SexCorrected, OriginCorrected, NeedsCorrected, ArrivalEnteredInError, PersonDied, DeathUndone
    )
    async def on_arrivals_corrected(work: Work, heard: list[correcting.HeardOf]) -> None:
        await correcting.hear_corrections(work, heard, routing=routing)
