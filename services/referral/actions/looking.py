"""The figures: counted at one point in time, so that the page and the API cannot disagree."""

from typing import Any

from services.referral import policy
from services.referral.domain import figures
from services.referral.store import figures as store
from shared.kit.work import Work


async def take_figures(work: Work) -> dict[str, Any]:
    """Totals, referrals by province and need, attempts by agency. No case is in it, and for people no small number."""
    # Policy alone lets somebody see figures: of rows that are nobody's own only counts come out.
    await work.as_service()
    exact = policy.sees_exact_figures(work.actor)
    counted = {
        "at": work.now.isoformat(),
        "totals": await store.count_totals(work, restricted=None if exact else False),
        "provinces": await store.count_referrals_by_province(work, apart=not exact),
        "needs": await store.count_needs(work, apart=not exact),
        "agencies": await store.count_attempts_by_agency(work, apart=not exact),
    }
    if exact:
        return counted
    return figures.published(counted, restricted=await store.count_totals(work, restricted=True))


async def take_gaps(work: Work) -> list[dict[str, Any]]:
    """Needs that nobody serves, by regency and need. No case is in it, and for people no small number."""
    await work.as_service()  # as above
    exact = policy.sees_exact_figures(work.actor)
    rows = await store.count_gaps(work, apart=not exact)
    return rows if exact else figures.published_gaps(rows)
