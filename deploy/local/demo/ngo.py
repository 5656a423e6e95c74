"""Subscribing at notify, once: what the service answered is kept in a file, because it tells the secret only once."""

import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path

from deploy.local import folder
from deploy.local.demo.client import Client


@dataclass(frozen=True, slots=True)
class Wish:
    """What an NGO wants to hear. Empty lists mean everything that it may hear."""

    name: str
    url: str
    provinces: list[str]
    needs: list[str]
    events: list[str]


@dataclass(frozen=True, slots=True)
class Subscription:
    subscription_id: str
    secret: str
    url: str


async def subscribe(client: Client, wish: Wish, known: Path) -> Subscription:
    """Create the subscription of `wish`; one that is remembered in `known` is kept, at its new address if need be."""
    wanted = dataclasses.asdict(wish)
    if known.exists():
        subscription = remembered(known)
        if subscription.url == wish.url:
            return subscription
        await client.put(f"/api/subscriptions/{subscription.subscription_id}", wanted)
        subscription = dataclasses.replace(subscription, url=wish.url)
    else:
        created = await client.post("/api/subscriptions", wanted)
        subscription = Subscription(created["subscription_id"], created["secret"], wish.url)
    keep(known, dataclasses.asdict(subscription))
    return subscription


def remembered(known: Path) -> Subscription:
    return Subscription(**json.loads(known.read_text(encoding="utf-8")))


def keep(path: Path, content: object) -> None:
    """Write JSON that only this user can read, whole or not at all."""
    folder.keep_private(path.parent)
    half = path.with_suffix(".half")
    half.touch(mode=0o600)
    half.write_text(json.dumps(content), encoding="utf-8")
    half.rename(path)
