"""The command line beside the service: what its keepers do. One file per noun."""

from collections.abc import Awaitable, Callable
from contextlib import aclosing

import click
import uvloop

from services.referral.domain.refusals import Refused
from services.referral.settings import Settings
from shared.kit.actor import system
from shared.kit.database import connect
from shared.kit.settings import load
from shared.kit.work import Work


def in_work(do: Callable[[Work], Awaitable[None]], *, part: str, purpose: str) -> None:
    """Do one thing in one work as a part of the service; a refusal ends with its sentence and exit code 1."""

    async def run() -> None:
        settings = load(Settings)
        async with (
            aclosing(await connect(settings.database_url, service="referral", max_size=2)) as database,
            database.work(system("referral", part), purpose=purpose) as work,
        ):
            await do(work)

    try:
        uvloop.run(run())
    except Refused as refused:
        raise click.ClickException(f"{(type(refused).__doc__ or '').strip()} ({refused})") from None
