"""Sealing the signing keys of subscriptions under the current key, and telling when an old one may go."""

from dataclasses import dataclass

from services.notify import store
from services.notify.gateways.secrets import Seal, SecretUnreadable
from shared.contracts.notify import SecretsResealed
from shared.kit.actor import system
from shared.kit.database import Database
from shared.kit.ids import new_id

BATCH = 500
STREAM = "252fd392-c62f-59d2-a8b5-b8ee37fdbcb2"
"""The id under which facts about all signing keys stand, where other facts have a subscription's or a case's."""
FIRST = "00000000-0000-0000-0000-000000000000"
"""Before the id of any subscription."""


@dataclass(frozen=True, slots=True)
class Resealing:
    """What became of a run. `unreadable` open under no key that was given."""

    resealed: int
    unreadable: int

    @property
    def old_keys_may_go(self) -> bool:
        return not self.unreadable


async def reseal_secrets(database: Database, seal: Seal) -> Resealing:
    """Seal anew what is not under the current key, while notices are signed and subscriptions made.

    Each batch is a transaction of its own: what was done before a kill stays done, and another run goes on.
    """
    run_id, after = new_id(), FIRST
    resealed = unreadable = 0
    while True:
        async with database.work(system("notify", "reseal"), purpose="key_rotation") as work:
            batch = await store.subscriptions.lock_sealed_secrets(work, after=after, limit=BATCH)
            renewed, stuck = {}, 0
            for subscription_id, sealed in batch.items():
                try:
                    if not seal.is_current(subscription_id, sealed):
                        renewed[subscription_id] = seal.reseal(subscription_id, sealed)
                except SecretUnreadable:
                    stuck += 1
            await store.subscriptions.replace_sealed_secrets(work, renewed)
            if renewed or stuck:
                work.record(SecretsResealed(case_id=STREAM, run_id=run_id, resealed=len(renewed), unreadable=stuck))
        if not batch:
            return Resealing(resealed, unreadable)
        after = max(batch)
        resealed += len(renewed)
        unreadable += stuck
