"""What the players find on the stage: their folder, their ports, their tokens, and how a player is started."""

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

from deploy.local import ports, stack
from deploy.local.demo import ngo
from deploy.local.demo.client import Client
from deploy.local.identity_provider import client_secret
from deploy.local.stack import Running
from deploy.local.supervisor import Child

LISTENING, DEAD = "NGO-SBMI", "NGO-MIGRANTCARE"
"""The first one's system answers; at the address of the second nobody listens."""
READER = "BP3MI-65"
"""Whose system reads the directory of agencies: the office at the port."""
PORTS = "ports.json"
HURRY = "ANSWER_LIMIT_MAX_S"
ANSWER_LIMIT_S = 5
"""How long an agency has for its answer while the story is played; afterwards the hours of the rules hold."""


def settings(data: Path) -> dict[str, dict[str, str]]:
    """What `stack.running` is to tell the services for the demo in this data folder, which is ours by then.

    The receivers' addresses, which notify may call although they are on this machine; and, until the story has been
    played to its end once, a short time for answers, so that one can watch them run out.
    """
    receivers = ",".join(f"127.0.0.1:{port}" for port in _choose_ports(data / "demo").values())
    hurry = {} if is_played(data) else {HURRY: str(ANSWER_LIMIT_S)}
    return {"notify": {"WEBHOOK_ALLOW_PRIVATE": receivers}, "referral": hurry}


def is_played(data: Path) -> bool:
    """True once the story was played to its end in this data folder."""
    return (data / "demo" / "played").exists()


async def end_hurry(running: Running) -> None:
    """Start referral again without the short time for answers, if it has it: from now on people play."""
    environment = dict(running.environments["referral"])
    if environment.pop(HURRY, None):
        await running.stop("referral")
        await running.start(stack.service_child("referral", running.urls["referral"], environment))


@dataclass(frozen=True, slots=True)
class Stage:
    """The running stack as the players need it."""

    running: Running
    http: aiohttp.ClientSession

    @property
    def folder(self) -> Path:
        return self.running.data / "demo"

    @property
    def topic_prefix(self) -> str:
        return self.running.environments["intake"].get("KAFKA_TOPIC_PREFIX", "")

    def played(self) -> None:
        (self.folder / "played").touch()

    def address(self, organisation: str) -> str:
        return f"http://127.0.0.1:{self.port(organisation)}"

    def port(self, organisation: str) -> int:
        chosen: dict[str, int] = json.loads((self.folder / PORTS).read_text(encoding="utf-8"))
        return chosen[organisation]

    @property
    def notices(self) -> Path:
        """Where the NGO whose system answers keeps what it was sent."""
        return self.folder / "notices.jsonl"

    def known(self, organisation: str) -> Path:
        """Where an NGO remembers its subscription."""
        return self.folder / f"{organisation}.json"

    def credentials(self, client_id: str, service: str) -> dict[str, str]:
        """Everything a player needs to speak as `client_id` to `service`."""
        return {
            "issuer": self.running.urls["identity"],
            "client_id": client_id,
            "secret": self.secret(client_id),
            "audience": service,
            "url": self.running.urls[service],
        }

    def secret(self, client_id: str) -> str:
        return client_secret(self.running.secrets["PROVIDER_SECRET"], client_id)

    def client(self, client_id: str, service: str) -> Client:
        return Client(self.http, **self.credentials(client_id, service))

    async def start(self, module: str, name: str, script: Mapping[str, Any], ready_at: str | None = None) -> None:
        """Start `python -m deploy.local.demo.<module>` with its script in a file that only this user can read."""
        path = self.folder / f"{name}-script.json"
        ngo.keep(path, script)
        await self.running.start(
            Child(
                name=name,
                command=[sys.executable, "-m", f"deploy.local.demo.{module}", str(path)],
                ready=stack.answers(ready_at) if ready_at else None,
                restart=True,
            )
        )


def _choose_ports(folder: Path) -> dict[str, int]:
    """A port per receiver: that of the last run, unless another program has taken it since."""
    kept = folder / PORTS
    chosen: dict[str, int] = json.loads(kept.read_text(encoding="utf-8")) if kept.exists() else {}
    for organisation in (LISTENING, DEAD):
        if organisation not in chosen or not ports.is_free(chosen[organisation]):
            chosen[organisation] = ports.free()
    ngo.keep(kept, chosen)
    return chosen
