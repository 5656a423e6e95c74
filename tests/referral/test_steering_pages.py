"""The pages of questions to the port, of setting right, of agencies passed over, and what a list of answers came to."""

from dataclasses import replace
from typing import Any

import pytest

from services.referral.actions import asking
from services.referral.actions.answering import Answer
from services.referral.domain.referrals import closings
from shared.kit.ids import new_id
from tests.reading import said
from tests.referral.commands import OFFICER, by_agency
from tests.referral.conftest import PEOPLE, Desk, Site
from tests.referral.factories import an_arrival
from tests.referral.forms import posted

HOME = "DINSOS-73.06"


@pytest.fixture(autouse=True)
def officers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(PEOPLE, "officer", OFFICER)
    monkeypatch.setitem(PEOPLE, "officer elsewhere", replace(OFFICER, port="BTM"))


async def test_an_officer_answers_what_is_asked_of_the_own_port_once(desk: Desk, site: Site) -> None:
    await desk.open(an_arrival("ELDER"))
    await by_agency(desk, HOME, asking.ask_port, Answer(await desk.live(), question="company"), routed=True)
    [row] = await desk.rows("SELECT question_id FROM questions")
    path = f"/id/pertanyaan/{row['question_id']}"

    assert path in (await site("officer").get("/id/pertanyaan")).text
    assert path not in (await site("officer elsewhere").get("/id/pertanyaan")).text
    assert (await site("worker").get("/id/pertanyaan")).status_code == 403
    assert (await posted(site, "officer elsewhere", path, answer="alone")).status_code == 404
    assert (await posted(site, "officer", path, answer="")).status_code == 422
    assert (await posted(site, "officer", path, answer="alone")).status_code == 303
    assert (await posted(site, "officer", path, answer="with_family")).status_code == 409

    [row] = await desk.rows("SELECT answer, answered_by FROM questions")
    assert tuple(row) == ("alone", OFFICER.id)


async def test_a_supervisor_lets_a_need_wait_and_go_on_in_the_own_region_alone(desk: Desk, site: Site) -> None:
    await desk.open(an_arrival("ELDER"))
    path = f"/id/eskalasi/{await desk.referral()}"

    assert (await site("makassar").get(f"{path}/atur")).status_code == 404
    assert (await posted(site, "makassar", f"{path}/tunda", hold="IN_HOSPITAL", days="7")).status_code == 404
    assert (await site("worker").get(f"{path}/atur")).status_code == 403
    page = await site("supervisor").get(f"{path}/atur")
    assert page.status_code == 200
    [days, *_] = [
        part.split('"')[0] for part in page.text.partition('name="days"')[2].split('value="') if part[0].isdigit()
    ]
    stale = await posted(site, "supervisor", f"{path}/tunda", hold="IN_HOSPITAL", days=days, version="99")
    assert stale.status_code == 409
    assert (await posted(site, "supervisor", f"{path}/tunda", hold="IN_HOSPITAL", days=days)).status_code == 303
    assert [state for _, _, state in await desk.attempts()] == ["recalled"]
    assert path in (await site("supervisor").get("/id/jeda")).text
    assert path not in (await site("makassar").get("/id/jeda")).text

    assert (await posted(site, "supervisor", f"{path}/lanjut")).status_code == 303

    assert [state for _, _, state in await desk.attempts()] == ["recalled", "sent"]


async def test_a_supervisor_who_parts_a_household_by_recalling_reopening_or_resuming_says_why(
    desk: Desk, site: Site
) -> None:
    home = new_id()
    await desk.open(an_arrival("MENTAL", household_id=home), an_arrival("SICK", household_id=home))
    [row] = await desk.rows("SELECT referral_id FROM referrals WHERE need = 'SICK'")
    path = f"/id/eskalasi/{row['referral_id']}"
    away, said_why = {"agency": "DINKES-65.03"}, {"agency": "DINKES-65.03", "split": "persons_wish"}
    steps: dict[str, dict[str, Any]] = {
        "tarik": {"recall": "NEW_FACTS"},
        "lanjut": {},
        "buka": {"reason": "NEED_REMAINS"},
    }
    answers: dict[str, tuple[int, int]] = {}
    for step, form in steps.items():
        if step == "lanjut":
            await posted(site, "supervisor", f"{path}/tunda", hold="IN_HOSPITAL", days="7")
        if step == "buka":
            await posted(site, "supervisor", f"{path}/tutup", reason=closings("open")[0])
        silent = await posted(site, "supervisor", f"{path}/{step}", **form, **away)
        answers[step] = (
            silent.status_code,
            (await posted(site, "supervisor", f"{path}/{step}", **form, **said_why)).status_code,
        )
        [task] = await desk.rows("SELECT reason FROM reunifications WHERE closed_at IS NULL")
        assert task["reason"] == "persons_wish"
        assert "terpisah" in said(silent)
        await desk.rows("UPDATE reunifications SET closed_at = now(), closed_as = 'parted' RETURNING 1")

    assert answers == {"tarik": (409, 303), "lanjut": (409, 303), "buka": (422, 303)}


async def test_a_supervisor_lets_an_agency_of_the_own_region_be_asked_again(desk: Desk, site: Site) -> None:
    await desk.open(an_arrival("ELDER"))
    await desk.answer("decline", HOME, Answer(await desk.live(), reason="no_capacity"))
    [row] = await desk.rows("SELECT pause_id FROM pauses")
    path = f"/id/jeda/{row['pause_id']}/cabut"

    assert path not in (await site("makassar").get("/id/jeda")).text
    assert (await posted(site, "makassar", path)).status_code == 404
    assert path in (await site("supervisor").get("/id/jeda")).text
    assert (await posted(site, "supervisor", path)).status_code == 303

    assert path not in (await site("supervisor").get("/id/jeda")).text


async def test_of_a_list_what_could_not_be_done_is_said_one_by_one(desk: Desk, site: Site) -> None:
    await desk.open(an_arrival("ELDER"))
    answered = await desk.live()
    await desk.answer("decline", HOME, Answer(answered, reason="outside_region"))
    foreign = await desk.live()
    await desk.open(an_arrival("ELDER"))
    [row] = await desk.rows("SELECT assignment_id::text FROM assignments WHERE agency_id = $1 AND state = 'sent'", HOME)

    page = await posted(site, "worker", "/id/terima", chosen=[row["assignment_id"], answered, foreign])

    assert page.status_code == 200
    assert f"/rujukan/{answered}" in page.text
    assert foreign not in page.text
    assert "1 rujukan diterima" in said(page)
    states = await desk.rows("SELECT state FROM assignments WHERE agency_id = $1 ORDER BY state", HOME)
    assert [one["state"] for one in states] == ["accepted", "declined"]
