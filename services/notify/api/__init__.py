"""JSON in, one action, JSON out: subscriptions, deliveries, tasks."""

from fastapi import APIRouter

from services.notify.api import deliveries, filters, subscriptions, tasks

router = APIRouter()
for part in (subscriptions, filters, deliveries, tasks):
    router.include_router(part.router)
