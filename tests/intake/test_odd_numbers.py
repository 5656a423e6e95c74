"""A number that is no version, day or column is told so, however long it is; none of them is a fault of ours."""

from collections.abc import Callable
from typing import Any

import pytest

from services.intake import screening
from services.intake.store.vault import Vault
from shared.kit.database import Database
from shared.kit.ids import new_id
from tests.intake.conftest import Browser
from tests.intake.factories import a_voyage
from tests.intake.test_columns import BARE
from tests.intake.test_drafts import Desk
from tests.intake.test_erasures import a_case
from tests.intake.test_households_by_hand import joined

Site = Callable[[str], Browser]
LONG = "9" * 5_000
"""More digits than Python reads as a number."""
FAR = "9" * 15
"""A number, and of no year."""
DECIDED = {
    "questionnaire": screening.current().version,
    "decide": "1",
    "decision": "not_asked",
    "place": "Ruang 2",
    "language": "Bugis",
    "interpreter": "none",
}


@pytest.mark.parametrize("version", [2**31, 2**40, 10**30])
async def test_of_a_version_that_no_table_holds_is_refused(site: Site, version: int) -> None:
    one, two = await a_case(site), await a_case(site)
    await joined(site, one, two)
    for path, sent in (
        (f"/api/cases/{one}/household/parting", {"reason": "in_error"}),
        (f"/api/cases/{one}/household", {"with_case_id": two}),
        (f"/api/guardians/{new_id()}/confirmation", {}),
        (f"/api/arrivals/{one}/completion", {"full_name": "Siti"}),
        (f"/api/age-proposals/{new_id()}/confirmation", {}),
        (f"/api/matches/{new_id()}/undo", {"reason": "in_error"}),
    ):
        answer = await site("officer").post(path, json={**sent, "version": version})
        assert (answer.status_code, answer.json()["errors"][-1]["field"]) == (422, "/version"), (path, answer.text)


@pytest.mark.parametrize(
    ("path", "typed"),
    [
        ("kedatangan/{case}/lengkapi", {"version": LONG, "full_name": "Siti"}),
        ("kedatangan/{case}/asal", {"version": LONG, "origin": "73.71", "reason": "person_said"}),
        ("kedatangan/{case}/penyaringan", {"version": LONG, **DECIDED}),
        *(
            ("kedatangan/{case}/meninggal", {"version": "1", "place": "at_port", "died_month": "11", **day})
            for day in ({"died_year": FAR, "died_day": "1"}, {"died_year": "2026", "died_day": FAR})
        ),
        ("pelayaran/{voyage}/angka", {"source": "crew", "dated_day": "1", "dated_month": "11", "dated_year": FAR}),
        ("draf/{draft}/kolom", {f"k{LONG}": "full_name"}),
    ],
    ids=["complete", "correct", "screen", "a year", "a day", "a paper", "a column"],
)
async def test_in_a_form_is_refused(
    site: Site, database: Database, vault: Vault, path: str, typed: dict[str, Any]
) -> None:
    voyage = await a_voyage(database)
    draft = await Desk(database, vault).upload(voyage, BARE)
    page = path.format(case=await a_case(site), draft=draft.draft_id, voyage=voyage.voyage_id)
    answer = await site("officer").post(f"/id/{page}", data={"idempotency_key": new_id(), **typed})
    assert 400 <= answer.status_code < 500, answer.text
