"""What the keepers of the directory do."""

from services.referral.domain.agencies import Level
from services.referral.domain.refusals import Refused
from services.referral.store import agencies
from shared.contracts.codes import provinces, regencies, zone_of
from shared.kit.work import Work


class AgencyKnown(Refused):
    """The directory has this office already."""


class AgencyUnknown(Refused):
    """The directory has no such office, or it is in that state already."""


class RegionUnknown(Refused):
    """No province or regency has this code."""


async def add_agency(work: Work, *, kind: str, region: str | None, name: str) -> None:
    """Enter an office. Raises `RegionUnknown`, `AgencyKnown`."""
    level: Level = "national" if region is None else "regency" if "." in region else "province"
    if region is not None and region not in (regencies() if level == "regency" else provinces()):
        raise RegionUnknown(region)
    zone = "Asia/Jakarta" if region is None else zone_of(region[:2])
    if not await agencies.add_agency(work, kind=kind, level=level, region=region, name=name, zone=zone):
        raise AgencyKnown(kind)


async def suspend_agency(work: Work, agency_id: str) -> None:
    """Route nothing more there; what it has, it keeps. Raises `AgencyUnknown`."""
    if not await agencies.mark_suspended(work, agency_id, suspended=True):
        raise AgencyUnknown(agency_id)


async def resume_agency(work: Work, agency_id: str) -> None:
    """Route there again. Raises `AgencyUnknown`."""
    if not await agencies.mark_suspended(work, agency_id, suspended=False):
        raise AgencyUnknown(agency_id)
