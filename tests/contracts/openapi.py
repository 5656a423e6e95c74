"""The services' applications as they are served, put together without a database, for their OpenAPI documents."""

import asyncio
import base64
import importlib
from contextlib import AsyncExitStack
from typing import Any

import asyncpg
from fastapi import FastAPI

from shared.kit import service
from shared.kit.clock import SystemClock
from shared.kit.database import Database, Wake

KEY = base64.urlsafe_b64encode(bytes(range(32))).decode()
NOWHERE = "postgresql://nobody@127.0.0.1:1/nothing"

SETTINGS: dict[str, dict[str, str]] = {
    "intake": {"vault_kek": KEY, "vault_index_key": KEY},
    "referral": {"intake_url": "http://127.0.0.1:1"},
    "notify": {"notify_secret_key": KEY},
    "audit": {"ledger_key": KEY, "ledger_origin": "rujukan.local/ledger"},
}


def documents() -> dict[str, dict[str, Any]]:
    """The OpenAPI document of each service, by its name."""
    return {name: app.openapi() for name, app in applications().items()}


def applications() -> dict[str, FastAPI]:
    """The web application of each service, by its name; good for looking at, nothing behind it runs."""
    return asyncio.run(_applications())


async def _applications() -> dict[str, FastAPI]:
    made = {}
    for name, own in SETTINGS.items():
        settings_class = importlib.import_module(f"services.{name}.settings").Settings
        settings = settings_class(environment="development", roles="http", database_url=NOWHERE, **own)
        build: service.Build = importlib.import_module(f"services.{name}.__main__").build
        pool = asyncpg.create_pool(NOWHERE)  # never opened
        database = Database(name, NOWHERE, pool, pool, SystemClock(), Wake())
        async with AsyncExitStack() as stack:
            made[name] = service.application(await build(settings, database, stack))
            stack.push_async_callback(made[name].state.identity.aclose)
    return made
