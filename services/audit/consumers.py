"""Kafka in: every record of every service, its own too."""

from typing import Any

from services.audit import actions
from shared.kit.heard import Heard
from shared.kit.inbox import Inbox
from shared.kit.work import Work


def subscribe(inbox: Inbox) -> None:
    """Register what audit hears: everything, as bytes."""

    @inbox.hears_everything
    async def on_everything(work: Work, heard: list[Heard[Any]]) -> None:
        await actions.add_leaves(work, heard)
