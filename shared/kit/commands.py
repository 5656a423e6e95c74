"""The command line every service has: serve, migrate, check, parked, access."""

import asyncio
import contextlib
import sys
from contextlib import AsyncExitStack
from pathlib import Path

import click
import uvloop
from aiokafka.errors import KafkaConnectionError

from shared.kit import broker, parking, row_security
from shared.kit.access_commands import access_group
from shared.kit.actor import system
from shared.kit.database import connect, migrate, role_of
from shared.kit.service import Build, serve
from shared.kit.settings import KitSettings, load

BUILT_WITHIN_S = 30


def command_line(settings: type[KitSettings], build: Build, folder: Path) -> click.Group:
    """The commands every service has; a service adds its own to the group."""
    name = settings.service

    @click.group(name=name, context_settings={"help_option_names": ["-h", "--help"]})
    def group() -> None:
        """Run and look after one service of Rujukan."""

    @group.command("serve")
    def serve_command() -> None:
        """Serve until stopped: the roles in ROLES (http, consumer, relay, clock; all by default)."""
        uvloop.run(serve(load(settings), build))

    @group.command("migrate")
    @click.option("--kafka-may-be-away", is_flag=True, help="Then go on; a later run makes the topics.")
    def migrate_command(kafka_may_be_away: bool) -> None:
        """Bring the database to this version and make the Kafka topics."""
        uvloop.run(_migrate(load(settings), folder, kafka_may_be_away))

    @group.command("check")
    def check_command() -> None:
        """Say whether settings, database and broker are fit to serve; exit 1 when not."""
        sys.exit(uvloop.run(_check(load(settings), build)))

    @group.group("parked")
    def parked_group() -> None:
        """Records that could not be digested: look, release after a fix, or discard with a reason."""

    @parked_group.command("list")
    def list_command() -> None:
        """List what waits for a person, one JSON object a line."""
        uvloop.run(_parked_list(load(settings)))

    @parked_group.command("show")
    @click.argument("parked_id")
    def show_command(parked_id: str) -> None:
        """Show one record's place, reason and size (never its content)."""
        uvloop.run(_parked_show(load(settings), parked_id))

    @parked_group.command("release")
    @click.argument("parked_id")
    def release_command(parked_id: str) -> None:
        """Try a record again, and those of its case that wait behind it, in order."""
        sys.exit(uvloop.run(_parked_release(load(settings), build, parked_id)))

    @parked_group.command("discard")
    @click.argument("parked_id")
    @click.option("--reason", required=True, help="Why it can be given up; kept with the record.")
    def discard_command(parked_id: str, reason: str) -> None:
        """Give a record up for good; it stays in the table with the reason."""
        sys.exit(uvloop.run(_parked_discard(load(settings), parked_id, reason)))

    group.add_command(access_group(settings))
    return group


async def _migrate(settings: KitSettings, folder: Path, kafka_may_be_away: bool) -> None:
    url = settings.migration_database_url or settings.database_url
    role = role_of(settings.database_url) if settings.migration_database_url else None
    for name in await migrate(url, [folder / "migrations"], application_role=role):
        click.echo(f"{settings.service}: applied {name}", err=True)
    if not settings.kafka_bootstrap_servers:
        return
    try:
        made = await broker.make_topics(settings, [settings.service])
    except KafkaConnectionError:
        said = f"{settings.service}: topics were not made: Kafka does not answer at {settings.kafka_bootstrap_servers}"
        if not kafka_may_be_away:
            raise click.ClickException(said) from None
        click.echo(said, err=True)
    else:
        for name in made:
            click.echo(f"{settings.service}: made topic {name}", err=True)


async def _check(settings: KitSettings, build: Build) -> int:
    """0 when the role is safe, the server keeps what it commits and the service may serve; else 1, a line a finding."""
    async with AsyncExitStack() as stack:
        database = await connect(settings.database_url, service=settings.service, max_size=2)
        stack.push_async_callback(database.aclose)
        findings = await row_security.findings(database)
        [row] = await database.fetch(
            "SELECT current_setting('fsync') AS fsync, current_setting('full_page_writes') AS pages,"
            " has_table_privilege('journal', 'UPDATE') OR has_table_privilege('journal', 'DELETE') AS may_change"
        )
        if row["may_change"]:
            findings.append("the application role may change the journal: run `migrate` with MIGRATION_DATABASE_URL")
        if row["fsync"] != "on" or row["pages"] != "on":
            findings.append("the server does not keep what it commits: set fsync and full_page_writes on")
        try:
            async with asyncio.timeout(BUILT_WITHIN_S):
                service = await build(settings, database, stack)
        except TimeoutError:
            findings.append(f"what it needs to start is still away after {BUILT_WITHIN_S} s; see the warnings")
        else:
            findings += await service.unfit() if service.unfit is not None else []
    for finding in findings:
        click.echo(f"{settings.service}: {finding}", err=True)
    click.echo(f"{settings.service}: {'fit to serve' if not findings else f'{len(findings)} findings'}")
    return 1 if findings else 0


async def _parked_list(settings: KitSettings) -> None:
    database = await connect(settings.database_url, service=settings.service, max_size=2)
    async with contextlib.aclosing(database):
        for row in await database.fetch("SELECT * FROM waiting ORDER BY place LIMIT 1000"):
            click.echo(parking.described(row))


async def _parked_show(settings: KitSettings, parked_id: str) -> None:
    database = await connect(settings.database_url, service=settings.service, max_size=2)
    async with contextlib.aclosing(database), database.pool.acquire() as connection:
        row = await parking.find(connection, parked_id)
        if row is None:
            raise click.ClickException(f"no parked record {parked_id}; see `parked list`")
        click.echo(parking.described(row))


async def _parked_release(settings: KitSettings, build: Build, parked_id: str) -> int:
    async with AsyncExitStack() as stack:
        database = await connect(settings.database_url, service=settings.service, max_size=settings.pool_size)
        stack.push_async_callback(database.aclose)
        service = await build(settings, database, stack)
        try:
            released = await service.inbox.release(parked_id)
        except parking.NotParked as error:
            raise click.ClickException(str(error)) from None
        except Exception as error:
            click.echo(f"{parked_id} stays parked: it failed again with {type(error).__name__}", err=True)
            return 1
        click.echo(f"released {released}")
        return 0


async def _parked_discard(settings: KitSettings, parked_id: str, reason: str) -> int:
    database = await connect(settings.database_url, service=settings.service, max_size=2)
    async with contextlib.aclosing(database):
        try:
            async with database.work(system(settings.service, "operator"), purpose="discard") as work:
                await parking.discard(work, parked_id, reason)
        except parking.NotParked as error:
            raise click.ClickException(str(error)) from None
        click.echo(f"discarded {parked_id}")
        return 0
