"""The periods of retention: what is kept how long, what would go in the next days, and what went."""

from fastapi import APIRouter, Request, Response

from services.intake.actions import retention
from services.intake.pages import guarding, labels
from services.intake.pages.guarding import Protector
from shared.kit import web
from shared.kit.database import Database

router = APIRouter()


@router.get("/masa-simpan")
async def retention_page(request: Request, actor: Protector) -> Response:
    """All rules with what would go in the next thirty days, and what was removed."""
    database: Database = request.app.state.database
    async with database.work(actor, purpose="protect") as work:
        ahead = await retention.forecast(work)
        reports = await retention.list_reports(work)
    return web.page(
        request,
        "retention.html",
        ahead=ahead,
        days=retention.AHEAD.days,
        reports=reports,
        names=labels.RETENTION_RULES,
        zone=guarding.ZONE,
    )
