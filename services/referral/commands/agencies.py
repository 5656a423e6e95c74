"""`agencies`: the directory from the command line."""

from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import Any

import click

from services.referral.actions import importing, keeping, ruling
from services.referral.actions.importing import Preview
from services.referral.commands import in_work
from services.referral.domain.agencies import Agency
from services.referral.store import agencies
from shared.kit import words
from shared.kit.work import Work

with_directory = partial(in_work, part="directory", purpose="keep_directory")

by_itself = click.option(
    "--by-itself/--never-by-itself",
    "takes_referrals",
    default=None,
    help="Whether the rules may send referrals there.",
)


@click.group("agencies")
def agencies_group() -> None:
    """The directory: look, enter an office, change one, take one out of routing, put it back, files out and in."""


@agencies_group.command("list")
@click.option("--kind", help="Only this kind, for example DINSOS.")
@click.option("--region", help="A province (73) with its regencies, or one regency (73.06).")
def list_command(kind: str | None, region: str | None) -> None:
    """List offices: id, name, and whether referrals are routed there."""

    async def show(work: Work) -> None:
        for agency in await agencies.list_agencies(work, kind=kind, region=region):
            _show(agency)

    with_directory(show)


@agencies_group.command("add")
@click.argument("kind")
@click.argument("name")
@click.option("--region", help="A province (73) or regency (73.06); none for the whole country.")
@by_itself
def add_command(kind: str, name: str, region: str | None, takes_referrals: bool | None) -> None:
    """Enter an office of KIND called NAME; police and civil society are asked by people, unless you say --by-itself."""

    async def add(work: Work) -> Agency:
        ruled = (await ruling.active_rules(work)).kinds
        return await keeping.add_agency(
            work, kind=kind, region=region, name=name, ruled=ruled, takes_referrals=takes_referrals
        )

    _change(add)


@agencies_group.command("change")
@click.argument("agency_id")
@click.option("--name", help="What it is called.")
@click.option("--zone", type=click.Choice(sorted(words.ZONE_NAMES.keys() - {"UTC"})), help="Its time zone.")
@by_itself
def change_command(agency_id: str, **given: Any) -> None:
    """Change name, time zone, or whether referrals are sent to an office by themselves."""
    changes = {field: value for field, value in given.items() if value is not None}
    _change(partial(keeping.change_agency, agency_id=agency_id, changes=changes))


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


@agencies_group.command("export")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
def export_command(file: Path) -> None:
    """Write the whole directory to FILE: HSDS 3 services (.json), or a row an office (.csv)."""
    if file.suffix not in (".json", ".csv"):
        raise click.ClickException(f"{file.name}: call it .json or .csv, which says what it is to hold")

    found: list[Agency] = []

    async def read(work: Work) -> None:
        found.extend(await agencies.list_agencies(work))

    with_directory(read)
    file.write_bytes(importing.exported(found, "json" if file.suffix == ".json" else "csv"))
    click.echo(f"{len(found)} offices")


@agencies_group.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--dry-run", is_flag=True, help="Only say what would change, and the digest that confirms it.")
@click.option("--digest", help="What a dry run said: takes the file in only if it would do exactly that.")
def import_command(file: Path, dry_run: bool, digest: str | None) -> None:
    """Take FILE (HSDS JSON or CSV) in as a whole, or nothing of it."""
    if not dry_run and digest is None:
        raise click.ClickException("Look first, with --dry-run; then confirm what you saw with --digest")
    if file.stat().st_size > importing.MOST_BYTES:
        raise click.ClickException(importing.FileTooLarge.__doc__ or "")

    content = file.read_bytes()

    async def take(work: Work) -> None:
        ruled = (await ruling.active_rules(work)).kinds
        looked = await importing.preview(work, content, ruled=ruled)
        _show_preview(looked)
        if digest is not None and not dry_run:
            await importing.take_in(work, content, digest, ruled=ruled)
            click.echo("taken in")

    with_directory(take)


def _show_preview(looked: Preview) -> None:
    """A line for each row that would change or is bad, then the counts and the digest."""
    for row in looked.rows:
        if row.fate != "untouched":
            click.echo(f"{row.number}\t{row.fate}\t{row.agency_id}")
        for field, before, after in row.changes:
            click.echo(f"\t{field}: {before or '-'} -> {after or '-'}")
        for problem in row.problems:
            click.echo(f"\t{problem.field}: {problem.value} {problem.message} {problem.remedy}")
    click.echo(", ".join(f"{n} {fate}" for fate, n in looked.counts.items()))
    click.echo(f"digest {looked.digest}")


def _change(act: Callable[[Work], Awaitable[Agency]]) -> None:
    """Change one office and show it as it is now."""

    async def change(work: Work) -> None:
        _show(await act(work))

    with_directory(change)


def _show(agency: Agency) -> None:
    state = "suspended" if agency.is_suspended else "active" if agency.takes_referrals else "never by itself"
    click.echo(f"{agency.agency_id}\t{agency.name}\t{state}")
