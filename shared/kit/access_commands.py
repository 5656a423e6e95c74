"""`access`: take access away and give it back from the command line, also where nobody could sign in to do it."""

from contextlib import aclosing
from typing import get_args

import click
import uvloop
from pydantic import TypeAdapter, ValidationError

from shared.contracts.access import Scope, Why
from shared.contracts.fact import Code
from shared.kit.actor import system
from shared.kit.database import connect
from shared.kit.identity import revocations
from shared.kit.settings import KitSettings, load

LISTED = 1_000
REASONS = [why for why in get_args(Why) if why != "own_wish"]


def _coded(_: click.Context, __: click.Parameter, code: str) -> str:
    try:
        return TypeAdapter[str](Code).validate_python(code)
    except ValidationError:
        raise click.BadParameter("a code has 1 to 64 letters, digits and ._:/-") from None


whose = click.argument("scope", type=click.Choice(get_args(Scope)))
code = click.argument("code", callback=_coded)


def access_group(settings: type[KitSettings]) -> click.Group:
    """The group for one service. What is decided here is heard by the others, as if it had been on the page."""

    @click.group("access")
    def group() -> None:
        """Who is kept out: list, revoke, restore. It holds at all services within a second."""

    @group.command("list")
    def list_command() -> None:
        """List who is kept out, one a line: scope, code, why, since."""
        uvloop.run(_list(load(settings)))

    @group.command("revoke")
    @whose
    @code
    @click.option("--why", type=click.Choice(REASONS), required=True)
    @click.option("--end-only", is_flag=True, help="End sessions and tokens of now; signing in again is possible.")
    def revoke_command(scope: Scope, code: str, why: Why, end_only: bool) -> None:
        """Take access away from a person, client, role or organisation."""
        uvloop.run(_revoke(load(settings), scope, code, why, bars=not end_only))

    @group.command("restore")
    @whose
    @code
    def restore_command(scope: Scope, code: str) -> None:
        """Let them come in again."""
        uvloop.run(_restore(load(settings), scope, code))

    return group


async def _list(settings: KitSettings) -> None:
    database = await connect(settings.database_url, service=settings.service, max_size=2)
    async with aclosing(database), database.work(system(settings.service, "operator"), purpose="look") as work:
        for bar in await revocations.list_barred(work, limit=LISTED):
            click.echo(f"{bar.scope} {bar.code} {bar.why} {bar.since.isoformat()}")


async def _revoke(settings: KitSettings, scope: Scope, code: str, why: Why, *, bars: bool) -> None:
    database = await connect(settings.database_url, service=settings.service, max_size=2)
    async with aclosing(database), database.work(system(settings.service, "operator"), purpose="revoke") as work:
        await revocations.revoke(work, scope=scope, code=code, bars=bars, why=why)
    click.echo(f"{scope} {code}: {'kept out' if bars else 'ended'}")


async def _restore(settings: KitSettings, scope: Scope, code: str) -> None:
    database = await connect(settings.database_url, service=settings.service, max_size=2)
    async with aclosing(database), database.work(system(settings.service, "operator"), purpose="restore") as work:
        await revocations.restore(work, scope=scope, code=code)
    click.echo(f"{scope} {code}: let in again")
