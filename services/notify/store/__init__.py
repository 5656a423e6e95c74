"""Every SQL statement of notify: one function, one statement, lists in and out, filtered by organisation."""

from services.notify.store import deliveries, heard, stops, subscriptions, tasks

__all__ = ["deliveries", "heard", "stops", "subscriptions", "tasks"]
