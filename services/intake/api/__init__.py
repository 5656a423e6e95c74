"""JSON in, one action, JSON out."""

from fastapi import APIRouter

from services.intake.api import (
    arrival_corrections,
    arrivals,
    consents,
    corrections,
    disclosures,
    draft_rows,
    drafts,
    erasures,
    holds,
    households,
    manifests,
    matches,
    reconciliation,
    records,
    retention,
    roll_calls,
    screening,
    second_person,
    sending,
    triage,
    voyages,
    wrong_voyages,
)

router = APIRouter()
router.include_router(voyages.router)
router.include_router(manifests.router)
router.include_router(drafts.router)
router.include_router(draft_rows.router)
router.include_router(sending.router)
router.include_router(roll_calls.router)
router.include_router(wrong_voyages.router)
router.include_router(reconciliation.router)
router.include_router(arrivals.router)
router.include_router(triage.router)
router.include_router(screening.router)
router.include_router(arrival_corrections.router)
router.include_router(second_person.router)
router.include_router(households.router)
router.include_router(matches.router)
router.include_router(disclosures.router)
router.include_router(erasures.router)
router.include_router(holds.router)
router.include_router(records.router)
router.include_router(corrections.router)
router.include_router(consents.router)
router.include_router(retention.router)

hot_routes = arrivals.hot_routes
