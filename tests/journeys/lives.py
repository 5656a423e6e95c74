"""Intake, referral and audit as they are served, at one clock, hearing what the others tell; and who uses them."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import httpx2

from services.audit import consumers as audit
from services.intake import consumers as intake
from services.intake.clock import Comparing
from services.intake.store.vault import Keyring, Vault
from services.referral import clock as referral_clock
from services.referral import consumers as referral
from services.referral.actions.routing import Routing
from shared.kit.actor import Actor
from shared.kit.clock import FixedClock
from shared.kit.ids import new_id
from shared.kit.inbox import Inbox
from tests.benchmarks.chain import KEK, record_of
from tests.conftest import DatabaseUrls
from tests.kit.outside_issuer import OutsideIssuer, outside_issuer
from tests.web.served import PEOPLE, Served, served

REFERRAL = PEOPLE["referral"]


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody at one service's API, by their own name."""

    actor: Actor
    site: Served
    http: httpx2.AsyncClient

    async def get(self, path: str, **query: str) -> Any:
        return await self._ask("GET", path, params=query)

    async def post(self, path: str, body: Any = None) -> Any:
        """Post JSON, or bytes as a CSV file."""
        if isinstance(body, bytes):
            return await self._ask("POST", path, content=body, headers={"content-type": "text/csv"})
        return await self._ask("POST", path, json=body)

    async def _ask(self, method: str, path: str, *, headers: Any = None, **other: Any) -> Any:
        sent = {**(headers or {}), **self.site.headers(self.actor), "idempotency-key": new_id()}
        answer = await self.http.request(method, self.site.url + path, headers=sent, **other)
        assert answer.is_success, f"{method} {path}: {answer.status_code} {answer.text[:500]}"
        return answer.json() if answer.content else None


@dataclass
class Services:
    """The services, and how far each has heard the others."""

    clock: FixedClock
    sites: dict[str, Served]
    inboxes: dict[str, Inbox]
    routing: Routing
    http: httpx2.AsyncClient
    heard: dict[tuple[str, str], int] = field(default_factory=dict)

    def at(self, name: str, actor: Actor) -> Person:
        return Person(actor, self.sites[name], self.http)

    async def settle(self) -> None:
        """Have everybody hear everything, as Kafka carries it, and the clocks do what is due, until nothing is new."""
        compare = Comparing(self.sites["intake"].database, Vault(Keyring(KEK), KEK))
        while await compare():
            pass
        while (
            await self._hear("referral", "intake")
            + await self._hear("intake", "referral")
            + await self._hear("audit", "intake", "referral")
        ):
            await referral_clock.settle(self.sites["referral"].database, self.routing)()
        for name in self.inboxes:
            assert await self.sites[name].database.fetch("SELECT FROM parked") == [], name

    async def _hear(self, service: str, *sources: str) -> int:
        records = []
        for source in sources:
            told = await self.sites[source].database.fetch(
                "SELECT position, event_id, shared, type, case_id, case_seq, occurred_at, payload FROM journal"
                " WHERE position > $1 AND (shared OR $2) ORDER BY position",
                self.heard.get((service, source), 0),
                service == "audit",
            )
            records += [record_of(source, row) for row in told]
            if told:
                self.heard[service, source] = told[-1]["position"]
        await self.inboxes[service].digest(records)
        return len(records)


class Issuer(OutsideIssuer):
    """An identity provider at the same clock; signs in referral itself, when that asks intake who somebody is."""

    def __init__(self, clock: FixedClock) -> None:
        super().__init__()
        self._clock = clock

    def claims(self, **other: Any) -> dict[str, Any]:
        now = int(self._clock.now().timestamp())
        own = {"sub": REFERRAL.id, "org": REFERRAL.organisation, "roles": sorted(REFERRAL.roles), "region": None}
        when = {"iat": now, "exp": now + 300, **({"auth_time": now} if other.get("auth_time") else {})}
        return super().claims(**(own | other | when))


@asynccontextmanager
async def services(urls: DatabaseUrls, start: datetime) -> AsyncIterator[Services]:
    """Intake, referral and audit on fresh databases."""
    clock = FixedClock(start)
    async with AsyncExitStack() as stack:
        issuer = await stack.enter_async_context(outside_issuer(Issuer(clock)))
        sites: dict[str, Served] = {}
        for name in ("intake", "referral", "audit"):
            other = {"intake_url": sites["intake"].url} if name == "referral" else {}
            sites[name] = await stack.enter_async_context(served(name, urls, issuer, clock=clock, **other))
        inboxes = {name: Inbox(site.database) for name, site in sites.items()}
        routing = sites["referral"].app.state.routing
        intake.subscribe(inboxes["intake"])
        referral.subscribe(inboxes["referral"], routing)
        audit.subscribe(inboxes["audit"])
        http = await stack.enter_async_context(httpx2.AsyncClient(timeout=20))
        yield Services(clock, sites, inboxes, routing, http)
