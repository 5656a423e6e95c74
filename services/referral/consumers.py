"""Kafka in: arrivals become referrals."""

from services.referral.actions import opening
from services.referral.actions.routing import Routing
from shared.contracts.intake import ArrivalRecorded
from shared.kit.heard import Heard
from shared.kit.inbox import Inbox
from shared.kit.work import Work


def subscribe(inbox: Inbox, routing: Routing) -> None:
    """Register what referral hears."""

    @inbox.hears(ArrivalRecorded)
    async def on_arrivals_recorded(work: Work, heard: list[Heard[ArrivalRecorded]]) -> None:
        await opening.open_referrals(work, heard, routing=routing)
