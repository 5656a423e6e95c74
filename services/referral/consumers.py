"""Kafka in: arrivals become referrals, erased persons tasks for those who had been shown them."""

from services.referral.actions import erasing, opening
from services.referral.actions.routing import Routing
from shared.contracts.intake import ArrivalRecorded, PersonErased
from shared.kit.heard import Heard
from shared.kit.inbox import Inbox
from shared.kit.work import Work


def subscribe(inbox: Inbox, routing: Routing) -> None:
    """Register what referral hears."""

    @inbox.hears(ArrivalRecorded)
    async def on_arrivals_recorded(work: Work, heard: list[Heard[ArrivalRecorded]]) -> None:
        await opening.open_referrals(work, heard, routing=routing)

    @inbox.hears(PersonErased)
    async def on_persons_erased(work: Work, heard: list[Heard[PersonErased]]) -> None:
        await erasing.ask_for_erasure(work, heard)
