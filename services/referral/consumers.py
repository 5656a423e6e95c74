"""Kafka in: arrivals become referrals, erased and corrected persons tasks for who had been shown them."""

from services.referral.actions import opening, reaching
from services.referral.actions.routing import Routing
from shared.contracts.intake import ArrivalRecorded, IdentityCorrected, PersonErased
from shared.kit.heard import Heard
from shared.kit.inbox import Inbox
from shared.kit.work import Work


def subscribe(inbox: Inbox, routing: Routing) -> None:
    """Register what referral hears."""

    @inbox.hears(ArrivalRecorded)
    async def on_arrivals_recorded(work: Work, heard: list[Heard[ArrivalRecorded]]) -> None:
        await opening.open_referrals(work, heard, routing=routing)

    @inbox.hears(PersonErased, IdentityCorrected)
    async def on_persons_erased_or_corrected(work: Work, heard: list[reaching.Said]) -> None:
        await reaching.ask_recipients(work, heard)
