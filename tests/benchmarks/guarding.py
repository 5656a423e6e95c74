"""What the walls cost: identity and row-level security on intake's hot endpoint, policies on an agency's inbox, and how
long it takes until an identity is disclosed. Each beside itself without them, in the same run."""

import asyncio
import statistics
import sys
import time
from contextlib import AsyncExitStack
from typing import Any

import asyncpg
import httpx2

from deploy.local import ports
from services.referral.__main__ import build
from services.referral.settings import Settings
from shared.kit import database
from shared.kit.actor import Actor
from shared.kit.ids import new_id
from shared.kit.service import application
from tests.benchmarks import loader, people
from tests.benchmarks.harness import Extent, Result, counted, note, paired
from tests.benchmarks.intaking import BODIES, CONNECTIONS, SECONDS
from tests.benchmarks.rig import Rig
from tests.benchmarks.site import PORT_CLIENT, Site, site

AGENCIES = 50
ASSIGNMENTS = 200_000
PAGES = 400
DISCLOSURES = 3_000
READERS = 4


async def measure(rig: Rig, extent: Extent) -> list[Result]:
    return [
        await guarded_intake(rig, extent),
        *await guarded_inbox(rig, extent),
        *await disclosures(rig, extent),
    ]


async def guard(look: asyncpg.Connection, *, on: bool) -> None:
    """Switch the policies of a database on or off; `look` is a superuser's."""
    for (table,) in await look.fetch("SELECT relname FROM pg_class WHERE relforcerowsecurity"):
        await look.execute(f'ALTER TABLE "{table}" {"ENABLE" if on else "DISABLE"} ROW LEVEL SECURITY')


async def guarded_intake(rig: Rig, extent: Extent) -> Result:
    """Single arrivals by HTTP into two processes, as they are and without identity and policies."""
    processes = dict.fromkeys(("intake", "intake-2", "open", "open-2"), "intake")
    port = ports.free()
    settings = {name: {"ROLES": "http", **({"PORT": str(port)} if "open" in name else {})} for name in processes}
    commands = {name: [sys.executable, "-m", "tests.benchmarks.unguarded", "serve"] for name in ("open", "open-2")}
    async with site(rig, processes, settings, commands) as running:
        look = await running.database("intake")
        run = 0

        async def rate(url: str, *, guarded: bool) -> float:
            nonlocal run
            run += 1
            await guard(look, on=guarded)
            await rig.checkpoint()
            load = await loader.post(
                f"{url}/api/arrivals",
                people.bodies(BODIES, run * BODIES),
                await running.token(PORT_CLIENT, "intake"),
                connections=CONNECTIONS,
                seconds=extent.seconds(SECONDS),
                run=f"run{run}",
            )
            return load.per_second

        async def ours() -> float:
            return await rate(running.urls["intake"], guarded=True)

        async def limit() -> float:
            return await rate(f"http://127.0.0.1:{port}", guarded=False)

        await ours()
        await limit()  # both are warm now
        result = await paired("intake_http_guarded_vs_open", "arrivals/s", ours, limit, pairs=extent.pairs)
        await look.close()
    return result


async def guarded_inbox(rig: Rig, extent: Extent) -> list[Result]:
    """The inbox of one of 50 agencies by its API, in this process, with and without policies."""
    urls, _ = await rig.fresh()
    look = await asyncpg.connect(rig.server.url(database="referral"))
    await fill(look, extent.of(ASSIGNMENTS, step=AGENCIES))
    settings = Settings(
        environment="development",
        database_url=urls["referral"].application,
        roles="http",
        intake_url="http://127.0.0.1:1",
        oidc_issuer="http://127.0.0.1:1",
    )
    worker = Actor("worker", "AGENCY-07", frozenset({"agency_system"}), kind="client", region="73.07")
    async with AsyncExitStack() as stack:
        opened = await database.connect(urls["referral"].application, service="referral", min_size=2)
        stack.push_async_callback(opened.aclose)
        app = application(await build(settings, opened, stack))
        stack.push_async_callback(app.state.identity.aclose)

        async def signed_in(scope: Any, receive: Any, send: Any) -> None:
            scope.setdefault("state", {})["actor"] = worker
            await app(scope, receive, send)

        client = await stack.enter_async_context(
            httpx2.AsyncClient(transport=httpx2.ASGITransport(app=signed_in), base_url="http://referral.test")
        )

        beginning = database.beginning

        async def pages() -> float:
            count = extent.of(PAGES)
            began = time.perf_counter()
            for _ in range(count):
                answer = await client.get("/api/inbox?limit=50")
                assert answer.status_code == 200, answer.text
                assert len(answer.json()["items"]) == 50
            return count / (time.perf_counter() - began)

        async def ours() -> float:
            await guard(look, on=True)
            await pages()  # plans are made anew after a table has changed
            return await pages()

        async def limit() -> float:
            await guard(look, on=False)
            database.beginning = lambda actor: "BEGIN"
            try:
                await pages()
                return await pages()
            finally:
                database.beginning = beginning

        result = await paired("inbox_page_guarded_vs_open", "pages/s", ours, limit, pairs=2 * extent.pairs)
    await look.close()
    return [result]


