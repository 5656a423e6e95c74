"""What the keepers of the directory do. Each change is on the trail: it changes where referrals go."""

from collections.abc import Set as AbstractSet
from dataclasses import fields, replace

from services.referral.actions import telling
from services.referral.domain.agencies import Agency, Level, agency_id, is_asked_by_itself
from services.referral.domain.refusals import Refused
from services.referral.store import agencies
from shared.contracts.codes import provinces, regencies, zone_of
from shared.kit.work import Work


class AgencyKnown(Refused):
    """The directory has this office already."""


class AgencyUnknown(Refused):
    """The directory has no such office, or it is so already."""


class RegionUnknown(Refused):
    """No province or regency has this code."""


class KindUnknown(Refused):
    """Neither the directory nor the rules know this kind of office."""


class NameMissing(Refused):
    """An office has a name."""


async def add_agency(
    work: Work,
    *,
    kind: str,
    region: str | None,
    name: str,
    ruled: AbstractSet[str],
    takes_referrals: bool | None = None,
) -> Agency:
    """Enter an office. `ruled`: the kinds that the rules name; without `takes_referrals` its kind decides.

    Raises `KindUnknown`, `RegionUnknown`, `NameMissing`, `AgencyKnown`.
    """
    known = ruled | set(await agencies.list_kinds(work))
    if kind not in known:
        raise KindUnknown(f"{kind}; known: {', '.join(sorted(known))}")
    level: Level = "national" if region is None else "regency" if "." in region else "province"
    if region is not None and region not in (regencies() if level == "regency" else provinces()):
        raise RegionUnknown(region)
    added = Agency(
        agency_id=agency_id(kind, region),
        kind=kind,
        level=level,
        region=region,
        name=_named(name),
        zone="Asia/Jakarta" if region is None else zone_of(region[:2]),
        takes_referrals=is_asked_by_itself(kind) if takes_referrals is None else takes_referrals,
        is_suspended=False,
    )
    if not await agencies.add_agency(work, added):
        raise AgencyKnown(added.agency_id)
    work.record(telling.directory_changed(added, "added"))
    return added


async def change_agency(
    work: Work,
    *,
    agency_id: str,
    name: str | None = None,
    zone: str | None = None,
    takes_referrals: bool | None = None,
) -> Agency:
    """Change what is given of an office. Raises `AgencyUnknown`, `NameMissing`."""
    before = await _locked(work, agency_id)
    after = replace(
        before,
        name=before.name if name is None else _named(name),
        zone=before.zone if zone is None else zone,
        takes_referrals=before.takes_referrals if takes_referrals is None else takes_referrals,
    )
    return await _changed(work, before, after)


async def suspend_agency(work: Work, agency_id: str) -> Agency:
    """Route nothing more there; what it has, it keeps. Raises `AgencyUnknown`."""
    before = await _locked(work, agency_id)
    return await _changed(work, before, replace(before, is_suspended=True))


async def resume_agency(work: Work, agency_id: str) -> Agency:
    """Route there again. Raises `AgencyUnknown`."""
    before = await _locked(work, agency_id)
    return await _changed(work, before, replace(before, is_suspended=False))


async def _locked(work: Work, agency_id: str) -> Agency:
    found = await agencies.lock_agency(work, agency_id)
    if found is None:
        raise AgencyUnknown(agency_id)
    return found


async def _changed(work: Work, before: Agency, after: Agency) -> Agency:
    """Write and tell what differs. Raises `AgencyUnknown` when nothing does."""
    if after == before:
        raise AgencyUnknown(after.agency_id)
    await agencies.update_agency(work, after)
    if after.is_suspended != before.is_suspended:
        work.record(telling.directory_changed(after, "suspended" if after.is_suspended else "resumed"))
    else:
        changed = [f.name for f in fields(Agency) if getattr(before, f.name) != getattr(after, f.name)]
        work.record(telling.directory_changed(after, "changed", changed))
    return after


def _named(name: str) -> str:
    """The name without blanks around it."""
    if not name.strip():
        raise NameMissing
    return name.strip()
