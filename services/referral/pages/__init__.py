"""HTML in and out: an agency's inbox and cases, a supervisor's list, the coordinator's figures."""

from fastapi import APIRouter

from services.referral.pages import cases, closing, erasures, figures, glass, inbox, oversight, supervision

router = APIRouter()
for part in (inbox, cases, erasures, supervision, closing, oversight, glass, figures):
    router.include_router(part.router)
