"""An agency whose help was ended by the sender says that it knows; until then somebody may still be on the way."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

CONFIRM_WITHIN = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Cancellation:
    """One cancelled attempt. `region` is whose supervisor sees to it when the agency does not confirm in time."""

    assignment_id: str
    case_id: str
    agency_id: str
    region: str | None
    cancelled_at: datetime
    confirm_by: datetime
    confirmed_at: datetime | None = None
    confirmed_by: str | None = None


def confirm(cancellation: Cancellation, *, by: str, now: datetime) -> Cancellation:
    """The same one, confirmed; the first confirmation stays."""
    if cancellation.confirmed_at is not None:
        return cancellation
    return replace(cancellation, confirmed_at=now, confirmed_by=by)
