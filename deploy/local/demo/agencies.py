"""Some agencies: each with its own token reads its own inbox and answers.

Started as `python -m deploy.local.demo.agencies <script.json>`. The script names the agencies of one part of the
country and their secrets. Which of them have something to answer, the process learns from the exact figures, which
the services themselves may read; everything else an agency sees in its own inbox.
"""

import asyncio
import json
import signal
import sys
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp

from deploy.local.demo import choices
from deploy.local.demo.client import Client, Refused, segment

POLL_S = 0.25
SERVICE = "svc-referral"
"""The client that may see exact figures."""
AT_ONCE = 6
"""Agencies of one process that answer at the same time."""
MOST = 500
"""Rows that the service gives at once; the next round sees the rest."""


@dataclass(slots=True)
class Agency:
    """One agency's desk. What it leaves unanswered it remembers; all else leaves the inbox by being answered."""

    client: Client
    left: set[str] = field(default_factory=set)

    async def tend(self) -> int:
        """Take what is new in the inbox and answer it in bulk; returns how many answers were taken."""
        inbox = await self.client.get("/api/inbox", state="sent", limit=str(MOST))
        fresh = {i["assignment_id"]: i for i in inbox["items"] if i["assignment_id"] not in self.left}
        choice_of = {id_: choices.choose(item["referral_id"], item["attempt"]) for id_, item in fresh.items()}
        self.left.update(id_ for id_, choice in choice_of.items() if choice.answer == "silence")
        opened = await self.send(
            "acknowledgements", [{"assignment_id": i} for i, c in choice_of.items() if c.acknowledge]
        )
        declined = await self.send(
            "declines",
            [{"assignment_id": i, "reason": c.reason} for i, c in choice_of.items() if c.answer == "decline"],
        )
        taken = {i: c for i, c in choice_of.items() if c.answer == "accept"}
        accepted = await self.send("acceptances", [{"assignment_id": i} for i in taken])
        await self.serve({i: taken[i] for i in accepted}, fresh[accepted[0]]["regency"] if accepted else "")
        return len(opened) + len(declined) + len(accepted)

    async def serve(self, accepted: dict[str, choices.Choice], place: str) -> None:
        """Learn who some of the accepted people are, help some of them, and record the handover at that place."""
        for assignment_id, choice in accepted.items():
            if choice.read_identity or choice.complete:
                await self.client.get(f"/api/assignments/{segment(assignment_id)}/identity")
        finished = {i: c for i, c in accepted.items() if c.complete}
        await self.send("starts", [{"assignment_id": i} for i in finished])
        number = await self.record([i for i, c in finished.items() if c.outcome == choices.HANDED], place)
        await self.send(
            "completions",
            [
                {
                    "assignment_id": i,
                    "outcome": c.outcome,
                    "handover_ref": number if c.outcome == choices.HANDED else None,
                }
                for i, c in finished.items()
            ],
        )

    async def record(self, handed: Sequence[str], place: str) -> str | None:
        """Record one set of minutes for all these people, as both have signed them a minute ago; answers its number."""
        if not handed:
            return None
        number = f"BAST/{handed[0][-6:].upper()}"
        signed_at = (datetime.now(UTC) - timedelta(minutes=1)).isoformat()
        person = {"documents": ["belongings"], "condition": "well", "guardian_check": number}
        await self.client.post(
            "/api/assignments/handovers",
            {
                "number": number,
                "receiver": "family",
                "witness": "village",
                "place": place,
                "handed_at": signed_at,
                "signed_at": signed_at,
                "items": [{"assignment_id": i, **person} for i in handed],
            },
        )
        return number

    async def send(self, verb: str, answers: Sequence[dict[str, Any]]) -> list[str]:
        """Post answers in bulk; returns the ids that were taken. One refused item never stops the others."""
        if not answers:
            return []
        said = await self.client.post(f"/api/assignments/{verb}", {"items": list(answers)})
        return [item["assignment_id"] for item in said["items"] if item.get("ok")]


async def play(script: dict[str, Any]) -> None:
    """Tend the desks of the script's agencies; SIGTERM lets them finish the round they are in."""
    over = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, over.set)
    desks: dict[str, Agency] = {}
    slots = asyncio.Semaphore(AT_ONCE)
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=16)) as http:
        service = Client(http, script["issuer"], SERVICE, script["service"], audience="referral", url=script["url"])

        async def tend(agency_id: str) -> int:
            if agency_id not in desks:
                secret = script["secrets"][agency_id]
                desks[agency_id] = Agency(
                    Client(http, script["issuer"], agency_id, secret, audience="referral", url=script["url"])
                )
            async with slots:
                try:
                    return await desks[agency_id].tend()
                except Refused as refused:
                    print(f"{agency_id}: {refused}", file=sys.stderr, flush=True)
                    return 0

        while not over.is_set():
            figures = await service.get("/api/figures")
            asked = [row["agency_id"] for row in figures["agencies"] if row["sent"]]
            mine = [agency_id for agency_id in asked if agency_id in script["secrets"]]
            if not sum(await asyncio.gather(*map(tend, mine))):
                await asyncio.sleep(POLL_S)


async def directory(client: Client) -> list[str]:
    """The ids of all agencies that referrals may go to."""
    found: list[str] = []
    after: str | None = ""
    while after is not None:
        page = await client.get("/api/agencies", limit="5000", after=after)
        found += [agency["agency_id"] for agency in page["items"]]
        after = page["next"]
    return found


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
