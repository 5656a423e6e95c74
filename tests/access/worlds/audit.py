"""The world of audit: a sealed ledger with cases of both visibilities in it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import services.audit.__main__
from shared.kit.clock import FixedClock
from shared.kit.database import connect
from shared.kit.ids import new_id
from tests.access.matrix import Cell
from tests.access.worlds.world import NOW, REVOCATIONS, World, actors_at, served
from tests.audit import factories as audit
from tests.audit.ledger import Ledger


@asynccontextmanager
async def audit_world(url: str) -> AsyncIterator[World]:
    database = await connect(url, service="audit", clock=FixedClock(NOW))
    actors = actors_at("BPK")
    async with served("audit", services.audit.__main__, database, actors) as (app, client):
        ledger = Ledger(database, app.state.signer)
        cases = {"normal": audit.CASE, "restricted": new_id()}
        records: list[dict[str, object]] = [{"case_id": case_id} for case_id in (*cases.values(), new_id())]
        await ledger.hear(*records)
        await ledger.seal()

        async def case(cell: Cell) -> str:
            return cases[cell["visibility"]]

        places = {
            "/tile/{level}/{path:path}": "/tile/0/000.p/3",
            "/tile/entries/{path:path}": "/tile/entries/000.p/3",
            "/api/ledger/consistency": "/api/ledger/consistency?from=1&to=3",
            "/api/search": f"/api/search?case={audit.CASE}",
        }
        yield World("audit", app, client, {"case": case}, REVOCATIONS, places)
    await database.aclose()
