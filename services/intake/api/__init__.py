"""JSON in, one action, JSON out."""

from fastapi import APIRouter

from services.intake.api import arrivals, disclosures, erasures, holds, voyages

router = APIRouter()
router.include_router(voyages.router)
router.include_router(arrivals.router)
router.include_router(disclosures.router)
router.include_router(erasures.router)
router.include_router(holds.router)

hot_routes = arrivals.hot_routes
