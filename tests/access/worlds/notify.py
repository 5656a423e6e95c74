"""The world of notify: subscriptions of two organisations, what was sent to them, what they have to see to."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import services.notify.__main__
from services.notify.actions import subscriptions
from services.notify.store import tasks
from shared.kit.actor import Actor, system
from shared.kit.clock import FixedClock
from shared.kit.database import Database, connect
from tests.access.matrix import Cell
from tests.access.worlds.world import NOW, OWN, REVOCATIONS, Asked, World, actors_at, form, json_of, served, side
from tests.notify import factories as notify
from tests.notify.receiver import Receiver


@asynccontextmanager
async def notify_world(url: str) -> AsyncIterator[World]:
    database = await connect(url, service="notify", clock=FixedClock(NOW))
    actors = actors_at(OWN["ngo"])
    receiver = Receiver()
    await receiver.start()
    place = urlsplit(receiver.url).netloc
    async with served("notify", services.notify.__main__, database, actors, webhook_allow_private=place) as (
        app,
        client,
    ):
        things = _Told(database, f"{receiver.url}/ok", app.state.seal)
        one = "/{language:language}/langganan"
        wanted = {"name": "Posko", "url": f"{receiver.url}/ok"}
        event = "referral.referral_opened.v1"
        contents: dict[str, Asked] = {
            "POST /api/subscriptions": json_of(**wanted, events=[event]),
            "PUT /api/subscriptions/{subscription_id}": json_of(**wanted, events=[event]),
            "PUT /api/subscriptions/{subscription_id}/status": lambda _, cell: {
                "json": {"status": "active" if cell["state"] == "paused" else "paused"}
            },
            f"POST {one}/baru": form(**wanted, events=event),
            f"POST {one}/{{subscription_id}}/ubah": form(**wanted, events=event),
            **REVOCATIONS,
        }
        makers = {"subscription": things.subscription, "delivery": things.delivery, "task": things.task}
        places = {"/api/matches": f"/api/matches?events={event}"}
        yield World("notify", app, client, makers, contents, places)
    await receiver.stop()
    await database.aclose()


class _Told:
    """Subscriptions of two organisations, what was sent to them, and what they have to see to."""

    def __init__(self, database: Database, url: str, seal: Any) -> None:
        self._database = database
        self._url = url
        self._seal = seal
        self._latest: dict[tuple[str, ...], str] = {}

    async def subscription(self, cell: Cell, kind: str = "subscription") -> str:
        """In place of the one before for the same kind of thing and cell, since an organisation has no end of them."""
        await self._database.fetch(
            "UPDATE subscriptions SET status = 'ended', ended_at = $2, paused_because = NULL"
            " WHERE subscription_id = $1 AND status <> 'ended'",
            self._latest.get(about := (kind, cell["organisation"], cell["state"])),
            NOW,
        )
        who = Actor("mila", side(cell, "ngo", "organisation"), frozenset({"ngo_member"}))
        made = await notify.a_subscription(self._database, actor=who, url=self._url, seal=self._seal)
        self._latest[about] = made
        if cell["state"] in ("paused", "ended"):
            act = subscriptions.pause_subscription if cell["state"] == "paused" else subscriptions.end_subscription
            async with self._database.work(who, purpose="subscribe") as work:
                await act(work, made)
        return made

    async def delivery(self, cell: Cell, kind: str = "delivery") -> str:
        subscription_id = await self.subscription(cell, kind)
        await notify.hear(self._database, notify.a_fact())
        [row] = await self._database.fetch(
            "SELECT delivery_id::text FROM deliveries WHERE subscription_id = $1", subscription_id
        )
        if cell["state"] != "waiting":
            await self._database.fetch(
                "UPDATE deliveries SET status = $2, ended_at = $3, attempts = 1, next_attempt_at = NULL,"
                " lease_until = NULL WHERE delivery_id = $1",
                row["delivery_id"],
                cell["state"],
                NOW - timedelta(minutes=1),
            )
        return str(row["delivery_id"])

    async def task(self, cell: Cell) -> str:
        delivery_id = await self.delivery({**cell, "state": "dead_lettered"}, "task")
        [row] = await self._database.fetch(
            "SELECT organisation, subscription_id::text FROM deliveries WHERE delivery_id = $1", delivery_id
        )
        about = (row["organisation"], row["subscription_id"], delivery_id)
        async with self._database.work(system("notify", "clock"), purpose="give_up") as work:
            await tasks.open_tasks(work, kind="dead_letter", about=[about])
        [task] = await self._database.fetch("SELECT task_id::text FROM tasks WHERE delivery_id = $1", delivery_id)
        return str(task["task_id"])
