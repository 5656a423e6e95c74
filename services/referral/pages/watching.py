"""What is with whom and what nobody serves: in the own region, or in the whole country before a coordinator."""

from typing import Annotated, get_args
from urllib.parse import urlencode

from fastapi import Query, Request
from starlette.responses import Response

from services.referral import policy
from services.referral.actions import watching
from services.referral.domain import assignments
from services.referral.pages import labels
from services.referral.pages.supervision import Duty, duty_of
from services.referral.store import desk
from services.referral.store.requests import Wanted
from shared.contracts import codes
from shared.kit.web import language_of, page, page_router, redirect
from shared.kit.words import translate

router = page_router()

PAGE_ROWS = 200
STATES: tuple[assignments.State, ...] = tuple(
    state for state in get_args(assignments.State) if state in assignments.LIVE - {"proposed", "delivered"}
)


@router.get("/permintaan")
async def requests_page(
    request: Request,
    actor: Duty,
    need: str = "",
    state: str = "",
    regency: str = "",
    after: Annotated[str, Query(pattern=desk.PLACE)] = "",
) -> Response:
    """What is with whom, the soonest due first."""
    region, language = await duty_of(request, actor), language_of(request)
    regencies = _regencies(region)
    wanted = Wanted(
        need if need in codes.needs() else None,
        next((known for known in STATES if known == state), None),
        regency if regency in regencies else None,
    )
    async with request.app.state.database.work(actor, purpose="look") as work:
        directory = (await request.app.state.routing.router(work)).directory
        found = await watching.list_requests(work, wanted, after=after, limit=PAGE_ROWS + 1)
        overdue, now = await watching.find_restricted_overdue(work), work.now
    chosen = {"need": wanted.need or "", "state": wanted.state or "", "regency": wanted.regency or ""}
    if after and not found:
        return redirect(request, f"/permintaan?{urlencode(chosen)}")
    shown = found[:PAGE_ROWS]
    return page(
        request,
        "requests.html",
        region=labels.region(region) if region else None,
        chosen=chosen,
        restricted_overdue=overdue,
        needs=[(code, labels.need(language, code)) for code, known in codes.needs().items() if not known.restricted],
        states=[(code, translate(language, labels.STATES[code][0])) for code in STATES],
        regencies=sorted(regencies.items(), key=lambda one: one[1]),
        rows=[
            {
                "id": one.referral_id,
                "reference": labels.reference(one.case_id),
                "need": labels.need(language, one.need),
                "region": labels.region(one.regency),
                "agency": labels.agency(directory, one.agency_id),
                "state": labels.STATES[one.state],
                "attempt": one.attempt,
                "due_at": one.due_at,
                "is_paused": one.is_paused,
                "is_reminded": one.reminded_at is not None,
                "clock": labels.CLOCKS[one.clock] if one.clock else "",
            }
            for one in shown
        ],
        further=f"/permintaan?{urlencode({**chosen, 'after': shown[-1].place})}" if len(found) > len(shown) else "",
        now=now,
        zone=policy.zone(actor),
    )


@router.get("/kesenjangan")
async def gaps_page(request: Request, actor: Duty) -> Response:
    """The register of gaps: what nobody serves where, since when, and why."""
    region, language = await duty_of(request, actor), language_of(request)
    async with request.app.state.database.work(actor, purpose="look") as work:
        found = await watching.list_gaps(work)
    return page(
        request,
        "gaps.html",
        region=labels.region(region) if region else None,
        rows=[
            {
                "need": labels.need(language, row["need"]) if row["need"] else None,
                "region": labels.region(row["regency"]) if row["regency"] else None,
                "province": labels.region(row["regency"][:2]) if row["regency"] else None,
                "total": row["total"],
                "since": row["since"],
                "reason": labels.GAPS.get(row["reason"] or ""),
            }
            for row in found
        ],
        zone=policy.zone(actor),
    )


def _regencies(region: str | None) -> dict[str, str]:
    """Which regencies may be chosen: all of the country, or those of a province; of one regency there is no choice."""
    if region is not None and len(region) > len("73"):
        return {}
    return {code: known.name for code, known in codes.regencies().items() if region in (None, code[:2])}
