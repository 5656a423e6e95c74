"""Whoever asks for what is not theirs is refused, and that stands on the trail before the refusal leaves."""

import json

import pytest

from shared.kit.database import Database
from shared.kit.ids import new_id
from tests.access import matrix
from tests.access.matrix import Cell
from tests.access.worlds import WORLDS, World
from tests.conftest import DatabaseUrls

FOREIGN = [
    ("intake", "voyage", "GET /api/voyages/{voyage_id}", "port_officer"),
    ("intake", "person", "POST /api/cases/{case_id}/corrections", "port_officer"),
    ("referral", "assignment", "GET /api/assignments/{assignment_id}", "agency_worker"),
    ("referral", "assignment", "GET /{language:language}/rujukan/{assignment_id}", "agency_worker"),
    ("referral", "assignment", "POST /api/assignments/acceptances", "agency_system"),
    ("referral", "need", "POST /api/referrals/closures", "agency_supervisor"),
    ("referral", "erasure", "POST /api/erasures/confirmations", "agency_system"),
    ("notify", "delivery", "GET /api/deliveries/{delivery_id}", "ngo_member"),
]


@pytest.mark.parametrize(("service", "thing", "route", "role"), FOREIGN)
async def test_asking_for_what_is_anothers_is_on_the_trail_as_asking_for_what_is_not_there(
    service: str, thing: str, route: str, role: str, database_urls: DatabaseUrls
) -> None:
    async with WORLDS[service](database_urls(service).application) as world:
        for id_ in (await world.thing(thing, elsewhere(thing)), new_id()):
            before = await denials(world)
            said = await world.ask(route, role, id_, elsewhere(thing))

            assert said.status == 404
            assert await denials(world) == [*before, "not_yours"]


def elsewhere(thing: str) -> Cell:
    """A cell on the other side of every wall."""
    action = next(action for action in matrix.actions() if action.thing == thing)
    first = {name: values[0] for name, values in action.dimensions.items()}
    return {**first, **{name: "other" for name in ("organisation", "region") if name in first}}


async def denials(world: World) -> list[str]:
    database: Database = world.app.state.database
    rows = await database.fetch("SELECT payload FROM journal WHERE type = 'access.access_denied.v1' ORDER BY position")
    return [json.loads(row["payload"])["data"]["reason"] for row in rows]
