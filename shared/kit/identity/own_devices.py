"""Pages of everybody's own devices: what is signed in, end one, sign out everywhere."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from shared.contracts import access
from shared.contracts.fact import Id
from shared.kit.actor import Actor
from shared.kit.identity import gate, revocations, sessions
from shared.kit.identity.refusals import NotSignedIn
from shared.kit.identity.sign_in import signed_out
from shared.kit.identity.trail import person_stream
from shared.kit.web.navigation import page_router, redirect
from shared.kit.web.pages import page
from shared.kit.words import msg

ZONE = "Asia/Jakarta"
BROWSERS = {
    "edge": "Edge",
    "opera": "Opera",
    "samsung": "Samsung Internet",
    "firefox": "Firefox",
    "chrome": "Chrome",
    "safari": "Safari",
}
SYSTEMS = {
    "android": "Android",
    "ios": "iOS",
    "windows": "Windows",
    "macos": "macOS",
    "chromeos": "ChromeOS",
    "linux": "Linux",
}


async def person(request: Request) -> Actor:
    """Dependency: the person of a session. Raises as `gate.actor_of`, and `NotSignedIn` for everybody else."""
    actor = await gate.actor_of(request)
    if actor.kind != "person" or gate.of(request).session_id(request) is None:
        raise NotSignedIn
    return actor


async def person_just_now(request: Request) -> Actor:
    """Dependency: as `person`, who signed in within the last ten minutes. Raises `SignInNotRecent` besides."""
    actor = await person(request)
    gate.check_recent(actor, gate.of(request).database.clock.now(), minutes=10)
    return actor


Person = Annotated[Actor, Depends(person)]
PersonJustNow = Annotated[Actor, Depends(person_just_now)]


def router() -> APIRouter:
    """`GET /{language}/perangkat`, `POST …/perangkat/{device_id}/akhir`, `POST …/perangkat/keluar-semua`."""
    made = page_router()

    @made.get("/perangkat")
    async def devices_page(request: Request, actor: Person) -> Response:
        """Where the person is signed in at this service."""
        async with gate.of(request).database.work(actor, purpose="look") as work:
            await work.as_service()  # sessions are nobody's rows; these are found by the actor's own id
            devices = await sessions.list_devices(work.connection, actor.id, _own(request), work.now)
        return page(request, "devices.html", devices=devices, browsers=BROWSERS, systems=SYSTEMS, zone=ZONE)

    @made.post("/perangkat/{device_id}/akhir")
    async def post_end(request: Request, actor: PersonJustNow, device_id: Id) -> Response:
        """End one of the person's own sessions."""
        async with gate.of(request).database.work(actor, purpose="sign_out") as work:
            await work.as_service()
            if await sessions.remove_device(work.connection, actor.id, device_id):
                work.record(access.SignedOut(case_id=person_stream(actor.id), service=work.service))
        return redirect(request, "/perangkat", said=msg("That device was signed out."))

    @made.post("/perangkat/keluar-semua")
    async def post_end_all(request: Request, actor: PersonJustNow) -> Response:
        """Sign out everywhere: here, on all devices, and at the other services."""
        identity = gate.of(request)
        async with identity.database.work(actor, purpose="sign_out") as work:
            await revocations.revoke(work, scope="person", code=actor.id, bars=False, why="own_wish")
            work.record(access.SignedOut(case_id=person_stream(actor.id), service=work.service))
        identity.revocations.changed()
        # From here on this answer is nobody's: the person's own access has just ended.
        request.state.actor = None
        return signed_out(identity)

    return made


def _own(request: Request) -> str:
    session_id = gate.of(request).session_id(request)
    assert session_id is not None, "a person has one"
    return session_id
