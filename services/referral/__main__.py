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
from services.referral.domain.agencies import Agency
from services.referral.domain.refusals import Refused
from services.referral.gateways import Disclosure
from services.referral.rules import Rules
from services.referral.settings import Settings
from services.referral.store import agencies, desk
from shared.kit import words
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
    routing = Routing(_rules(settings), answer_limit=settings.answer_limit)
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
            Repeated("referral.remind", 5.0, partial(clock.remind, database)),
        ],
        overdue=partial(desk.count_overdue, database),
        refusals=api.REFUSALS,
        navigation=[
            Nav("/", msg("Inbox"), frozenset(policy.WORKERS)),
            Nav("/eskalasi", msg("Escalations and gaps"), frozenset(policy.SUPERVISORS)),
            Nav("/darurat", msg("Emergency access"), frozenset(policy.GLASS_BREAKERS)),
            Nav("/pengawasan", msg("Oversight"), frozenset(policy.OVERSEERS)),
            Nav("/angka", msg("Figures"), frozenset(policy.WATCHERS)),
        ],
        state={"routing": routing, "disclosure": Disclosure(http, settings.intake_url)},
    )


def _rules(settings: Settings) -> Rules:
    """The rules in force."""
    return rules.load(settings.rules_version or rules.latest())


cli = command_line(Settings, build, FOLDER)

by_itself = click.option(
    "--by-itself/--never-by-itself",
    "takes_referrals",
    default=None,
    help="Whether the rules may send referrals there.",
)


@cli.group("agencies")
def agencies_group() -> None:
    """The directory: look, enter an office, change one, take one out of routing, put it back."""


@agencies_group.command("list")
@click.option("--kind", help="Only this kind, for example DINSOS.")
@click.option("--region", help="A province (73) with its regencies, or one regency (73.06).")
def list_command(kind: str | None, region: str | None) -> None:
    """List offices: id, name, and whether referrals are routed there."""

    async def show(work: Work) -> None:
        for agency in await agencies.list_agencies(work, kind=kind, region=region):
            _show(agency)

    _with_directory(show)


@agencies_group.command("add")
@click.argument("kind")
@click.argument("name")
@click.option("--region", help="A province (73) or regency (73.06); none for the whole country.")
@by_itself
def add_command(kind: str, name: str, region: str | None, takes_referrals: bool | None) -> None:
    """Enter an office of KIND called NAME; police and civil society are asked by people, unless you say --by-itself."""
    ruled = frozenset(row.kind for row in _rules(load(Settings)).rows)
    _change(
        partial(keeping.add_agency, kind=kind, region=region, name=name, ruled=ruled, takes_referrals=takes_referrals)
    )


@agencies_group.command("change")
@click.argument("agency_id")
@click.option("--name", help="What it is called.")
@click.option("--zone", type=click.Choice(sorted(words.ZONE_NAMES.keys() - {"UTC"})), help="Its time zone.")
@by_itself
def change_command(agency_id: str, name: str | None, zone: str | None, takes_referrals: bool | None) -> None:
    """Change name, time zone, or whether referrals are sent to an office by themselves."""
    _change(partial(keeping.change_agency, agency_id=agency_id, name=name, zone=zone, takes_referrals=takes_referrals))


@agencies_group.command("suspend")
@click.argument("agency_id")
def suspend_command(agency_id: str) -> None:
    """Route nothing more to an office; what it has, it keeps."""
    _change(partial(keeping.suspend_agency, agency_id=agency_id))


@agencies_group.command("resume")
@click.argument("agency_id")
def resume_command(agency_id: str) -> None:
    """Route to an office again."""
    _change(partial(keeping.resume_agency, agency_id=agency_id))


def _change(act: Callable[[Work], Awaitable[Agency]]) -> None:
    """Change one office and show it as it is now."""

    async def change(work: Work) -> None:
        _show(await act(work))

    _with_directory(change)


def _show(agency: Agency) -> None:
    state = "suspended" if agency.is_suspended else "active" if agency.takes_referrals else "never by itself"
    click.echo(f"{agency.agency_id}\t{agency.name}\t{state}")


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