async def fill(look: asyncpg.Connection, count: int) -> None:
    """So many assignments that wait for an answer, evenly over the agencies."""
    await look.execute("SET session_replication_role = replica")  # the needs refer to no explanation
    await look.execute(
        "INSERT INTO referrals (referral_id, case_id, need, state, version, restricted, regency, port, sex, age_band,"
        " onward_wish, arrived_at, opened_at, explanation) SELECT md5(n::text)::uuid, md5('case' || n)::uuid, 'WAGE',"
        " 'open', 1, FALSE, '73.' || lpad((n % 24 + 1)::text, 2, '0'), 'NNK', 'F', 'adult', 'go_home', now(), now(),"
        " '' FROM generate_series(1, $1::integer) AS n",
        count,
    )
    await look.execute(
        "INSERT INTO assignments (assignment_id, referral_id, attempt, agency_id, state, version, service_hours,"
        " sent_at, answer_due_at) SELECT md5('a' || n)::uuid, md5(n::text)::uuid, 1,"
        " 'AGENCY-' || lpad((n % $2::integer)::text, 2, '0'), 'sent', 1, 24, now(), now() + n * interval '1 second'"
        " FROM generate_series(1, $1::integer) AS n",
        count,
        AGENCIES,
    )
    await look.execute("VACUUM ANALYZE referrals, assignments")


async def disclosures(rig: Rig, extent: Extent) -> list[Result]:
    """How long referral waits for an identity, with four readers at a time: from the request to the fields."""
    async with site(rig, {"intake": "intake"}, {"intake": {"ROLES": "http"}}) as running:
        look = await running.database("intake")
        count = extent.of(DISCLOSURES)
        asked = await accepted(running, look, count)
        token = await running.token("svc-referral", "intake")
        waited: list[float] = []

        async def read() -> None:
            while asked:
                body = asked.pop()
                began = time.perf_counter()
                async with running.http.post(
                    f"{running.urls['intake']}/api/disclosures",
                    json=body,
                    headers={"Authorization": f"Bearer {token}"},
                ) as answer:
                    said = await answer.json()
                    assert answer.status == 200, said
                    assert said["fields"]["full_name"]
                waited.append((time.perf_counter() - began) * 1000)

        await rig.checkpoint()
        await asyncio.gather(*(read() for _ in range(READERS)))
        on_trail = await look.fetchval("SELECT count(*) FROM journal WHERE type = 'intake.identity_disclosed.v1'")
        assert on_trail == len(waited) == count
        await look.close()
    cuts = statistics.quantiles(waited, n=100)
    note(f"{count} disclosures by {READERS} readers: half within {cuts[49]:.1f} ms, 99 % within {cuts[98]:.1f} ms")
    return [
        counted("disclosure_p50", cuts[49], "ms"),
        counted("disclosure_p99", cuts[98], "ms"),
    ]


async def accepted(running: Site, look: asyncpg.Connection, count: int) -> list[dict[str, str]]:
    """So many people who landed and whose need an agency has accepted; what referral would ask about each."""
    token = await running.token(PORT_CLIENT, "intake")
    url = f"{running.urls['intake']}/api/arrivals/batch"
    for start in range(0, count, 50):
        bodies = [replace_key(body) for body in people.bodies(min(50, count - start), start)]
        async with running.http.post(
            url, data=b'{"arrivals":[' + b",".join(bodies) + b"]}", headers={"Authorization": f"Bearer {token}",
            "Content-Type": "application/json", "Idempotency-Key": new_id()},
        ) as answer:  # fmt: skip
            assert answer.status == 200, await answer.text()
    rows = await look.fetch(
        "INSERT INTO disclosure_grants (assignment_id, case_id, agency_id, need, accepted_at)"
        " SELECT md5(a.case_id::text)::uuid, a.case_id, 'BP3MI-73', 'NEED', now() FROM arrivals a"
        " RETURNING assignment_id::text, case_id::text"
    )
    return [{**row, "agency_id": "BP3MI-73", "reader": "the-worker", "purpose": "read_identity"} for row in rows]


def replace_key(body: bytes) -> bytes:
    """A body of a single arrival as one of a batch, with a key of its own."""
    return body[:-1] + b',"key":"%b"}' % new_id().encode()
