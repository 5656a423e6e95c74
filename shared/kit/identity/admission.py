"""How much somebody who came in may ask, and an alarm when somebody reads about very many people.

What is over a limit is refused with a time to come back, once a minute on the trail. An alarm refuses nothing: who has
to read about hundreds can, and somebody is told of it.
"""

import math
import time
from collections.abc import Callable
from functools import partial

from starlette.requests import Request

from shared.contracts import access
from shared.kit import actor as actors
from shared.kit import telemetry
from shared.kit.actor import Actor
from shared.kit.database import Database
from shared.kit.identity.trail import ANONYMOUS, Refusals, person_stream, thing_of
from shared.kit.refusal import Refusal
from shared.kit.settings import KitSettings
from shared.kit.web.rates import WINDOW_S, Buckets, Windows, address_of, is_reading_people, networks
from shared.kit.words import msg

HOUR_S = 3600


class TooMany(Refusal):
    """Somebody asks more often than is allowed."""

    status = 429
    code = "too_many_requests"
    title = msg("Too many requests")

    def __init__(self, wait_s: float) -> None:
        super().__init__(
            msg(
                "You asked more often than is allowed. Nothing you did before is lost. Wait a moment, then go on;"
                " a program waits as many seconds as Retry-After says."
            ),
            headers={"Retry-After": str(math.ceil(wait_s))},
        )


class Admission:
    """The limits of one process, for people, for systems and for addresses from which nobody has signed in yet."""

    def __init__(
        self,
        settings: KitSettings,
        database: Database,
        refusals: Refusals,
        *,
        ticks: Callable[[], float] = time.monotonic,
    ) -> None:
        self._database = database
        self._refusals = refusals
        self._asked = {
            "person": Buckets(settings.rate_person_per_minute, ticks=ticks),
            "client": Buckets(settings.rate_client_per_minute, ticks=ticks),
        }
        self._read = {
            "person": Buckets(settings.rate_person_readings_per_minute, ticks=ticks),
            "client": Buckets(settings.rate_client_readings_per_minute, ticks=ticks),
        }
        self._many = {
            "person": settings.mass_reading_person_per_hour,
            "client": settings.mass_reading_client_per_hour,
        }
        self._strangers = Buckets(settings.rate_address_per_minute, ticks=ticks)
        self._proxies = networks(settings.trusted_proxies)
        self._readings = Windows(HOUR_S, ticks=ticks)
        self._over = Windows(WINDOW_S, ticks=ticks)
        self._figures = {"requests_over_limit": 0.0, "mass_readings": 0.0}

    async def admit(self, request: Request, actor: Actor) -> None:
        """Count a request of somebody who is known. Raises `TooMany`."""
        wait_s = self._asked[actor.kind].take(actor.id)
        if is_reading_people(request):
            wait_s = wait_s or self._read[actor.kind].take(actor.id)
            if not wait_s:
                await self._note_reading(actor)
        if wait_s:
            await self._refuse(request, actor, actor.id, wait_s)

    async def admit_stranger(self, request: Request) -> None:
        """Count a request of somebody who signs in, by address. Raises `TooMany`."""
        address = address_of(request, self._proxies)
        if wait_s := self._strangers.take(address):
            await self._refuse(request, ANONYMOUS, address, wait_s)

    def publish(self) -> None:
        """Offer the counts of what was refused and of alarms as metrics, since the process began."""
        for name in self._figures:
            telemetry.gauge(name, "1", name.replace("_", " "), partial(self._figures.get, name))

    async def _refuse(self, request: Request, actor: Actor, key: str, wait_s: float) -> None:
        self._figures["requests_over_limit"] += 1
        if self._over.count(key) == 1:
            await self._refusals.record(actor, "too_many", thing_of(request))
        raise TooMany(wait_s)

    async def _note_reading(self, actor: Actor) -> None:
        """Raise the alarm at so many readings in an hour, and again each time it is as many more."""
        many = self._many[actor.kind]
        count = self._readings.count(actor.id)
        if not many or count % many:
            return
        self._figures["mass_readings"] += 1
        service = self._database.service
        fact = access.MassReading(
            case_id=person_stream(actor.id), service=service, reader=actor.id, count=count, window_s=HOUR_S
        )
        async with self._database.work(actors.system(service, "gate"), purpose="access") as work:
            work.record(fact)
