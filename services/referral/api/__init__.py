"""JSON in, one action, JSON out: an agency's inbox and answers, a supervisor's tasks, the directory, the figures."""

from fastapi import APIRouter

from services.referral.api import (
    assignments,
    cancellations,
    deciding,
    directory,
    erasures,
    handovers,
    questions,
    steering,
    supervision,
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
    cancellations,
    erasures,
    supervision,
    steering,
    directory,
    whatif,
):
    router.include_router(part.router)
