"""The rules and what-if as coordinators see them: draft, try, ask, confirm, two people."""

import io
import re
from dataclasses import replace

import httpx2
import openpyxl
import pytest

from services.referral import rules
from services.referral.actions.running import KEPT_FOR, Runs
from services.referral.actions.trying import Question
from services.referral.rules import sheets
from services.referral.store import rulesets as store
from shared.kit.actor import system
from tests.reading import said
from tests.referral.conftest import PEOPLE, Desk, Site
from tests.referral.factories import an_arrival
from tests.referral.forms import posted

SHIPPED = rules.load(rules.latest())


@pytest.fixture(autouse=True)
async def entered(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(PEOPLE, "second", replace(PEOPLE["coordinator"], id="koordinator.2"))
    async with desk.database.work(system("referral", "rules"), purpose="start") as work:
        await store.enter_shipped(work, SHIPPED.version, SHIPPED.text)


def slower(**cells: object) -> bytes:
    """The rules in force as a workbook, with other cells in the sheet of terms; the sick have longer."""
    book = openpyxl.load_workbook(io.BytesIO(sheets.workbook(SHIPPED.text)))
    [row] = [n for n in range(2, 40) if book["terms"][f"A{n}"].value == "terms-sick"]
    book["terms"][f"I{row}"] = 47.75
    for cell, value in cells.items():
        book["terms"][cell] = value
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


async def sent(
    site: Site, content: bytes, *, name: str = "slower", filename: str = "rules.xlsx", **more: str
) -> httpx2.Response:
    page = (await site("coordinator").get("/en/aturan")).text
    hidden = dict(re.findall(r'name="(csrf|key)" value="([^"]*)"', page))
    return await site("coordinator").send(
        "POST", "/en/aturan", data=hidden | {"version": name} | more, files={"file": (filename, content)}
    )


async def state(desk: Desk, version: str = "slower") -> str:
    [row] = await desk.rows("SELECT state FROM rule_sets WHERE version = $1", version)
    return str(row["state"])


async def test_two_coordinators_put_in_force_what_was_edited_in_a_spreadsheet_and_tried(desk: Desk, site: Site) -> None:
    await desk.open(*[an_arrival("SICK") for _ in range(20)])
    ani = site("coordinator")

    drafted = await sent(site, slower())
    early = (await ani.get("/en/aturan/slower/berlaku")).text
    await ani.get("/en/bagaimana-jika?rules=slower&go=1")
    tried = await posted(site, "coordinator", "/id/aturan/slower/uji")
    asked = await posted(site, "coordinator", "/id/aturan/slower/minta")
    alone = await posted(site, "coordinator", "/id/aturan/slower/berlaku")
    between = await state(desk)
    waiting = (await site("second").get("/en/aturan")).text
    confirmed = await posted(site, "second", "/id/aturan/slower/berlaku")

    assert [r.status_code for r in (drafted, tried, asked, alone, confirmed)] == [303, 303, 303, 409, 303]
    assert "has to be tried" in early
    assert between == "tried"
    assert "waits for a second person" in waiting
    assert (await state(desk), await state(desk, SHIPPED.version)) == ("active", "retired")


async def test_a_person_who_signed_in_long_ago_signs_in_again_before_asking(site: Site) -> None:
    await sent(site, slower())

    answer = await site("coordinator, long ago").get("/en/aturan/slower/berlaku")

    assert answer.status_code in {303, 307, 401}
    assert "put in force" not in answer.text.lower()


async def test_what_is_wrong_is_named_cell_by_cell_and_nothing_is_kept(desk: Desk, site: Site) -> None:
    answer = await sent(site, slower(C2="UACC", D3="=1+1"))
    codes = await sent(site, slower(C2="UACC"))

    assert (answer.status_code, codes.status_code) == (422, 422)
    assert "terms D3: is a formula; write what comes out of it" in said(answer)
    assert "terms terms-uac need: a code that there is not" in said(codes)
    assert await desk.rows("SELECT 1 FROM rule_sets WHERE version = 'slower'") == []


@pytest.mark.parametrize(
    ("content", "more", "sentence"),
    [
        (b"", {}, "Choose a file."),
        (b"{}", {"name": "No Name", "filename": "a.json"}, "Give a name of small letters"),
        (b"id,why", {"filename": "a.csv"}, "Say which table the CSV file holds."),
        (SHIPPED.text, {"filename": "a.json"}, "There is a version with this name, or with these tables, already."),
        (b"{}", {"filename": "a.json"}, "this holds no decision tables in JDM"),
    ],
)
async def test_a_file_that_cannot_be_a_draft_is_sent_back_with_the_reason(
    site: Site, content: bytes, more: dict[str, str], sentence: str
) -> None:
    answer = await sent(site, content, **more)

    assert answer.status_code == 422
    assert sentence in said(answer)


async def test_a_version_is_readable_as_tables_in_both_languages(site: Site) -> None:
    english = said(await site("coordinator").get(f"/en/aturan/{SHIPPED.version}"))
    indonesian = said(await site("coordinator").get(f"/id/aturan/{SHIPPED.version}"))

    assert "Unaccompanied or separated child" in english
    assert "Hours counted" in english
    assert "Jam yang dihitung" in indonesian
    assert (await site("coordinator").get("/en/aturan/none")).status_code == 404
    assert (await site("supervisor").get(f"/en/aturan/{SHIPPED.version}")).status_code == 403


class TestWhatIf:
    async def test_says_how_far_it_is_and_then_who_would_go_elsewhere(self, desk: Desk, site: Site) -> None:
        await desk.open(*[an_arrival("WAGE") for _ in range(33)])
        [row] = await desk.rows("SELECT DISTINCT agency_id FROM assignments")
        office, ani = row["agency_id"], site("coordinator")

        first = await ani.get(f"/en/bagaimana-jika?go=1&without={office}")
        result = await ani.get(f"/en/bagaimana-jika/hasil?without={office}")
        while "data-refresh" in result.text:
            result = await ani.get(f"/en/bagaimana-jika/hasil?without={office}")

        assert "Decisions made again" in said(first) or "Who would go elsewhere" in said(first)
        assert "<html" not in result.text
        assert re.search(r"Unpaid wages(.|\n)*30", result.text)
        assert "note that it was tried" not in result.text

    @pytest.mark.parametrize(
        ("query", "sentence"),
        [
            ("since=2026", "Write a month"),
            ("without=DINKES-99.99", "The directory has no office DINKES-99.99"),
            ("rules=none", "There is no such version of the rules"),
        ],
    )
    async def test_names_what_cannot_be_asked(self, site: Site, query: str, sentence: str) -> None:
        answer = await site("coordinator").get(f"/en/bagaimana-jika?go=1&{query}")

        assert answer.status_code == 422
        assert sentence in said(answer)

    async def test_a_question_is_answered_once_for_whoever_asks_for_some_minutes(self, desk: Desk) -> None:
        await desk.open(an_arrival("WAGE"))
        runs, ani = Runs(desk.database), PEOPLE["coordinator"]

        first = await runs.of(ani, Question())
        assert (await first.finished())["rounded_to"] == 10
        again, other = await runs.of(PEOPLE["second"], Question()), await runs.of(ani, Question(port="NNK"))
        desk.clock.advance(KEPT_FOR)
        later = await runs.of(ani, Question())
        await runs.aclose()

        assert (again is first, other is first, later is first) == (True, False, False)
        assert first.done == first.total == 1
