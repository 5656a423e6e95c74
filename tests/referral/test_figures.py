"""Figures tell nobody about few people: neither by themselves, nor by a difference, nor by what they are of."""

from collections.abc import Iterator, Sequence
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from services.referral.domain import figures
from services.referral.domain.figures import FEWEST, FEWEST_RESTRICTED, RESTRICTED
from tests.reading import said
from tests.referral.conftest import Desk, Site
from tests.referral.factories import an_arrival
from tests.referral.test_actions import SERVE_NEED, suspend

STATES = ("open", "fulfilled", "unroutable", "other")
MANY = 10_000

Range = tuple[int, int]


def test_small_numbers_are_not_shown_and_no_shown_one_is_small() -> None:
    assert [figures.shown(n) for n in (0, 1, 10, 14)] == [None] * 4
    assert [figures.shown(n) for n in (15, 24, 25, 104)] == [20, 20, 30, 100]
    assert figures.shown(24, fewest=FEWEST_RESTRICTED) is None


cells = st.one_of(st.integers(0, 14), st.integers(0, 60), st.sampled_from([0, 1, 10, 11, 14, 15, 24, 25, 34, 35]))
tables = st.dictionaries(st.sampled_from(["11", "32", "53", "65", "73"]), st.tuples(cells, cells, cells, cells))


@given(tables)
def test_no_subtraction_tells_a_cell_of_one_to_ten(table: dict[str, tuple[int, ...]]) -> None:
    """Whoever knows how figures are made narrows each cell down by every sum; none of one to ten is left alone."""
    exact = _figures(table)

    seen = figures.published(exact, restricted={})

    known = _narrowed(seen)
    for province, row in table.items():
        for state, count in zip(STATES, row, strict=True):
            least, most = known[province, state]
            assert least <= count <= most
            assert not (least == most and 1 <= count <= 10), (province, state, known)


def _figures(table: dict[str, tuple[int, ...]]) -> dict[str, object]:
    rows = [{"province": p, "total": sum(row), **dict(zip(STATES, row, strict=True))} for p, row in table.items()]
    columns = {state: sum(row[n] for row in table.values()) for n, state in enumerate(STATES)}
    totals = {"referrals": sum(columns.values()), **columns}
    return {"totals": totals, "provinces": rows, "needs": {"NEED": totals["referrals"]}, "agencies": []}


def _range(number: int | None) -> Range:
    """What a reader knows of the count behind a number."""
    return (0, FEWEST - 1) if number is None else (number - 5, number + 4)


def _narrowed(seen: dict[str, object]) -> dict[tuple[str, str], Range]:
    rows: dict[str, dict[str, int]] = {row["province"]: row for row in seen["provinces"]}  # type: ignore[attr-defined]
    totals: dict[str, int | None] = seen["totals"]  # type: ignore[assignment]
    known = {}
    for province in ("11", "32", "53", "65", "73"):
        row = rows.get(province)
        for state in (*STATES, "total"):
            # A line that is left out has a small total, or there is nobody.
            known[province, state] = (0, FEWEST - 1) if row is None else _range(row[state])
    for state in STATES:
        known["", state] = _range(totals[state])
    known["", "total"] = _range(totals["referrals"])
    provinces = sorted({province for province, _ in known if province})
    sums = [((p, "total"), [(p, state) for state in STATES]) for p in ("", *provinces)]
    sums += [(("", state), [(p, state) for p in provinces]) for state in (*STATES, "total")]
    while True:
        before = dict(known)
        for whole, parts in sums:
            for cell, found in _bounds(known, whole, parts):
                known[cell] = (max(known[cell][0], found[0]), min(known[cell][1], found[1]))
        if known == before:
            return known


def _bounds(
    known: dict[tuple[str, str], Range], whole: tuple[str, str], parts: Sequence[tuple[str, str]]
) -> Iterator[tuple[tuple[str, str], Range]]:
    """What a sum and its parts say of each other."""
    least, most = sum(known[p][0] for p in parts), sum(known[p][1] for p in parts)
    yield whole, (least, most)
    for part in parts:
        yield part, (known[whole][0] - most + known[part][1], known[whole][1] - least + known[part][0])


class TestCoordinator:
    async def test_sees_restricted_needs_in_one_line_wherever_and_whatever_they_are(
        self, desk: Desk, site: Site
    ) -> None:
        await desk.open(
            *(an_arrival("TIP") for _ in range(15)),
            *(an_arrival("NEED", age_band="child", origin="53.01") for _ in range(15)),
            *(an_arrival("NEED") for _ in range(17)),
        )

        seen = (await site("coordinator").get("/api/figures")).json()

        assert seen["needs"] == {RESTRICTED: 30, "NEED": 20}
        assert {row["province"]: row["total"] for row in seen["provinces"]} == {RESTRICTED: 30, "73": 20}
        assert {row["agency_id"]: row["total"] for row in seen["agencies"]} == {RESTRICTED: 30, "BP3MI-73": 20}
        page = said(await site("coordinator").get("/id/angka"))
        assert "Kebutuhan terbatas, bersama-sama 30" in page
        assert "TPPO" not in page
        assert "Nusa Tenggara" not in page

    async def test_is_not_told_whether_there_is_one_restricted_need_or_none(self, desk: Desk, site: Site) -> None:
        await desk.open(*(an_arrival("NEED") for _ in range(16)))
        before = (await site("coordinator").get("/api/figures")).content

        await desk.open(an_arrival("GBV"), an_arrival("UAC", age_band="child"))

        assert (await site("coordinator").get("/api/figures")).content == before

    async def test_takes_nothing_that_is_restricted_off_a_total_by_counting_all_others_one_by_one(
        self, desk: Desk, site: Site
    ) -> None:
        await desk.open(*(an_arrival("NEED") for _ in range(14)))
        await suspend(desk, *SERVE_NEED)
        desk.clock.advance(timedelta(minutes=1))
        await desk.open(*(an_arrival("NEED") for _ in range(14)))
        desk.clock.advance(timedelta(days=30))
        before = (await site("coordinator").get("/api/figures")).json()["totals"]
        listed = (await site("coordinator").get("/api/requests")).json()["items"]
        unserved = (await site("coordinator").get("/api/gaps/open")).json()["items"]

        await desk.open(an_arrival("NEED", age_band="child"), an_arrival("GBV"))
        desk.clock.advance(timedelta(days=30))

        assert (len(listed), sum(row["total"] for row in unserved)) == (14, 14)
        assert (await site("coordinator").get("/api/figures")).json()["totals"] == before
        assert before["gaps"] is before["overdue"] is None

    async def test_finds_lines_in_an_order_that_shown_numbers_give(self, desk: Desk, site: Site) -> None:
        await desk.open(
            *(an_arrival("ELDER", origin="73.71") for _ in range(16)),
            *(an_arrival("ELDER", origin="73.06") for _ in range(19)),
        )

        page = said(await site("coordinator").get("/id/angka"))

        assert page.index("Kabupaten Gowa") < page.index("Kota Makassar")

    async def test_others_who_watch_see_no_more_and_only_a_service_sees_exact_numbers(
        self, desk: Desk, site: Site
    ) -> None:
        await desk.open(an_arrival("TIP"), an_arrival("NEED"))

        people = {(await site(who).get("/api/figures")).content for who in ("coordinator", "auditor", "operator")}
        exact = (await site("service").get("/api/figures")).json()

        assert len(people) == 1
        assert exact["totals"]["referrals"] == 2
        assert exact["needs"] == {"NEED": 1, "TIP": 1}
