"""HTML in: a query and a template, or a form, one action and a redirect."""

from services.intake.pages import arrivals, manifests, voyages
from shared.kit.web import page_router

router = page_router()
router.include_router(voyages.router)
router.include_router(manifests.router)
router.include_router(arrivals.router)
