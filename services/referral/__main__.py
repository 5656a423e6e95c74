"""Composition root of referral: what it is built of, and its command line."""

from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, aclosing
from functools import partial
from pathlib import Path

import aiohttp
import click
import uvloop

from services.referral import api, clock, consumers, pages, policy, rules
from services.referral.actions import keeping
from services.referral.actions.routing import Routing
from services.referral.domain.refusals import Refused
from services.referral.gateways import Disclosure
from services.referral.settings import Settings
from services.referral.store import agencies
from shared.kit.actor import system
from shared.kit.commands import command_line
from shared.kit.database import Database, connect
from shared.kit.inbox import Inbox
from shared.kit.service import Repeated, Service
from shared.kit.settings import load
from shared.kit.web import Nav
from shared.kit.words import msg
from shared.kit.work import Work

FOLDER = Path(__file__).parent


async def build(settings: Settings, database: Database, stack: AsyncExitStack) -> Service:
    """Put referral together."""
    routing = Routing(rules.load(settings.rules_version or rules.latest()), answer_limit=settings.answer_limit)
    inbox = Inbox(database)
    consumers.subscribe(inbox, routing)
    http = aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar(), trust_env=False)
    stack.push_async_callback(http.close)
    return Service(
        settings=settings,
        database=database,
        folder=FOLDER,
        inbox=inbox,
        routers=[api.router, pages.router],
        clocks=[
            Repeated("referral.chase", 0.5, clock.Chase(database, routing)),
            Repeated("referral.reroute", 10.0, partial(clock.reroute, database, routing)),
        ],
        refusals=api.REFUSALS,
        navigation=[
            Nav("/", msg("Inbox"), frozenset(policy.WORKERS)),
            Nav("/eskalasi", msg("Escalations and gaps"), frozenset(policy.SUPERVISORS)),
            Nav("/angka", msg("Figures"), frozenset(policy.WATCHERS)),
        ],
        state={"routing": routing, "disclosure": Disclosure(http, settings.intake_url)},
    )


cli = command_line(Settings, build, FOLDER)


@cli.group("agencies")
def agencies_group() -> None:
    """The directory: look, enter an office, take one out of routing, put it back."""


@agencies_group.command("list")
@click.option("--kind", help="Only this kind, for example DINSOS.")
@click.option("--region", help="A province (73) with its regencies, or one regency (73.06).")
def list_command(kind: str | None, region: str | None) -> None:
    """List offices: id, name, and whether referrals are routed there."""

    async def show(work: Work) -> None:
        for a in await agencies.list_agencies(work, kind=kind, region=region):
            state = "suspended" if a.is_suspended else "active" if a.takes_referrals else "never by itself"
            click.echo(f"{a.agency_id}\t{a.name}\t{state}")

    _with_directory(show)


@agencies_group.command("add")
@click.argument("kind")
@click.argument("name")
@click.option("--region", help="A province (73) or regency (73.06); none for the whole country.")
def add_command(kind: str, name: str, region: str | None) -> None:
    """Enter an office of KIND called NAME."""
    _with_directory(partial(keeping.add_agency, kind=kind, region=region, name=name))


@agencies_group.command("suspend")
@click.argument("agency_id")
def suspend_command(agency_id: str) -> None:
    """Route nothing more to an office; what it has, it keeps."""
    _with_directory(partial(keeping.suspend_agency, agency_id=agency_id))


@agencies_group.command("resume")
@click.argument("agency_id")
def resume_command(agency_id: str) -> None:
    """Route to an office again."""
    _with_directory(partial(keeping.resume_agency, agency_id=agency_id))


def _with_directory(do: Callable[[Work], Awaitable[None]]) -> None:
    """Do one thing to the directory and end; a refusal ends with its sentence and exit code 1."""

    async def run() -> None:
        settings = load(Settings)
        async with (
            aclosing(await connect(settings.database_url, service="referral", max_size=2)) as database,
            database.work(system("referral", "directory"), purpose="keep_directory") as work,
        ):
            await do(work)

    try:
        uvloop.run(run())
    except Refused as refused:
        raise click.ClickException(f"{(type(refused).__doc__ or '').strip()} ({refused})") from None


if __name__ == "__main__":
    cli()
