"""Some agencies: each with its own token reads its own inbox and answers.

Started as `python -m deploy.local.demo.agencies <script.json>`. The script names the agencies of one part of the
country and their secrets. Which of them have something to answer, the process learns from the coordinator's
figures; everything else an agency sees in its own inbox.
"""

import asyncio
import json
import signal
import sys
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

from deploy.local.demo import choices
from deploy.local.demo.client import Client, segment

POLL_S = 0.25
AT_ONCE = 6
"""Agencies of one process that answer at the same time."""
PAGE = 200


@dataclass(slots=True)
class Agency:
    """One agency's desk: what it has answered or decided to leave unanswered stays decided."""

    client: Client
    decided: set[str] = field(default_factory=set)

    async def tend(self) -> int:
        """Take what is new in the inbox and answer it in bulk; returns how many were new."""
        inbox = await self.client.get("/api/inbox", state="sent", limit=str(PAGE))
        fresh = [item for item in inbox["items"] if item["assignment_id"] not in self.decided]
        if not fresh:
            return 0
        self.decided.update(item["assignment_id"] for item in fresh)
        choice_of = {i["assignment_id"]: choices.choose(i["referral_id"], i["attempt"]) for i in fresh}
        opened = [i for i, choice in choice_of.items() if choice.acknowledge]
        await self.send("acknowledgements", [{"assignment_id": i} for i in opened])
        await self.send(
            "declines",
            [{"assignment_id": i, "reason": c.reason} for i, c in choice_of.items() if c.answer == "decline"],
        )
        taken = {i: c for i, c in choice_of.items() if c.answer == "accept"}
        done = await self.send("acceptances", [{"assignment_id": i} for i in taken])
        await self.serve({i: taken[i] for i in done})
        return len(fresh)

    async def serve(self, accepted: dict[str, choices.Choice]) -> None:
        """Learn who some of the accepted people are, help some of them, and record the handover."""
        for assignment_id, choice in accepted.items():
            if choice.read_identity or choice.complete:
                await self.client.get(f"/api/assignments/{segment(assignment_id)}/identity")
        finished = {i: c for i, c in accepted.items() if c.complete}
        await self.send("starts", [{"assignment_id": i} for i in finished])
        await self.send(
            "completions",
            [
                {"assignment_id": i, "outcome": c.outcome, "handover_ref": f"BAST/{i[-6:].upper()}"}
                for i, c in finished.items()
            ],
        )

    async def send(self, verb: str, answers: Sequence[dict[str, Any]]) -> list[str]:
        """Post answers in bulk; returns the ids that were taken. One refused item never stops the others."""
        if not answers:
            return []
        said = await self.client.post(f"/api/assignments/{verb}", {"items": list(answers)})
        return [item["assignment_id"] for item in said["items"] if item.get("ok")]


async def play(script: dict[str, Any]) -> None:
    """Tend the desks of the script's agencies; SIGTERM lets them finish the round they are in."""
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=16)) as http:
        watcher = Client(http, **script["watcher"])
        desks: dict[str, Agency] = {}
        slots = asyncio.Semaphore(AT_ONCE)

        async def tend(agency_id: str) -> int:
            async with slots:
                return await desks[agency_id].tend()

        going = asyncio.Event()
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, going.set)
        while not going.is_set():
            waiting = [a for a in await unanswered(watcher) if a in script["secrets"]]
            for agency_id in waiting:
                if agency_id not in desks:
                    secret = script["secrets"][agency_id]
                    desks[agency_id] = Agency(
                        Client(http, **{**script["watcher"], "client_id": agency_id, "secret": secret})
                    )
            new = sum(await asyncio.gather(*(tend(agency_id) for agency_id in waiting)))
            if not new:
                await asyncio.sleep(POLL_S)


async def unanswered(watcher: Client) -> list[str]:
    """The agencies that have something to answer, from the coordinator's figures."""
    figures = await watcher.get("/api/figures")
    return [row["agency_id"] for row in figures["agencies"] if row["sent"]]


async def directory(client: Client) -> list[str]:
    """The ids of all agencies that take referrals."""
    return [agency["agency_id"] for agency in (await client.get("/api/agencies"))["agencies"]]


def by_island(agency_ids: Sequence[str]) -> dict[str, list[str]]:
    """Agencies by the part of the country they work in; those of the whole country sit in the west, in Jakarta."""
    groups: dict[str, list[str]] = defaultdict(list)
    for agency_id in agency_ids:
        province = agency_id.rpartition("-")[2][:2]
        groups["west" if province < "50" or not province.isdigit() else "middle" if province < "70" else "east"].append(
            agency_id
        )
    return dict(groups)


if __name__ == "__main__":
    asyncio.run(play(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))))
