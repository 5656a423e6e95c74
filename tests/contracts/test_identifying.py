"""Whatever can identify a person is marked where it comes in and where it leaves; a new field cannot be forgotten."""

import importlib
import pkgutil
from collections.abc import Iterator
from datetime import date
from types import ModuleType

import pytest
from pydantic import BaseModel

import services
from services.intake.api.arrivals import ArrivalIn, KeyedArrival
from services.intake.api.disclosures import DisclosureOut
from services.intake.api.manifests import ProblemOut
from services.intake.domain import disclosures, headings
from services.intake.domain.people import IDENTITY_FIELDS
from tests.contracts.test_contracts import fields_of, is_marked
from tests.faults import test_canaries

ON = date(2026, 11, 23)
BIRTH = {"birth_date", "age"}
"""What a birth is told by; in the vault it is one field."""
CODED = {
    "case_id", "sex", "looks", "origin_regency", "needs", "accompanied", "onward_wish", "voyage_id", "arrived_at",
    "key", "unfinished", "companion",
}  # fmt: skip
"""What intake keeps in the clear of an arrival: codes, times and keys, and how old somebody looks."""
CODED_COLUMNS = {
    "seq", "sex", "male", "female", "origin_regency", "origin_province", "flags", "companion", "onward_wish",
    "held_row",
}  # fmt: skip
MARKED_VALUES = {
    "full_name": "Emong bin Kawaya", "birth_date": "1991-01-19", "nik": "7306991901910001", "document_type": "SPLP",
    "document_number": "XS9000001",
}  # fmt: skip
OTHER_CODES = {"sex": "F", "origin_regency": "73.06", "needs": ["SICK"], "accompanied": True, "onward_wish": "go_home"}


def comes_in_as(field: str) -> set[str]:
    return BIRTH if field == "birth" else {field}


def models() -> list[type[BaseModel]]:
    """Every model that the services take in or answer with."""
    found: dict[str, type[BaseModel]] = {}
    for module in modules():
        for thing in vars(module).values():
            if isinstance(thing, type) and issubclass(thing, BaseModel) and thing.__module__.startswith("services."):
                found[f"{thing.__module__}.{thing.__name__}"] = thing
    return list(found.values())


def modules() -> Iterator[ModuleType]:
    for info in pkgutil.walk_packages(services.__path__, "services."):
        if info.name.split(".")[2:3] == ["api"]:
            yield importlib.import_module(info.name)


class TestArrival:
    @pytest.mark.parametrize("field", IDENTITY_FIELDS)
    def test_takes_each_field_of_an_identity_in_marked(self, field: str) -> None:
        for name in comes_in_as(field):
            assert name in ArrivalIn.model_fields, f"{field} does not come in"
            assert is_marked(ArrivalIn.model_fields[name]), f"{name} is not marked"

    def test_has_nothing_unmarked_but_codes(self) -> None:
        unmarked = {name for name, field in KeyedArrival.model_fields.items() if not is_marked(field)}

        assert unmarked == CODED, "mark the field, or say here that it identifies nobody"

    def test_makes_an_identity_of_marked_fields_alone(self) -> None:
        marked = {name for name, field in ArrivalIn.model_fields.items() if is_marked(field)} - {"age"}
        told = {name: MARKED_VALUES.get(name, f"word of {name}") for name in marked}

        identity = ArrivalIn.model_validate({"sex": "M", **told}).arrival(ON).identity

        assert [name for name, value in identity._asdict().items() if not value] == []
        assert ArrivalIn.model_validate({**told, **OTHER_CODES}).arrival(ON).identity == identity

    def test_reads_from_lists_what_it_is_told_by_the_api(self) -> None:
        columns = set(headings.KNOWN) - {"birthplace_and_date"}

        assert columns - CODED_COLUMNS == set().union(*map(comes_in_as, IDENTITY_FIELDS))


class TestDisclosure:
    def test_answers_with_fields_of_an_identity_alone(self) -> None:
        assert {field for fields in disclosures.FIELDS.values() for field in fields} <= set(IDENTITY_FIELDS)

    def test_marks_what_it_answers(self) -> None:
        assert is_marked(DisclosureOut.model_fields["fields"])


def test_what_stood_in_a_cell_of_a_list_is_marked() -> None:
    assert {name for name, field in ProblemOut.model_fields.items() if is_marked(field)} == {"value", "hint"}


@pytest.mark.parametrize("model", models(), ids=lambda model: f"{model.__module__}.{model.__name__}")
def test_no_model_of_an_api_has_a_field_of_an_identity_unmarked(model: type[BaseModel]) -> None:
    names = {*IDENTITY_FIELDS, *BIRTH}

    assert [name for name, field in fields_of(model) if name in names and not is_marked(field)] == []


def test_a_canary_is_planted_in_each_field_of_an_identity() -> None:
    planted = {test_canaries.API_FIELD.get(column, column) for column in test_canaries.COLUMNS}

    assert planted | {"birth", "document_type"} == set(IDENTITY_FIELDS)
