"""A code that was copied wrongly is found wrong, and never another case's."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.kit.ids import new_id
from shared.kit.short_codes import SIGNS, NotACode, short_code, tail_of

IDS = st.uuids().map(str)


def test_a_code_as_it_stands_on_paper() -> None:
    assert short_code("01a21b91-6684-7086-a208-0b10540a4462") == "21A0-MH32-B"
    assert short_code("00000000-0000-7000-8000-000000000000") == "0000-0000-0"
    assert short_code("00000000-0000-7000-8000-00ffffffffff") == "ZZZZ-ZZZZ-F"


@given(IDS)
def test_leads_back_to_the_end_of_the_id(id_: str) -> None:
    assert tail_of(short_code(id_)) == id_[-10:]


@given(IDS)
def test_may_be_written_small_without_hyphens_and_with_letters_for_digits(id_: str) -> None:
    code = short_code(id_)
    written = code.replace("-", "")
    assert tail_of(f" {written[:8].replace('1', 'l').replace('0', 'o').lower()} {written[8]}") == id_[-10:]


@pytest.mark.parametrize(
    "between", ["\u00a0", "\u2011", "\u2013", "\u2014", "\u2212", "\t", ".", "_", "/", "\u200b", "\ufeff"]
)
def test_may_be_pasted_or_typed_with_whatever_stands_between_the_signs(between: str) -> None:
    assert tail_of(f"21a0{between}MH32{between}B{between}") == "10540a4462"


@given(IDS, st.integers(0, 7), st.sampled_from(SIGNS))
def test_with_one_wrong_sign_is_none(id_: str, place: int, sign: str) -> None:
    code = short_code(id_).replace("-", "")
    wrong = code[:place] + sign + code[place + 1 :]
    if wrong != code:
        with pytest.raises(NotACode):
            tail_of(wrong)


@given(IDS, st.integers(0, 6))
def test_with_two_signs_that_changed_places_is_none(id_: str, place: int) -> None:
    code = short_code(id_).replace("-", "")
    wrong = code[:place] + code[place + 1] + code[place] + code[place + 2 :]
    if wrong != code:
        with pytest.raises(NotACode):
            tail_of(wrong)


@pytest.mark.parametrize("typed", ["", "7K9M-Q2TX", "7K9M-Q2TX-55", "UUUU-UUUU-0", "Budi", "💥" * 9])
def test_what_is_none_is_refused(typed: str) -> None:
    with pytest.raises(NotACode):
        tail_of(typed)


def test_new_ids_differ_in_their_code() -> None:
    assert len({short_code(new_id()) for _ in range(2000)}) == 2000
