"""Every cell of the matrix, asked of the whole application by every route; and every wall, looked at from outside.

A cell that is closed answers what a thing answers that does not exist, to the byte. `make test` asks a sample that
names its seed, `make soak` all of them.
"""

import os
import random
from collections.abc import Iterator
from typing import Any

import pytest

from shared.kit.ids import new_id
from tests.access import matrix
from tests.access.__main__ import DOCUMENT
from tests.access.matrix import Action, Cell
from tests.access.worlds import WORLDS
from tests.conftest import DatabaseUrls
from tests.contracts import openapi

ACTIONS = matrix.actions()
SAMPLE = {"referral": 1_100, "intake": 350, "notify": 500, "audit": 250}
"""How many cells of each service are asked in one run; with the missing thing beside each, twice as many requests."""
WHOLE = os.environ.get("HYPOTHESIS_PROFILE") == "soak"

UNDOING = "POST /api/assignments/undoings"


def asked_of(service: str, seed: int) -> list[tuple[Action, str, Cell]]:
    """Action, route and cell; all of them in a soak, else a sample in which each route occurs, open and closed."""
    everything = [
        (action, route, cell)
        for action in ACTIONS
        if action.service in (service, "every") and not action.session
        for route in action.routes
        for cell in action.cells()
    ]
    if WHOLE:
        return everything
    rng = random.Random(seed)
    rng.shuffle(everything)
    first: dict[tuple[str, bool], tuple[Action, str, Cell]] = {}
    for one in everything:
        first.setdefault((one[1], one[0].allows(one[2])), one)
    return [*first.values(), *everything[: max(0, SAMPLE[service] - len(first))]]


@pytest.mark.parametrize("service", matrix.SERVICES)
async def test_each_cell_is_what_the_application_does(service: str, database_urls: DatabaseUrls) -> None:
    seed = random.randrange(10**6)
    wrong: list[str] = []
    async with WORLDS[service](database_urls(service).application) as world:
        for action, route, cell in asked_of(service, seed):
            if action.thing and route == UNDOING:
                world.spend(action.thing, cell)  # whose identity another cell has read is not undone any more
            id_ = await world.thing(action.thing, cell) if action.thing else new_id()
            said = await world.ask(route, cell["role"], id_, cell)
            if action.allows(cell):
                if not said.done:
                    wrong.append(f"{route} {cell}: {said.status}, though it is open: {said.gist}")
                if action.thing and not route.startswith("GET"):
                    world.spend(action.thing, cell)
            elif said.done:
                wrong.append(f"{route} {cell}: {said.status}, though it is closed")
            elif action.thing and not action.may_know(cell):
                missing = new_id()
                absent = await world.ask(route, cell["role"], missing, cell)
                if told := said.naming(id_).difference(absent.naming(missing)):
                    wrong.append(f"{route} {cell}: tells that there is such a thing: {told}")
    assert not wrong, f"seed {seed}, {len(wrong)} cells:\n" + "\n".join(wrong[:20])


@pytest.mark.parametrize("service", matrix.SERVICES)
async def test_no_list_names_what_is_anothers(service: str, database_urls: DatabaseUrls) -> None:
    own_actions = [action for action in ACTIONS if action.service == service]
    wrong: list[str] = []
    async with WORLDS[service](database_urls(service).application) as world:
        foreign = {
            (action.thing, await world.thing(action.thing, cell)): cell
            for action in own_actions
            if action.thing
            for cell in action.cells()
            if cell["role"] == matrix.NOBODY and is_foreign(cell)
        }
        for action in own_actions:
            for route in (route for route in action.routes if action.thing is None and route.startswith("GET")):
                for role in (*matrix.EVERYBODY, matrix.NOBODY):
                    said = await world.ask(route, role, new_id(), {})
                    wrong += [
                        f"{route} as {role} shows a {thing} {cell}"
                        for (thing, id_), cell in foreign.items()
                        if id_ in said.body
                        and not action.shows(thing, {**cell, "role": role})
                        and not may_look(own_actions, thing, {**cell, "role": role})
                    ]
    assert not wrong, "\n".join(wrong[:20])


def is_foreign(cell: Cell) -> bool:
    """On the other side of every wall there is between organisations and regions."""
    sides = [cell[name] for name in ("organisation", "region") if name in cell]
    return bool(sides) and set(sides) == {"other"}


def may_look(actions: list[Action], thing: str, cell: Cell) -> bool:
    return any(action.thing == thing and action.allows(cell) for action in actions)


@pytest.mark.parametrize("service", matrix.SERVICES)
def test_every_route_is_in_the_matrix(service: str) -> None:
    app = openapi.applications()[service]
    known = [route for action in ACTIONS if action.service in (service, "every") for route in action.routes]
    served = {f"{method} {path}" for method, path in routes_of(app.routes)}
    assert served - set(known) == set(), "say in tests/access/matrix.toml who may ask for these"
    assert {r for a in ACTIONS if a.service == service for r in a.routes} - served == set(), "there are no such routes"
    assert len(known) == len(set(known)), "a route stands in two actions"


def routes_of(routes: Any, prefix: str = "") -> Iterator[tuple[str, str]]:
    """Method and path template of all routes, those of included routers too."""
    for route in routes:
        if (inner := getattr(route, "original_router", None)) is not None:
            yield from routes_of(inner.routes, prefix + route.include_context.prefix)
        elif methods := getattr(route, "methods", None):
            yield from ((method, prefix + route.path) for method in methods if method != "HEAD")


def test_the_document_says_what_the_matrix_says() -> None:
    assert DOCUMENT.read_text(encoding="utf-8") == matrix.document(), "run `make access`"


def test_a_matrix_that_speaks_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="no such role"):
        matrix._action({"name": "x", "service": "intake", "routes": [], "may": [{"roles": ["king"]}]}, {})
