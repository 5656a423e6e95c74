"""Every SQL statement of notify: one function, one statement, lists in and out, filtered by organisation."""

from services.notify.store import accesses, deliveries, heard, stops, subscriptions, tasks

__all__ = ["accesses", "deliveries", "heard", "stops", "subscriptions", "tasks"]
