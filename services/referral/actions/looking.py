"""The figures: counted at one point in time, so that the page and the API cannot disagree."""

from typing import Any

from services.referral.store import desk
from shared.kit.work import Work


async def take_figures(work: Work) -> dict[str, Any]:
    """Totals, referrals by province and need, attempts by agency. No case is in it."""
    return {
        "at": work.now.isoformat(),
        "totals": await desk.count_totals(work),
        "provinces": await desk.count_referrals_by_province(work),
        "needs": await desk.count_needs(work),
        "agencies": await desk.count_attempts_by_agency(work),
    }
