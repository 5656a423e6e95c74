"""While intake is away an acceptance stands and the page waits; who it is comes by itself, and stays nowhere."""

import gc
import re
from typing import Any

import pytest

from services.referral import gateways
from tests.reading import said
from tests.referral.conftest import Desk, Site
from tests.referral.factories import an_arrival
from tests.referral.forms import posted
from tests.referral.intake_server import IntakeServer

NAME = "Siti Aminah binti Kasim"


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gateways, "PATIENCE_S", 0.1)


async def accepted(desk: Desk, site: Site) -> str:
    """The address of a case that its agency has accepted."""
    await desk.open(an_arrival("ELDER"))
    path = f"/id/rujukan/{await desk.live()}"
    assert (await posted(site, "worker", f"{path}/terima")).status_code == 303
    return path


async def test_the_acceptance_stands_and_the_identity_comes_by_itself_when_intake_is_back(
    desk: Desk, site: Site, intake: IntakeServer
) -> None:
    intake.answers = [{"full_name": NAME}]
    await intake.stop()
    path = await accepted(desk, site)

    away = await site("worker").get(path)
    [href] = re.findall(r'data-refresh="([^"]+)"', away.text)
    still = await site("worker").get(href)
    await intake.start()
    back = await site("worker").get(href)

    assert (1, "DINSOS-73.06", "accepted") in await desk.attempts()
    assert "Identitas menyusul" in said(away)
    assert href == f"{path}/identitas"
    assert "data-refresh" in still.text
    assert NAME not in still.text
    assert NAME in back.text
    assert "data-refresh" not in back.text


async def test_waiting_fills_no_trail_and_reading_is_on_it(desk: Desk, site: Site, intake: IntakeServer) -> None:
    path = await accepted(desk, site)
    await intake.stop()
    before = await desk.told()

    for _ in range(3):
        await site("worker").get(f"{path}/identitas")
    waited = await desk.told()
    await intake.start()
    await site("worker").get(f"{path}/identitas")

    assert waited == before
    assert await desk.told() == [*before, "case_read"]


async def test_an_acceptance_that_intake_has_not_heard_of_waits_too(
    desk: Desk, site: Site, intake: IntakeServer
) -> None:
    intake.answers = [409]

    page = await site("worker").get(await accepted(desk, site))

    assert "Identitas menyusul" in said(page)


async def test_another_agency_does_not_learn_that_somebody_waits(desk: Desk, site: Site, intake: IntakeServer) -> None:
    path = await accepted(desk, site)
    await intake.stop()

    assert (await site("DINKES-73.71").get(f"{path}/identitas")).status_code == 404


async def test_no_browser_or_cache_on_the_way_may_keep_it(desk: Desk, site: Site, intake: IntakeServer) -> None:
    path = await accepted(desk, site)
    api = f"/api/assignments/{path.rpartition('/')[2]}/identity"

    answers = [await site("worker").get(where) for where in (path, f"{path}/identitas", api)]

    for answer in answers:
        assert answer.status_code == 200
        assert answer.headers["cache-control"] == "no-store"
        assert not {"etag", "last-modified", "expires"} & answer.headers.keys()


async def test_nothing_of_it_stays_in_the_process_or_its_database(desk: Desk, site: Site, intake: IntakeServer) -> None:
    intake.answers = [{"full_name": NAME}]
    path = await accepted(desk, site)

    seen = [NAME in (await site("worker").get(where)).text for where in (path, f"{path}/identitas")]
    gc.collect()

    assert seen == [True, True]
    # What intake answers here is the test's own; nobody else may hold a mapping or list with the name in it.
    holders = [thing for thing in gc.get_objects() if thing is not intake.answers[0] and _holds(thing)]
    assert holders == []
    tables = await desk.rows(
        "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'"
    )
    for (table,) in tables:
        assert not await desk.rows(f"SELECT FROM {table} t WHERE t::text LIKE '%Aminah%'")


def _holds(thing: Any) -> bool:
    """True for a container with the name in it, itself or in what it contains that the collector does not know of."""
    parts = [*thing.keys(), *thing.values()] if type(thing) is dict else thing
    if type(thing) not in (dict, list, tuple, set):
        return False
    return any(
        (type(part) is str and part == NAME and part is not NAME)
        or (type(part) in (dict, tuple) and not gc.is_tracked(part) and _holds(part))
        for part in list(parts)
    )
