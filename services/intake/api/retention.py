"""The periods of retention: what would go, and what went."""

from datetime import datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BaseModel

from services.intake import policy
from services.intake.actions import retention
from shared.kit import identity, web
from shared.kit.actor import Actor
from shared.kit.database import Database

router = APIRouter(tags=["personal data"])

Protector = Annotated[Actor, Depends(identity.require(policy.PROTECTION_ROLE))]


class RuleOut(BaseModel):
    """A class of data with its period. `due`: how much would go in the days asked for; `held`: people under a hold."""

    code: str
    kind: str
    days: int
    due: int
    held: int


class ReportOut(BaseModel):
    """What one rule removed on one day."""

    rule: str
    removed: int
    held: int
    reported_at: datetime


class RetentionOut(BaseModel):
    rules: list[RuleOut]
    reports: list[ReportOut]


@router.get("/api/retention", response_model=RetentionOut, summary="What would go, and what went")
async def show_retention(
    request: Request, actor: Protector, days: Annotated[int, Query(ge=0, le=3660)] = 30
) -> Response:
    """A dry run of all rules for so many days ahead, and the reports of what was removed. Asking removes nothing."""
    database: Database = request.app.state.database
    async with database.work(actor, purpose="protect") as work:
        ahead = await retention.forecast(work, ahead=timedelta(days=days))
        reports = await retention.list_reports(work)
    rules = [
        {"code": f.rule.code, "kind": f.rule.kind, "days": f.rule.after.days, "due": f.due, "held": f.held}
        for f in ahead
    ]
    return web.json_response({"rules": rules, "reports": reports})
