"""An auditor's own system, with a token by client credentials, reads the trail of a case and verifies its proof."""

import asyncio
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import aiohttp

from deploy.local import stack
from deploy.local.demo.client import Client, Refused
from deploy.local.identity_provider import client_secret
from shared.verifier import rujukan_verify
from tests.waiting import until

SENT = "referral.assignment_sent.v1"
AUDITOR, PORT, AGENCY = "ITJEN-KP2MI", "port-NNK", "DINSOS-73.06"


def system(running: stack.Running, http: aiohttp.ClientSession, client_id: str, service: str) -> Client:
    secret = client_secret(running.secrets["PROVIDER_SECRET"], client_id)
    return Client(http, running.urls["identity"], client_id, secret, audience=service, url=running.urls[service])


class TestAuditorSystem:
    async def test_reads_the_trail_and_takes_a_proof_that_holds_offline(
        self, running: stack.Running, tmp_path: Path
    ) -> None:
        async with aiohttp.ClientSession() as http:
            person = {"full_name": "Danuja bin Emong", "sex": "M", "age": 33, "origin_regency": "73.06"}
            arrival = await system(running, http, PORT, "intake").post("/api/arrivals", person)
            auditor = system(running, http, AUDITOR, "audit")
            case = f"/api/cases/{arrival['case_id']}"
            trail = await when(lambda trail: SENT in json.dumps(trail), auditor, f"{case}/trail")
            told = len(trail["entries"])
            bundle = await when(lambda bundle: len(bundle["entries"]) >= told, auditor, f"{case}/proof")
            async with http.get(f"{running.urls['audit']}/verifier-key") as answer:
                key = (await answer.text()).strip()

        assert {entry["source"] for entry in trail["entries"]} >= {"intake", "referral"}
        assert await verifies(bundle, key, tmp_path)
        bundle["entries"][0]["leaf"] = bundle["entries"][1]["leaf"]
        assert not await verifies(bundle, key, tmp_path)

    async def test_of_an_agency_gets_neither(self, running: stack.Running) -> None:
        async with aiohttp.ClientSession() as http:
            agency = system(running, http, AGENCY, "audit")
            statuses = [
                await refused(agency, f"/api/cases/{'0' * 8}-0000-7000-8000-{'0' * 12}/{what}")
                for what in ("trail", "proof")
            ]

        assert statuses == [403, 403]


async def when(holds: Callable[[Any], bool], client: Client, path: str) -> Any:
    """What is answered once this holds of it; before the leaves are there and signed for, that is 404 or 409."""
    answers: list[Any] = []

    async def is_there() -> bool:
        try:
            answers.append(await client.get(path))
        except Refused as refusal:
            if refusal.status not in (404, 409):
                raise
            return False
        return holds(answers[-1])

    await until(is_there)
    return answers[-1]


async def refused(client: Client, path: str) -> int:
    try:
        await client.get(path)
    except Refused as refusal:
        return refusal.status
    return 200


async def verifies(bundle: dict[str, Any], key: str, folder: Path) -> bool:
    """Does the single-file verifier find this bundle in order?"""
    file = folder / "bundle.json"
    file.write_text(json.dumps(bundle))
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, rujukan_verify.__file__, str(file), "--key", key), stdout=asyncio.subprocess.PIPE
    )
    await process.communicate()
    return process.returncode == 0
