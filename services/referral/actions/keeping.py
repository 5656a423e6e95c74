"""What the keepers of the directory do, and an office with its own entry. Each change is on the trail and in the
entry's history: it changes where referrals go.
"""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import replace
from datetime import datetime
from typing import Any

from services.referral import policy
from services.referral.actions import telling
from services.referral.domain import entries
from services.referral.domain.agencies import (
    KEPT,
    OWN,
    Agency,
    Directory,
    Level,
    agency_id,
    differing,
    directory,
    is_asked_by_itself,
)
from services.referral.domain.entries import Problem
from services.referral.domain.refusals import Refused, VersionChanged
from services.referral.store import agencies
from services.referral.store.agencies import Change, Written
from shared.contracts.codes import zone_of
from shared.kit.work import Work


class AgencyKnown(Refused):
    """The directory has this office already."""


class AgencyUnknown(Refused):
    """The directory has no such office, or it is so already."""


class NotYours(Refused):
    """The office keeps only its own entry, and of it not what coordinators keep for themselves."""


class EntryUnusable(Refused):
    """The entry cannot stand like this."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("; ".join(f"{p.field}: {p.message} {p.value} {p.remedy}".replace("  ", " ") for p in problems))
        self.problems = problems


async def add_agency(
    work: Work,
    *,
    kind: str,
    region: str | None,
    name: str,
    ruled: AbstractSet[str],
    takes_referrals: bool | None = None,
    **more: Any,
) -> Agency:
    """Enter an office. `ruled`: the kinds that the rules name; without `takes_referrals` its kind decides.

    `more`: other fields of `agencies.KEPT`. Raises `EntryUnusable`, `AgencyKnown`.
    """
    level: Level = "national" if region is None else "regency" if "." in region else "province"
    added = Agency(
        agency_id=agency_id(kind, region),
        kind=kind,
        level=level,
        region=region,
        name=name.strip(),
        zone=zone_of((region or "")[:2]),
        takes_referrals=is_asked_by_itself(kind) if takes_referrals is None else takes_referrals,
        is_suspended=False,
    )
    added = replace(added, **more)
    await _check(work, added, ruled)
    if not await agencies.add_agencies(work, [Written(added, "added")]):
        raise AgencyKnown(added.agency_id)
    work.record(telling.directory_changed(added, "added"))
    return added


async def change_agency(
    work: Work, agency_id: str, changes: Mapping[str, Any], *, version: int | None = None
) -> Agency:
    """Change fields (of `agencies.KEPT`) of an office; `version`: the one that was read.

    Raises `AgencyUnknown`, `VersionChanged`, `EntryUnusable`.
    """
    assert changes.keys() <= set(KEPT)
    before = await _locked(work, agency_id, version)
    return await _changed(work, before, replace(before, **changes))


async def change_own_entry(work: Work, changes: Mapping[str, Any], *, version: int | None = None) -> Agency:
    """A supervisor of the office brings its entry up to date, which confirms the rest of it.

    Raises `NotYours` beyond what the office may change, `AgencyUnknown`, `VersionChanged`, `EntryUnusable`.
    """
    before = await _own(work, version)
    after = replace(before, **changes, confirmed_at=work.now)
    if not set(differing(before, after)) <= set(OWN) - set(before.reserved):
        raise NotYours
    return await confirm_own_entry(work) if not differing(before, after) else await _changed(work, before, after)


async def confirm_own_entry(work: Work) -> Agency:
    """A supervisor of the office says that its entry is still right. Raises `NotYours`, `AgencyUnknown`."""
    found = replace(await _own(work, None), confirmed_at=work.now)
    await agencies.confirm_agency(work, found)
    work.record(telling.directory_changed(found, "changed", ["confirmed_at"]))
    return found


async def suspend_agency(work: Work, agency_id: str) -> Agency:
    """Route nothing more there; what it has, it keeps. Raises `AgencyUnknown`."""
    return await change_agency(work, agency_id, {"is_suspended": True})


async def resume_agency(work: Work, agency_id: str) -> Agency:
    """Route there again. Raises `AgencyUnknown`."""
    return await change_agency(work, agency_id, {"is_suspended": False})


async def directory_as_of(work: Work, moment: datetime) -> Directory:
    """The directory as it was at a moment, put together from the history of its entries."""
    return directory([version.agency for version in await agencies.list_as_of(work, moment)], moment)


async def _own(work: Work, version: int | None) -> Agency:
    if not policy.may_keep_own_entry(work.actor):
        raise NotYours
    return await _locked(work, work.actor.organisation, version)


async def _locked(work: Work, agency_id: str, version: int | None) -> Agency:
    found = (await agencies.lock_agencies(work, [agency_id])).get(agency_id)
    if found is None:
        raise AgencyUnknown(agency_id)
    if version is not None and version != found.version:
        raise VersionChanged(expected=version, found=found.version)
    return found


async def _changed(work: Work, before: Agency, after: Agency) -> Agency:
    """Write and tell what differs. Raises `AgencyUnknown` when nothing does, `EntryUnusable`."""
    written = change_of(before, after)
    if written is None:
        raise AgencyUnknown(after.agency_id)
    await _check(work, after, {before.kind})
    await agencies.update_agencies(work, [written])
    tell(work, written)
    return replace(after, version=before.version + 1)


def change_of(before: Agency, after: Agency) -> Written | None:
    """What is to be written where an entry differs from what it was; None where nothing does."""
    fields = differing(before, after)
    if not fields:
        return None
    change: Change = "changed"
    if "is_suspended" in fields:
        change = "suspended" if after.is_suspended else "resumed"
    return Written(after, change, fields)


def tell(work: Work, written: Written) -> None:
    """Put a change of the directory on the trail; taking out of routing says by itself what was changed."""
    fields = [name for name in written.fields if name != "is_suspended"]
    work.record(telling.directory_changed(written.agency, written.change, fields))


async def _check(work: Work, agency: Agency, ruled: AbstractSet[str]) -> None:
    kinds = ruled if agency.kind in ruled else ruled | set(await agencies.list_kinds(work))
    named = agency.supervised_by
    offices = {named} if named is not None and await agencies.find_agency(work, named) is not None else set()
    found = entries.problems(agency, kinds=kinds, offices=offices)
    if found:
        raise EntryUnusable(found)
