"""HTML in: a query and a template, or a form, one action and a redirect."""

from services.intake.pages.routes import router

__all__ = ["router"]
