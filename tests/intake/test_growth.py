"""What is asked of a few cases reads no more when there are many: plans that were made before stay."""

from collections.abc import Callable
from functools import partial

import pytest

from services.intake.store import households, matches, persons
from services.intake.store.persons import Person
from shared.kit.actor import system
from shared.kit.database import Database
from shared.kit.ids import new_id
from tests import growing
from tests.growing import Ask
from tests.intake.factories import OFFICER

MANY = 300
FEW = 20
OTHERS = {
    "disclosure_grants": "INSERT INTO disclosure_grants (assignment_id, case_id, agency_id, need, accepted_at)"
    " SELECT gen_random_uuid(), gen_random_uuid(), 'DINSOS-7306', 'SICK', now() FROM generate_series(1, $1)",
    "guardian_links": "INSERT INTO guardian_links (link_id, child_case_id, adult_case_id, port, relation, proof, state,"
    " version, is_listed, proposed_by, proposed_at) SELECT gen_random_uuid(), gen_random_uuid(), gen_random_uuid(),"
    " 'NNK', 'mother', 'none', 'proposed', 1, FALSE, 'rina', now() FROM generate_series(1, $1)",
    "household_members": "WITH formed AS ("
    " INSERT INTO households (household_id, port, formed_at, changed_by, changed_at)"
    " SELECT gen_random_uuid(), 'NNK', now(), 'rina', now() FROM generate_series(1, $1) RETURNING household_id)"
    " INSERT INTO household_members (household_id, case_id, port, joined_as, joined_by, joined_at)"
    " SELECT household_id, gen_random_uuid(), 'NNK', 'listed', 'rina', now() FROM formed",
    "possible_matches": "INSERT INTO possible_matches (match_id, case_id, person_id, earlier_case_id,"
    " earlier_person_id, port, strength, bits, levels, state, version, proposed_at) SELECT gen_random_uuid(),"
    " gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), 'NNK', 'strong', 20, '{}', 'open',"
    " 1, now() FROM generate_series(1, $1)",
}


@pytest.mark.parametrize(
    ("table", "of"),
    [
        ("guardian_links", lambda ids: partial(households.list_links, case_ids=ids)),
        ("guardian_links", lambda ids: partial(households.list_standing, case_id=ids[0])),
        ("household_members", lambda ids: partial(households.list_cases_now, household_ids=ids)),
        ("possible_matches", lambda ids: partial(matches.list_waiting, case_ids=ids)),
    ],
)
async def test_reads_its_own_alone(database: Database, table: str, of: Callable[[list[str]], Ask]) -> None:
    ask = of([new_id(), new_id()])
    await growing.plan(database, OFFICER, ask)

    await database.fetch(OTHERS[table], MANY)

    assert await growing.read(database, OFFICER, table, ask) <= FEW


async def test_erasing_somebody_reads_what_agencies_may_see_of_them_alone(database: Database) -> None:
    eraser = system("intake", "retention")
    ask = partial(persons.destroy, people=[Person(new_id(), (new_id(),))])
    await growing.plan(database, eraser, ask)

    await database.fetch(OTHERS["disclosure_grants"], MANY)

    assert await growing.read(database, eraser, "disclosure_grants", ask) <= FEW
