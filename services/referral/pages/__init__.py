"""HTML in and out: an agency's inbox and cases, a supervisor's list, the coordinator's figures."""

from fastapi import APIRouter

from services.referral.pages import (
    cancellations,
    cases,
    closing,
    corrections,
    deciding,
    directory,
    figures,
    glass,
    handovers,
    households,
    identities,
    inbox,
    office,
    oversight,
    questions,
    recipients,
    refusals,
    rulesets,
    steering,
    supervision,
    watching,
    whatif,
)

router = APIRouter()
AGENCY = (inbox, cases, identities, deciding, handovers, refusals, cancellations, corrections, recipients)
SUPERVISOR = (supervision, watching, households, closing, steering, oversight, glass)
KEEPER = (directory, rulesets, whatif)
for part in (*AGENCY, office, *SUPERVISOR, *KEEPER, questions, figures):
    router.include_router(part.router)
