"""What is sealed opens only with the right key, for the right person, in the right place."""

from datetime import date

import pytest

from services.intake.domain.people import Identity
from services.intake.store.vault import Damaged, Keyring, Sealed, SealedPerson, Vault, WrongKey, plain
from shared.kit.ids import new_id
from tests.intake.factories import KEK, a_vault

NEWER = bytes(range(64, 96))
WHO = Identity("Emong bin Kawaya", birth=date(1991, 1, 19).isoformat(), nik="7306991901910001")


@pytest.fixture
def ids() -> dict[str, str]:
    return {"person_id": new_id(), "case_id": new_id()}


def test_what_was_sealed_opens(vault: Vault, ids: dict[str, str]) -> None:
    assert vault.open(vault.seal(plain(WHO), **ids), **ids) == WHO


def test_no_byte_of_a_name_shows(vault: Vault, ids: dict[str, str]) -> None:
    sealed = vault.seal(plain(WHO), **ids)

    assert b"Emong" not in sealed.sealed + sealed.wrapped_key


def test_the_same_identity_is_never_sealed_alike(vault: Vault, ids: dict[str, str]) -> None:
    first, second = (vault.seal(plain(WHO), **ids) for _ in range(2))

    assert first.sealed[12:] != second.sealed[12:]
    assert first.wrapped_key != second.wrapped_key


@pytest.mark.parametrize("moved", ["person_id", "case_id"])
def test_it_does_not_open_for_another_row(vault: Vault, ids: dict[str, str], moved: str) -> None:
    sealed = vault.seal(plain(WHO), **ids)

    with pytest.raises(Damaged):
        vault.open(sealed, **{**ids, moved: new_id()})


@pytest.mark.parametrize("part", ["sealed", "wrapped_key"])
def test_one_changed_bit_is_noticed(vault: Vault, ids: dict[str, str], part: str) -> None:
    sealed = vault.seal(plain(WHO), **ids)
    bytes_ = bytearray(getattr(sealed, part))
    bytes_[-1] ^= 1

    with pytest.raises(Damaged):
        vault.open(Sealed(**{**sealed._asdict(), part: bytes(bytes_)}), **ids)


def test_another_kek_is_named_as_the_trouble(vault: Vault, ids: dict[str, str]) -> None:
    with pytest.raises(WrongKey, match="neither in VAULT_KEK nor in VAULT_KEK_OLD"):
        a_vault(NEWER).open(vault.seal(plain(WHO), **ids), **ids)


def test_digests_depend_on_the_key_and_on_where_parts_end(vault: Vault) -> None:
    assert vault.digest("a", "bc") == vault.digest("a", "bc")
    assert vault.digest("a", "bc") != vault.digest("ab", "c")
    assert vault.digest("a") != a_vault(index_key=NEWER).digest("a")


def test_digests_are_those_that_the_first_version_made_when_the_index_key_is_its_kek() -> None:
    made = a_vault(NEWER, index_key=KEK).digest("a", "bc")

    assert made.hex() == "c8f26389a0bb0e8abe0d3ff89ecf06d2"


def test_many_open_in_their_order(vault: Vault) -> None:
    people = [Identity(f"Orang {n}") for n in range(3)]
    places = [{"person_id": new_id(), "case_id": new_id()} for _ in people]

    opened = vault.open_many(
        SealedPerson(**place, sealed=vault.seal(plain(who), **place)) for who, place in zip(people, places, strict=True)
    )

    assert opened == people


class TestKeyring:
    """The key-encryption key is changed while what was sealed under the old one stays readable."""

    def test_seals_under_the_current_key_and_opens_what_an_old_one_sealed(self, ids: dict[str, str]) -> None:
        before, after = a_vault(KEK), a_vault(NEWER, old=[KEK])

        assert after.open(before.seal(plain(WHO), **ids), **ids) == WHO
        assert a_vault(NEWER).open(after.seal(plain(WHO), **ids), **ids) == WHO

    def test_opens_with_a_key_that_is_to_become_the_current_one(self, ids: dict[str, str]) -> None:
        not_yet, already = a_vault(KEK, old=[NEWER]), a_vault(NEWER, old=[KEK])

        assert not_yet.open(already.seal(plain(WHO), **ids), **ids) == WHO

    def test_takes_no_key_whose_mark_it_has(self) -> None:
        with pytest.raises(ValueError, match="same mark"):
            Keyring(KEK, [NEWER, KEK])

    def test_takes_no_key_of_another_length(self) -> None:
        with pytest.raises(ValueError, match="16 bytes"):
            Keyring(KEK, [bytes(16)])

    def test_wraps_anew_without_touching_what_is_sealed(self, ids: dict[str, str]) -> None:
        sealed = a_vault(KEK).seal(plain(WHO), **ids)

        wrapped = Keyring(NEWER, [KEK]).rewrap(sealed.wrapped_key, ids["person_id"])

        assert a_vault(NEWER).open(sealed._replace(wrapped_key=wrapped), **ids) == WHO

    def test_wraps_nothing_anew_for_another_person(self, ids: dict[str, str]) -> None:
        sealed = a_vault(KEK).seal(plain(WHO), **ids)

        with pytest.raises(Damaged):
            Keyring(NEWER, [KEK]).rewrap(sealed.wrapped_key, new_id())
