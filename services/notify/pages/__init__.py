"""HTML in and out: subscriptions, their delivery logs, and the tasks that notices have become."""

from fastapi import APIRouter

from services.notify.pages import deliveries, forms, subscriptions, tasks

router = APIRouter()
# The form first: its address is not the id of a subscription.
for part in (forms, subscriptions, deliveries, tasks):
    router.include_router(part.router)
