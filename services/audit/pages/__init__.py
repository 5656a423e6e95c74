"""HTML in and out for auditors: find a case, read its trail, look at the ledger, learn to verify."""

from services.audit.pages import ledger, trail

routers = [trail.router, ledger.router]
"""Each with the language prefix; `trail` has the first page."""

__all__ = ["routers"]
