"""What people look at besides what waits for them: what is with whom, and what nobody serves."""

from typing import Any

from services.referral import policy
from services.referral.domain import figures
from services.referral.store import requests
from services.referral.store.requests import Overdue, Request, Wanted
from shared.kit.work import Work


async def list_requests(work: Work, wanted: Wanted, *, after: str, limit: int) -> list[Request]:
    """The live requests of the actor's region, or of the country for who answers for it; the soonest due first."""
    everywhere = policy.answers_for_the_country(work.actor)
    await work.as_service()  # an attempt is its agency's own; the statement keeps to the actor's region
    return await requests.list_live(work, wanted, everywhere=everywhere, after=after, limit=limit)


async def find_restricted_overdue(work: Work) -> Overdue | None:
    """That restricted requests of the actor's region, or of the country, are late; None where none is.

    Who answers for the country is not before each of them: the number is rounded, or too small to be told.
    """
    everywhere = policy.answers_for_the_country(work.actor)
    await work.as_service()  # as above
    found = await requests.count_restricted_overdue(work, everywhere=everywhere)
    if not everywhere:
        return found if found.total else None
    total = figures.shown(found.total, fewest=figures.FEWEST_RESTRICTED)
    return None if total is None else Overdue(total, None)


async def list_gaps(work: Work) -> list[dict[str, Any]]:
    """What nobody serves in the actor's region, or in the whole country for who answers for it; the oldest first.

    Who answers for the country is not before each restricted need: their line is rounded, or left out, as in figures.
    """
    everywhere = policy.answers_for_the_country(work.actor)
    if everywhere:
        await work.as_service()  # the whole country is nobody's region: policy has said who answers for it
    found = await requests.list_gaps(work, everywhere=everywhere)
    return figures.published_register(found) if everywhere else found
