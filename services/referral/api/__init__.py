"""JSON in, one action, JSON out: an agency's inbox and answers, a supervisor's tasks, the directory, the figures."""

from fastapi import APIRouter

from services.referral.api import assignments, directory, erasures, supervision
from services.referral.api.items import REFUSALS

__all__ = ["REFUSALS", "router"]

router = APIRouter(prefix="/api", tags=["referral"])
for part in (assignments, erasures, supervision, directory):
    router.include_router(part.router)
