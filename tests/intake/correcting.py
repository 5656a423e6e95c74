"""Correcting an arrival as a port does, by the API and by forms."""

import re
from collections.abc import Callable
from typing import Any

import httpx2

from services.intake.domain.arrival_corrections import Kept
from tests.intake.conftest import Browser
from tests.intake.factories import START
from tests.reading import said

Site = Callable[[str], Browser]

OF_AGE: dict[str, Any] = {"birth_date": "1990-02-01", "reason": "papers_found", "proof": "birth_certificate"}


async def corrected(
    site: Site, case_id: str, what: str, *, version: int = 1, actor: str = "officer", **said: Any
) -> tuple[int, Any]:
    """Correct something; status and answer."""
    answer = await site(actor).post(f"/api/arrivals/{case_id}/{what}", json={"version": version, **said})
    return answer.status_code, answer.json()


async def a_child(site: Site) -> str:
    """The case of somebody of whom no age is known."""
    answer = await site("officer").post("/api/arrivals", json={"full_name": "Kenari Kuning", "sex": "F"})
    case_id: str = answer.json()["case_id"]
    assert answer.json()["age_band"] == "unknown"
    return case_id


async def a_proposal(site: Site, case_id: str, *, actor: str = "officer", version: int = 1) -> str:
    """What asks that somebody count as of age."""
    status, answer = await corrected(site, case_id, "age", actor=actor, version=version, **OF_AGE)
    assert status == 202, answer
    proposal_id: str = answer["proposal"]["proposal_id"]
    return proposal_id


async def confirmed(site: Site, proposal_id: str, actor: str, **said: Any) -> tuple[int, Any]:
    """Confirm that somebody is of age; status and answer."""
    answer = await site(actor).post(f"/api/age-proposals/{proposal_id}/confirmation", json=said)
    return answer.status_code, answer.json()


async def state(site: Site, case_id: str) -> Any:
    """What the port sees of an arrival."""
    return (await site("officer").get(f"/api/arrivals/{case_id}")).json()


async def filled(site: Site, case_id: str, what: str, *, actor: str = "officer", **form: Any) -> httpx2.Response:
    """Fill in a form as the page offers it, with the version that it shows."""
    page = await site(actor).get(f"/id/kedatangan/{case_id}/{what}")
    version = re.search(r'name="version" value="(\d+)"', page.text)
    assert version, said(page)
    return await site(actor).post(f"/id/kedatangan/{case_id}/{what}", data={"version": version[1], **form})


def a_kept(band: str) -> Kept:
    """An arrival of somebody of this age group."""
    needs: Any = ("NEED", *{"child": ("UAC",), "unknown": ("UAC",), "elderly": ("ELDER",)}.get(band, ()))
    return Kept("c", "p", "NNK", "65.03", 1, None, "F", band, None, needs, "unknown", START)  # type: ignore[arg-type]
