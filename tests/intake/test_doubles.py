"""Who was carried over and stands on another list of the voyage under other details: asked on the roll."""

from collections.abc import Callable

import pytest

from services.intake.domain.doubles import Place, alike, keys_of
from services.intake.store.vault import Vault
from shared.kit.database import Database
from tests.intake.conftest import Browser
from tests.intake.factories import a_list, a_row, a_voyage
from tests.intake.test_roll_calls import LATER, Quay, carried_to

Site = Callable[[str], Browser]


def test_papers_or_name_and_birth_say_that_two_may_be_one() -> None:
    one = {"full_name": "moch. soeharto", "birth": "1990-01-01", "nik": "6503012345670001"}

    assert keys_of(one) & keys_of({"full_name": "Muhammad Suharto", "birth": "1990-01-01"})
    assert keys_of(one) & keys_of({"full_name": "H. M. Suharto bin Karto", "birth": "1990-01-01"})
    assert keys_of(one) & keys_of({"full_name": "Kenari", "nik": "6503012345670001"})
    assert not keys_of(one) & keys_of({"full_name": "Moch. Soeharto", "birth": "1991-01-01"})
    assert keys_of({"full_name": "Kenari"}) == frozenset()


def test_only_lists_of_who_was_carried_over_are_held_against_others() -> None:
    keys = {Place(draft, row): ["nik 1"] for draft, row in (("a", 2), ("b", 2), ("c", 2), ("c", 3))}

    assert alike(keys, set()) == {}
    assert alike(keys, {"c"}) == {
        Place("a", 2): (Place("c", 2), Place("c", 3)), Place("b", 2): (Place("c", 2), Place("c", 3)),
        Place("c", 2): (Place("a", 2), Place("b", 2)), Place("c", 3): (Place("a", 2), Place("b", 2)),
    }  # fmt: skip


def test_what_everybody_has_tells_nothing() -> None:
    keys = {Place(draft, row): ["nik 1"] for draft in ("a", "b") for row in range(11)}

    assert alike(keys, {"a"}) == {}
    assert len(alike(dict([*keys.items()][:-2]), {"a"})) == 20


@pytest.mark.invariant("I179")
@pytest.mark.parametrize("language", ["id", "en"])
async def test_both_rows_ask_on_the_roll_until_one_is_left_out(
    database: Database, vault: Vault, site: Site, language: str
) -> None:
    quay = Quay(database, vault)
    voyage, following = await a_voyage(database), await a_voyage(database, expected_at=LATER)
    draft = await quay.upload(voyage, a_list(a_row(1, name="Kenari"), a_row(2, name="Merpati")))
    for row in (2, 3):
        draft = await quay.absent(draft, row, "rolled_over", next_voyage_id=following.voyage_id)
    own = await quay.upload(following, a_list(a_row(7, name="Bayu"), a_row(1, name="Kenanga")))
    there = await carried_to(database, following)
    roll = f"/api/voyages/{following.voyage_id}/roll-call"

    async def asked() -> dict[tuple[str, int], list[dict[str, object]]]:
        items = (await site("officer").get(roll)).json()["items"]
        return {(one["draft_id"], one["row"]): one["may_be"] for one in items if one["may_be"]}

    assert await asked() == {
        (there.draft_id, 2): [{"draft_id": own.draft_id, "row": 3}],
        (own.draft_id, 3): [{"draft_id": there.draft_id, "row": 2}],
    }
    words = {"id": "di dua daftar?", "en": "on two lists?"}[language]
    page = (await site("officer").get(f"/{language}/pelayaran/{following.voyage_id}/absen")).text
    assert (page.count(words), f"/draf/{own.draft_id}?baris=3" in page) == (2, True)

    await quay.leave_out(own, 3)
    assert await asked() == {}
