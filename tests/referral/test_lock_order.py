"""Cases before places before explanations, in whatever is done: so no two works wait for each other."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest

from services.referral.actions import consenting
from services.referral.store import needs as store
from services.referral.store import places
from shared.contracts.intake.arrivals import NeedsCorrected, OriginCorrected
from shared.kit.actor import system
from shared.kit.heard import Heard
from shared.kit.ids import new_id
from tests.referral.conftest import Desk, Site
from tests.referral.factories import a_consent, an_agency, an_arrival
from tests.referral.test_corrections import a_correction, hear
from tests.referral.test_households import a_change, a_family, land
from tests.referral.test_households import hear as hear_households
from tests.referral.test_leasing import publish, some_places
from tests.waiting import until

FROM_FAR = "53.01"
WAITING = "SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
Taken = list[tuple[str, frozenset[str]]]


async def hear_consent(desk: Desk, said: Heard[Any]) -> None:
    async with desk.database.work(system("referral", "consumer"), purpose="hear") as work:
        await consenting.hear_consents(work, [said], routing=desk.routing)


async def test_a_landing_and_a_correction_at_once_that_decide_alike_both_come_through(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    corrected = an_arrival("ELDER", origin=FROM_FAR)
    await desk.open(corrected)
    await publish(desk, some_places(2))
    add_opened, at_the_explanations, go_on = store.add_opened, asyncio.Event(), asyncio.Event()

    async def add_late(*items: Any, **more: Any) -> None:
        at_the_explanations.set()
        await go_on.wait()
        await add_opened(*items, **more)

    monkeypatch.setattr(store, "add_opened", add_late)

    landing = asyncio.create_task(desk.open(an_arrival("ELDER")))  # holds the places
    await at_the_explanations.wait()
    home = a_correction(OriginCorrected, corrected, was=FROM_FAR, origin_regency="73.06")
    correcting = asyncio.create_task(hear(desk, home))
    await until(lambda: desk.rows(WAITING))
    go_on.set()
    await asyncio.gather(landing, correcting)

    assert [agency for _, agency, state in await desk.attempts() if state == "sent"] == ["DINSOS-73.06"] * 2


async def land_with_household(desk: Desk, _: Site) -> None:
    await desk.open(*a_family(("ELDER", {}), ("NOFAM", {})))


async def correct_two(desk: Desk, _: Site) -> None:
    ill, old = an_arrival("SICK"), an_arrival("SICK", origin=FROM_FAR)
    await desk.open(ill, old)
    await hear(
        desk,
        a_correction(OriginCorrected, ill, was="73.06", origin_regency=FROM_FAR),
        a_correction(NeedsCorrected, old, added=("ELDER",), reason="assessed"),
    )


async def consent(desk: Desk, _: Site) -> None:
    old = an_arrival("ELDER")
    await desk.open(old)
    await hear_consent(desk, a_consent(old.case_id))


async def link(desk: Desk, _: Site) -> None:
    two: list[Heard[Any]] = [an_arrival("ELDER"), an_arrival("NOFAM", origin="32.04")]
    await desk.open(*two)
    home = new_id()
    await hear_households(desk, *(a_change(one, home, "joined", *(other.case_id for other in two)) for one in two))


async def bring_together(desk: Desk, site: Site) -> None:
    await land(desk, *a_family(("MENTAL", {}), ("SICK", "ELDER", {}), ("SICK", {"sex": "M"})))
    rows = await desk.rows("SELECT referral_id::text FROM referrals WHERE need = 'SICK'")
    away = {"reason": "NEW_FACTS", "agency_id": "DINKES-65.03", "split": "persons_wish"}
    await site("supervisor").send("POST", "/api/referrals/recalls", json={"items": [{**away, **row} for row in rows]})
    apart = (await site("supervisor").get("/api/reunifications")).json()["items"]
    joins = {"items": [{"task_id": one["task_id"]} for one in apart]}
    answer = await site("supervisor").send("POST", "/api/reunifications/joins", json=joins)
    assert [item["status"] for item in answer.json()["items"]] == [200, 200]


@pytest.mark.parametrize("act", [land_with_household, correct_two, consent, link, bring_together])
async def test_places_are_taken_before_what_was_decided_is_written(
    desk: Desk, site: Site, monkeypatch: pytest.MonkeyPatch, act: Callable[[Desk, Site], Awaitable[None]]
) -> None:
    await publish(desk, some_places(5))
    await publish(desk, some_places(5, agency_id="DINSOS-65.03"), by=an_agency("DINSOS-65.03"))
    works: dict[int, Taken] = {}
    lock_places = places.lock_places

    async def lock(work: Any, agency_ids: Any) -> Any:
        works.setdefault(id(work), []).append(("places", frozenset(agency_ids)))
        return await lock_places(work, agency_ids)

    def written(write: Callable[..., Awaitable[None]]) -> Callable[..., Awaitable[None]]:
        async def note(work: Any, *items: Any, **more: Any) -> None:
            works.setdefault(id(work), []).append(("explanations", frozenset()))
            kept.append(work)
            await write(work, *items, **more)

        return note

    kept: list[Any] = []  # so that no two works have one id
    monkeypatch.setattr(places, "lock_places", lock)
    for name in ("add_opened", "update_explanations"):
        monkeypatch.setattr(store, name, written(getattr(store, name)))

    desk.clock.advance(timedelta(seconds=3))
    await act(desk, site)

    last = list(works.values())[-1]
    first_written = next(n for n, (what, _) in enumerate(last) if what == "explanations")
    held = frozenset[str]().union(*(offices for _, offices in last[:first_written]))
    assert held
    assert frozenset[str]().union(*(offices for _, offices in last[first_written:])) <= held
    if act is not correct_two:  # what a person does writes them once, in one order: nobody is told to try again
        assert [what for what, _ in last].count("explanations") == 1
