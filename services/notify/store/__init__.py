"""Every SQL statement of notify: one function, one statement, lists in and out, filtered by organisation."""

from services.notify.store import claims, deliveries, heard, notices, restrictions, stops, subscriptions, tasks

__all__ = ["claims", "deliveries", "heard", "notices", "restrictions", "stops", "subscriptions", "tasks"]
