"""HTML in and out for auditors: find a case, read its trail, look at the ledger, learn to verify."""

from services.audit.pages.ledger import router as ledger_router
from services.audit.pages.trail import router as trail_router

routers = [trail_router, ledger_router]
"""Each with the language prefix; that of trails has the first page."""

__all__ = ["routers"]
