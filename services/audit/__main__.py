"""Composition root of audit: what it is built of, and its command line."""

import sys
from contextlib import AsyncExitStack, aclosing
from functools import partial
from pathlib import Path

import click
import uvloop

from services.audit import actions, api, clock, consumers, pages, policy
from services.audit.actions import Signer
from services.audit.domain import refusals, tiles
from services.audit.settings import Settings
from shared.kit.actor import system
from shared.kit.commands import command_line
from shared.kit.database import Database, connect
from shared.kit.inbox import Inbox
from shared.kit.service import Repeated, Service
from shared.kit.settings import load
from shared.kit.web import Nav
from shared.kit.words import msg

FOLDER = Path(__file__).parent

GATHER_MS = 100
"""Leaves only have to stand before the next checkpoint."""

REFUSALS: dict[type[Exception], tuple[int, str, str]] = {
    refusals.CaseUnknown: (404, "case_unknown", msg("No record of this case has reached the ledger")),
    refusals.NothingSealed: (409, "nothing_sealed", msg("No checkpoint covers this yet; try again in a second")),
    refusals.StillArriving: (
        409,
        "still_arriving",
        msg("Rows of this case are still on their way; try again in ten seconds"),
    ),
    refusals.SizeUnknown: (404, "size_unknown", msg("The ledger has no tree of this size")),
    refusals.SearchTooShort: (422, "search_too_short", msg("A search needs eight to 32 hexadecimal characters")),
    refusals.LedgerBroken: (500, "ledger_broken", msg("The ledger contradicts what was signed; call the operator")),
    tiles.NoSuchTile: (404, "no_such_tile", msg("The published tree has no such tile")),
}


async def build(settings: Settings, database: Database, stack: AsyncExitStack) -> Service:  # noqa: ARG001
    """Put audit together."""
    signer = signer_of(settings)
    inbox = Inbox(database)
    consumers.subscribe(inbox)
    readers = frozenset(policy.READERS)
    return Service(
        settings=settings,
        database=database,
        folder=FOLDER,
        inbox=inbox,
        gather_ms=GATHER_MS,
        routers=[api.public, api.router, *pages.routers],
        clocks=[Repeated("audit.seal", clock.SEAL_EVERY_S, partial(clock.seal_leaves, database, signer))],
        refusals=REFUSALS,
        navigation=[
            Nav("/", msg("Case trail"), readers),
            Nav("/ledger", msg("Ledger"), readers),
            Nav("/verifikasi", msg("How to verify"), readers),
        ],
        state={"signer": signer},
    )


def signer_of(settings: Settings) -> Signer:
    """Who signs for this ledger."""
    return Signer(settings.ledger_origin, settings.ledger_key_bytes, settings.old_ledger_keys)


cli = command_line(Settings, build, FOLDER)


@cli.group("ledger")
def ledger_group() -> None:
    """The ledger: verify it wholly, or print its public key."""


@ledger_group.command("key")
def key_command() -> None:
    """Print the verifier key, to be passed on to those who verify, and below it those that sign beside it."""
    click.echo("\n".join(signer_of(load(Settings)).verifier_keys))


@ledger_group.command("verify")
@click.option(
    "--key", "keys", multiple=True, help="Trust this verifier key too (of checkpoints before a change of key)."
)
@click.option(
    "--checkpoint",
    "saved",
    multiple=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A checkpoint kept outside; the tree must still give its root.",
)
def verify_command(keys: tuple[str, ...], saved: tuple[Path, ...]) -> None:
    """Recompute the whole tree from the leaves; compare tiles, checkpoints and what was kept outside. Exit 1 if not."""
    notes = [file.read_text(encoding="utf-8") for file in saved]
    sys.exit(uvloop.run(_verify(load(Settings), keys, notes)))


async def _verify(settings: Settings, keys: tuple[str, ...], saved: list[str]) -> int:
    signer = signer_of(settings)
    database = await connect(settings.database_url, service="audit", max_size=2)
    async with aclosing(database), database.work(system("audit", "operator"), purpose="verify") as work:
        found = await actions.verify_ledger(work, [*signer.verifier_keys, *keys], saved)
    for problem in found.problems:
        click.echo(f"audit: {problem}", err=True)
    click.echo(
        f"audit: {found.leaves} leaves ({found.redacted} redacted), {found.checkpoints} checkpoints:"
        f" {'verified' if not found.problems else f'{len(found.problems)} problems'}"
    )
    return 1 if found.problems else 0


if __name__ == "__main__":
    cli()
