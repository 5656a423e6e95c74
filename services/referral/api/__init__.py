"""JSON in, one action, JSON out: an agency's inbox and answers, a supervisor's tasks, the directory, the figures."""

from fastapi import APIRouter

from services.referral.api import (
    assignments,
    cancellations,
    corrections,
    deciding,
    directory,
    handovers,
    households,
    keeping,
    questions,
    recipients,
    refusals,
    rules,
    steering,
    supervision,
    watching,
    whatif,
)
from services.referral.api.items import REFUSALS

__all__ = ["REFUSALS", "router"]

router = APIRouter(prefix="/api", tags=["referral"])
for part in (
    assignments,
    deciding,
    questions,
    handovers,
    households,
    refusals,
    cancellations,
    corrections,
    recipients,
    supervision,
    watching,
    steering,
    directory,
    keeping,
    rules,
    whatif,
):
    router.include_router(part.router)
