"""What a supervisor looks at besides what waits: what is with whom."""

from services.referral.store import requests
from services.referral.store.requests import Request, Wanted
from shared.kit.work import Work


async def list_requests(work: Work, wanted: Wanted, *, after: str, limit: int) -> list[Request]:
    """The live requests of the actor's region, the soonest due first."""
    await work.as_service()  # an attempt is its agency's own; the statement keeps to the actor's region
    return await requests.list_live(work, wanted, after=after, limit=limit)
