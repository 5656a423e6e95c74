"""HTML in and out: an agency's inbox and cases, a supervisor's list, the coordinator's figures."""

from fastapi import APIRouter

from services.referral.pages import cases, closing, figures, inbox, supervision

router = APIRouter()
for part in (inbox, cases, supervision, closing, figures):
    router.include_router(part.router)
