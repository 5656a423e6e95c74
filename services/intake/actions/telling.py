"""The fact of each arrival as the journal has it. What many arrivals say alike is put into words once."""

from datetime import datetime

from services.intake.domain.arrivals import Arrival, Channel, Screened
from shared.contracts import codes
from shared.contracts.intake.arrivals import ArrivalRecorded
from shared.kit import journal
from shared.kit.actor import Actor

PURPOSE = "reception"
MOST_SAID = 4_096
NO_ID = "00000000-0000-0000-0000-000000000000"
"""Stands in what was said once where the ids of case and household go, in this order; it is the id of nothing."""


class Telling:
    """Tells of the arrivals that one actor records."""

    def __init__(self, actor: Actor) -> None:
        self._actor = actor
        self._said: dict[tuple[object, ...], bytes] = {}

    def payload(
        self,
        arrival: Arrival,
        screening: Screened,
        *,
        case_id: str,
        household_id: str | None,
        voyage_id: str | None,
        port: codes.Port,
        channel: Channel,
        arrived_at: datetime,
    ) -> bytes:
        """The bytes of the record about one arrival. The ids are ours, or were seen to be ids when they came."""
        coded = (
            *(voyage_id, port.code, channel, arrived_at, arrival.sex, arrival.origin_regency, arrival.onward_wish),
            *(screening.age_band, screening.needs, household_id is None),
        )
        said = self._said.get(coded)
        if said is None:
            fact = ArrivalRecorded(
                case_id=NO_ID,
                voyage_id=voyage_id,
                port=port.code,
                port_regency=port.regency_code,
                origin_regency=arrival.origin_regency,
                sex=arrival.sex,
                age_band=screening.age_band,
                needs=screening.needs,
                onward_wish=arrival.onward_wish,
                arrived_at=arrived_at,
                channel=channel,
                household_id=None if household_id is None else NO_ID,
            )
            if len(self._said) >= MOST_SAID:
                self._said.clear()
            said = self._said[coded] = journal.payload(self._actor, PURPOSE, None, fact)
        told = said.replace(NO_ID.encode(), case_id.encode(), 1)
        return told if household_id is None else told.replace(NO_ID.encode(), household_id.encode(), 1)
