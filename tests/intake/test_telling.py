"""What is told of an arrival says the same, byte for byte, whether it was put into words before or not."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.intake.actions import telling
from services.intake.actions.telling import Telling
from services.intake.domain.arrivals import Arrival, Screened, screened
from services.intake.domain.people import Identity, born_on
from shared.contracts import codes
from shared.contracts.intake.arrivals import ArrivalRecorded
from shared.kit import journal
from shared.kit.ids import new_id
from tests.intake.factories import OFFICER

LANDED = datetime(2026, 11, 24, 9, tzinfo=UTC)
PORT = codes.ports()["NNK"]
VOYAGE = new_id()

arrivals = st.builds(
    Arrival,
    identity=st.just(Identity("Siti", birth="1990-01-01")),
    sex=st.sampled_from(["F", "M"]),
    birth=st.sampled_from([None, born_on(LANDED.date().replace(year=1990)), born_on(LANDED.date().replace(year=2015))]),
    origin_regency=st.sampled_from([None, "73.06", "53.01"]),
    flags=st.sets(st.sampled_from(["SICK", "TIP"])).map(frozenset),
    accompanied=st.booleans(),
    onward_wish=st.sampled_from(["go_home", "unknown"]),
)


def written(
    arrival: Arrival, screening: Screened, case_id: str, household_id: str | None, voyage_id: str | None
) -> bytes:
    fact = ArrivalRecorded(
        case_id=case_id,
        voyage_id=voyage_id,
        port=PORT.code,
        port_regency=PORT.regency_code,
        origin_regency=arrival.origin_regency,
        sex=arrival.sex,
        age_band=screening.age_band,
        needs=screening.needs,
        onward_wish=arrival.onward_wish,
        arrived_at=LANDED,
        channel="manifest",
        household_id=household_id,
    )
    return journal.payload(OFFICER, "reception", None, fact)


@pytest.mark.hypothesis
@given(st.lists(st.tuples(arrivals, st.booleans(), st.booleans()), max_size=20), st.integers(1, 5))
def test_what_was_said_before_is_said_again_of_somebody_else(
    people: list[tuple[Arrival, bool, bool]], most: int
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(telling, "MOST_SAID", most)
        tells = Telling(OFFICER)
        for arrival, has_household, has_voyage in people:
            screening = screened(arrival, LANDED.date())
            case_id, household_id = new_id(), new_id() if has_household else None
            voyage_id = VOYAGE if has_voyage else None
            told = tells.payload(
                arrival,
                screening,
                case_id=case_id,
                household_id=household_id,
                voyage_id=voyage_id,
                port=PORT,
                channel="manifest",
                arrived_at=LANDED,
            )
            assert told == written(arrival, screening, case_id, household_id, voyage_id)
