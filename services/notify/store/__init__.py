"""Every SQL statement of notify: one function, one statement, lists in and out, filtered by organisation."""

from services.notify.store import accesses, claims, deliveries, heard, notices, stops, subscriptions, tasks

__all__ = ["accesses", "claims", "deliveries", "heard", "notices", "stops", "subscriptions", "tasks"]
