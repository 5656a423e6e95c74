"""What is sealed opens only with the right key, for the right person, in the right place."""

from datetime import date

import pytest

from services.intake.domain.people import Identity
from services.intake.store.vault import Damaged, Sealed, Vault, WrongKey, plain
from shared.kit.ids import new_id

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
    with pytest.raises(WrongKey):
        Vault(bytes(32)).open(vault.seal(plain(WHO), **ids), **ids)


def test_digests_depend_on_the_key_and_on_where_parts_end(vault: Vault) -> None:
    assert vault.digest("a", "bc") == vault.digest("a", "bc")
    assert vault.digest("a", "bc") != vault.digest("ab", "c")
    assert vault.digest("a") != Vault(bytes(32)).digest("a")
