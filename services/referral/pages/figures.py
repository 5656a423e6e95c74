"""The coordinator's figures: counts only, no case, and none so small that somebody could be found in it."""

from datetime import datetime
from typing import Annotated

from fastapi import Depends, Request
from starlette.responses import Response

from services.referral import policy
from services.referral.actions import looking
from services.referral.domain.figures import FEWEST, FEWEST_RESTRICTED, RESTRICTED
from services.referral.pages import labels
from shared.contracts import codes
from shared.kit.actor import Actor
from shared.kit.identity import require
from shared.kit.web import language_of, page, page_router

router = page_router()

Watcher = Annotated[Actor, Depends(require(*policy.WATCHERS))]

MOST_AGENCIES = 300


@router.get("/angka")
async def figures_page(request: Request, actor: Watcher) -> Response:
    """Referrals by state, province, need and agency, at one point in time."""
    language = language_of(request)
    async with request.app.state.database.work(actor, purpose="look") as work:
        figures = await looking.take_figures(work)
    # By what is shown alone: the order must not say what the numbers do not.
    agencies = sorted(
        (row for row in figures["agencies"] if row["agency_id"] != RESTRICTED),
        key=lambda row: (-(row["overdue"] or 0), -row["total"], row["agency_id"]),
    )
    return page(
        request,
        "figures.html",
        totals=figures["totals"],
        at=datetime.fromisoformat(figures["at"]),
        fewest=FEWEST,
        fewest_restricted=FEWEST_RESTRICTED,
        restricted=next((row for row in figures["provinces"] if row["province"] == RESTRICTED), None),
        provinces=[
            {**row, "name": labels.region(row["province"])}
            for row in figures["provinces"]
            if row["province"] != RESTRICTED
        ],
        needs=[
            (labels.need(language, code), figures["needs"][code]) for code in codes.needs() if code in figures["needs"]
        ],
        agencies=agencies[:MOST_AGENCIES],
        more=max(0, len(agencies) - MOST_AGENCIES),
        zone=policy.zone(actor),
    )
