"""HTML in: a query and a template, or a form, one action and a redirect."""

from services.intake.pages import (
    arrival_corrections,
    arrivals,
    consents,
    corrections,
    drafts,
    erasures,
    holds,
    households,
    manifests,
    matches,
    mending,
    reconciliation,
    records,
    retention,
    roll_calls,
    screening,
    second_person,
    slips,
    triage,
    voyage_corrections,
    voyages,
    wrong_voyages,
)
from shared.kit.web import page_router

router = page_router()
router.include_router(voyages.router)
router.include_router(voyage_corrections.router)
router.include_router(reconciliation.router)
router.include_router(manifests.router)
router.include_router(drafts.router)
router.include_router(mending.router)
router.include_router(roll_calls.router)
router.include_router(wrong_voyages.router)
router.include_router(arrivals.router)
# Before the corrections, whose path takes any last part.
router.include_router(slips.router)
router.include_router(triage.router)
router.include_router(screening.router)
router.include_router(arrival_corrections.router)
router.include_router(second_person.router)
router.include_router(households.router)
router.include_router(matches.router)
router.include_router(records.router)
router.include_router(erasures.router)
router.include_router(holds.router)
router.include_router(corrections.router)
router.include_router(consents.router)
router.include_router(retention.router)
