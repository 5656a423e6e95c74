"""What is said of consent, as the port says it to the interface, and what holds of it then."""

from collections.abc import Callable
from typing import Any

from shared.kit.database import Database
from tests.intake.conftest import Browser
from tests.intake.factories import a_disclosure, an_accepted

Site = Callable[[str], Browser]

ADULT = {"by": "self", "how": "signed", "explained_in": "id"}
PARENT = {"by": "parent", "how": "thumbprint", "explained_in": "bug", "speaker": "Melati Ungu"}
HELP = {"purpose": "help", "recipient_class": "civil_society"}
CSO = "CSO-HEALTH"
IN_YEARS: dict[str, Any] = {"age": 10, "nik": "7306991901160001"}


async def recorded(site: Site, case_id: str, actor: str = "officer", **said: Any) -> Any:
    body = {**HELP, "given": True, "spoken": ADULT, **said}
    return await site(actor).post(f"/api/cases/{case_id}/consents", json=body)


async def a_consent(site: Site, case_id: str, **said: Any) -> str:
    answer = await recorded(site, case_id, **said)
    assert answer.status_code == 201, answer.text
    entry_id: str = answer.json()["entry_id"]
    return entry_id


async def withdrawn(site: Site, consent_id: str, **said: Any) -> Any:
    return await site("officer").post(f"/api/consents/{consent_id}/withdrawal", json={"spoken": ADULT, **said})


async def named(site: Site, case_id: str, **said: Any) -> Any:
    body = {**HELP, "basis": "vital_interest", "reason": "danger_to_life", **said}
    return await site("officer").post(f"/api/cases/{case_id}/bases", json=body)


async def seen(site: Site, case_id: str, actor: str = "officer") -> dict[str, Any]:
    answer = await site(actor).get(f"/api/cases/{case_id}/consents")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def held(site: Site, case_id: str, need: str = "SICK", class_: str = "civil_society") -> str:
    rows = (await seen(site, case_id))["standing"]
    [state] = [
        row["state"] for row in rows if (row["purpose"], row["recipient_class"], row["need"]) == ("help", class_, need)
    ]
    return str(state)


async def shown_to(site: Site, database: Database, case_id: str, agency_id: str = CSO, need: str = "SICK") -> str:
    """An assignment whose agency has been shown the identity."""
    assignment_id = await an_accepted(database, case_id, need, agency_id)
    answer = await a_disclosure(site("referral"), case_id, assignment_id, agency_id)
    assert answer.status_code == 200, answer.text
    return assignment_id
