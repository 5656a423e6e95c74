"""Plain forms, as a browser without scripts sends them."""

from typing import Any

import httpx2

from tests.referral.conftest import Site


async def posted(site: Site, actor: str, path: str, **fields: Any) -> httpx2.Response:
    """The answer to a form that somebody sends."""
    return await site(actor).send("POST", path, data=fields)
