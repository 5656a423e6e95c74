"""What a subscriber may ask to hear, and how much that would have been."""

from datetime import timedelta
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import AfterValidator

from services.notify import policy, store
from services.notify.domain.subscriptions import Filter
from shared.contracts import codes
from shared.kit.actor import Actor
from shared.kit.identity import require
from shared.kit.web import json_response
from shared.kit.words import msg

router = APIRouter(prefix="/api", tags=["notify"])

Reader = Annotated[Actor, Depends(require(*policy.READERS))]

MATCHED_DAYS = 7

EventType = Literal[
    "referral.referral_opened.v1",
    "referral.assignment_sent.v1",
    "referral.assignment_acknowledged.v1",
    "referral.assignment_accepted.v1",
    "referral.assignment_declined.v1",
    "referral.assignment_expired.v1",
    "referral.service_started.v1",
    "referral.assignment_completed.v1",
    "referral.assignment_failed.v1",
    "referral.assignment_recalled.v1",
    "referral.assignment_cancelled.v1",
    "referral.referral_fulfilled.v1",
    "referral.referral_closed.v1",
    "referral.referral_reopened.v1",
    "referral.referral_escalated.v1",
    "referral.gap_opened.v1",
    "referral.assignment_reminded.v1",
    "referral.assignment_waitlisted.v1",
    "referral.question_asked.v1",
    "referral.question_answered.v1",
    "referral.question_lapsed.v1",
    "referral.acceptance_undone.v1",
    "referral.assignment_transferred.v1",
    "referral.assignment_entered_in_error.v1",
    "referral.referral_held.v1",
    "referral.referral_resumed.v1",
    "referral.escalation_taken.v1",
    "referral.escalation_raised.v1",
    "referral.gap_closed.v1",
    "referral.referral_corrected.v1",
    "referral.consent_awaited.v1",
    "referral.consent_obtained.v1",
    "referral.cancellation_confirmed.v1",
    "referral.cancellation_overdue.v1",
]


def _known_province(code: str) -> str:
    if code not in codes.provinces():
        raise ValueError(msg("There is no province with this code."))
    return code


ProvinceCode = Annotated[str, AfterValidator(_known_province)]


@router.get("/matches")
async def get_matches(
    request: Request,
    actor: Reader,
    events: Annotated[list[EventType], Query()] = [],  # noqa: B006 - FastAPI copies defaults
    provinces: Annotated[list[ProvinceCode], Query()] = [],  # noqa: B006
    needs: Annotated[list[codes.NeedCode], Query()] = [],  # noqa: B006
) -> Response:
    """How many facts of the last seven days a filter would have let through."""
    wants = Filter(frozenset(events), frozenset(provinces), frozenset(needs))
    async with request.app.state.database.work(actor, purpose="look") as work:
        matched = await store.heard.count_matching(work, wants, since=work.now - timedelta(days=MATCHED_DAYS))
    return json_response({"matched": matched, "days": MATCHED_DAYS})
