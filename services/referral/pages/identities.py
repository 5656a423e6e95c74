"""Who it is, once the agency has accepted: read of intake for one view, and kept nowhere."""

from datetime import datetime
from typing import Annotated, Literal

from fastapi import Depends, Request
from starlette.responses import Response

from services.referral import policy
from services.referral.actions import disclosing
from services.referral.domain import assignments
from services.referral.domain.assignments import Assignment
from services.referral.domain.refusals import (
    AssignmentUnknown,
    DisclosureEnded,
    IdentityErased,
    IdentityFollows,
    IdentityWithheld,
)
from services.referral.pages import labels
from services.referral.store import needs
from shared.contracts.fact import Id
from shared.kit.actor import Actor
from shared.kit.identity import require
from shared.kit.web import fragment, language_of, page_router, reads_people

router = page_router()

Worker = Annotated[Actor, Depends(require(*policy.WORKERS))]

EVERY_MS = 20_000
"""How often a page that waits for an identity asks. Each time counts as a reading; an hour of it is no mass reading."""

Identity = dict[str, str] | Literal["follows", "withheld", "ended", "erased"] | None


@router.get("/rujukan/{assignment_id}/identitas")
@reads_people
async def identity_part(request: Request, actor: Worker, assignment_id: Id) -> Response:
    """Who it is, for a page that waits for it. While intake is away nothing is read, so waiting fills no trail."""
    state = request.app.state
    async with state.database.work(actor, purpose="look") as work:
        if not await needs.find_owned(work, [assignment_id]):
            raise AssignmentUnknown
    identity = await _disclosed(request, actor, assignment_id) if await state.disclosure.answers() else "follows"
    return fragment(
        request,
        "case.html",
        "identity",
        identity=identity,
        assignment_id=assignment_id,
        field_labels=labels.FIELDS,
        covered=labels.COVERED,
        every_ms=EVERY_MS,
    )


async def shown(
    request: Request, actor: Actor, assignment: Assignment, *, erased_at: datetime | None, now: datetime
) -> Identity:
    """Who it is, asked of intake for this view alone; None before acceptance, and once the help was given."""
    if erased_at is not None:
        return "erased"
    try:
        assignments.expect_disclosable(assignment, now=now)
    except DisclosureEnded:
        return "ended"
    except IdentityWithheld:
        return None
    if assignment.state == "completed":
        return None
    return await _disclosed(request, actor, assignment.assignment_id)


async def _disclosed(request: Request, actor: Actor, assignment_id: str) -> Identity:
    """The fields, or why there are none. They go into this one answer, and into nothing that lasts."""
    state = request.app.state
    try:
        identity = await disclosing.read_identity(
            state.database, state.disclosure, state.identity.service_token, actor, assignment_id
        )
        return labels.disclosed(language_of(request), identity)
    except IdentityFollows:
        return "follows"
    except IdentityErased:
        return "erased"
    except DisclosureEnded:
        return "ended"
    except IdentityWithheld:
        return "withheld"
