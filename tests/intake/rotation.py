"""Keys of the vault before and after a change, and a vault with people in it, for the tests of the change."""

import asyncio
import base64
import os
from asyncio.subprocess import PIPE, Process
from collections.abc import Sequence

import asyncpg

from services.intake.actions import keys
from services.intake.actions.arrivals import record_arrivals
from services.intake.domain.people import Identity
from services.intake.store.vault import Sealed, Vault
from shared.kit.database import Database
from tests import forking
from tests.intake.factories import INDEX_KEY, KEK, a_new_arrival, a_vault, an_arrival

NEW_KEK = bytes(range(64, 96))
BEFORE = a_vault(KEK)
AFTER = a_vault(NEW_KEK, old=[KEK])
ALONE = a_vault(NEW_KEK)
"""The new key and no other: what is left when the old one was thrown away."""


async def people(database: Database, vault: Vault, count: int, *, name: str = "Orang") -> list[str]:
    """Have so many people land; answers their person ids."""
    landing = [a_new_arrival(vault, arrival=an_arrival(who={"full_name": f"{name} {n}"})) for n in range(count)]
    await record_arrivals(database, landing)
    return [arrival.person_id for arrival in landing]


async def opened(database: Database, vault: Vault) -> list[Identity]:
    """Everybody whom this vault can open, in the order of landing. Raises when somebody does not open."""
    rows = await database.fetch(
        "SELECT case_id, person_id, sealed, wrapped_key FROM arrivals JOIN person_keys USING (person_id)"
        " ORDER BY person_id"
    )
    return [
        vault.open(
            Sealed(bytes(row["wrapped_key"]), bytes(row["sealed"])),
            person_id=str(row["person_id"]),
            case_id=str(row["case_id"]),
        )
        for row in rows
    ]


async def rewrapped(database: Database, vault: Vault = AFTER) -> keys.Rewrapping:
    return await keys.rewrap_keys(database, vault.ring, progress=lambda _: None)


async def told(database: Database) -> list[asyncpg.Record]:
    return await database.fetch(
        "SELECT case_id, shared, convert_from(payload, 'UTF8')::jsonb -> 'data' AS data FROM journal"
        " WHERE type = 'intake.keys_rewrapped.v1' ORDER BY position"
    )


def text_of(*some: bytes) -> str:
    return ",".join(base64.urlsafe_b64encode(key).decode() for key in some)


def environment(database: Database, kek: bytes, old: Sequence[bytes], **more: str) -> dict[str, str]:
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith(("VAULT_", "KMS_"))},
        "ENVIRONMENT": "development",
        "ROLES": "http",
        "OIDC_ISSUER": "http://127.0.0.1:1",
        "DATABASE_URL_INTAKE": database.url,
        "VAULT_KEK": text_of(kek),
        "VAULT_KEK_OLD": text_of(*old),
        "VAULT_INDEX_KEY": text_of(INDEX_KEY),
        **more,
    }


async def intake(command: str, environment: dict[str, str]) -> Process:
    return await asyncio.create_subprocess_exec(
        *(*forking.python(), "services.intake", command), env=environment, stdout=PIPE, stderr=PIPE
    )
