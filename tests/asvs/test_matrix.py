"""docs/asvs.md says what its source says, and a source that leaves something out or makes something up is refused."""

import re
from collections.abc import Callable

import pytest

from tests.asvs import matrix
from tests.asvs.matrix import Unsound

SOURCE = matrix.SOURCE.read_text(encoding="utf-8")
ENTRY = """
[[chapter]]
number = 9
title = "Tokens"
target = 3
sections = [1]

[[requirement]]
id = "9.1.1"
level = 1
demand = "Tokens count when signed"
"""
SEEN = 'seen = ["shared/kit/identity/tokens.py::verified"]'
THIS = "tests/asvs/test_matrix.py::test_the_document_is_that_of_the_source"


def test_the_document_is_that_of_the_source() -> None:
    written = matrix.DOCUMENT.read_text(encoding="utf-8")

    assert written == matrix.document(matrix.read()), "run `make asvs`"


def test_every_requirement_of_the_chapters_is_there() -> None:
    found = matrix.read()

    assert {chapter.number for chapter in found.chapters} == {4, 6, 7, 8, 9, 10, 11, 14}
    assert len(found.requirements) == sum(sum(chapter.sections) for chapter in found.chapters) == 175


@pytest.mark.parametrize(
    "proof",
    [
        f'tests = ["{THIS}"]',
        f'inspection = "The signature is verified before anything else is read."\n{SEEN}',
        'not_applicable = "Because no token is ever read here."',
        'open = "Nobody has looked at what this takes."',
    ],
)
def test_one_proof_is_enough(proof: str) -> None:
    [requirement] = matrix.read(ENTRY + proof).requirements

    assert requirement.id in matrix.document(matrix.read(ENTRY + proof))


@pytest.mark.parametrize(
    ("proof", "said"),
    [
        ("", "9.1.1: has nothing where exactly one"),
        ("tests = []", "9.1.1: names no test"),
        ('tests = ["tests/asvs/test_matrix.py::test_nothing"]', "there is no test"),
        ('tests = ["tests/asvs/test_nothing.py::test_nothing"]', "there is no test"),
        ('tests = ["tests/asvs/test_matrix.py"]', "there is no test"),
        ('tests = ["tests/asvs/test_matrix.py::TestNothing::test_one_proof_is_enough"]', "there is no test"),
        ('tests = ["shared/kit/identity/tokens.py::verified"]', "there is no test"),
        (f'tests = ["{THIS}"]\nopen = "Nobody has looked at what this takes."', "has tests and open where"),
        (f'inspection = ""\n{SEEN}', "has no whole sentence"),
        (f'inspection = "looked fine"\n{SEEN}', "has no whole sentence"),
        ('inspection = "The signature is verified before anything else is read."', "names what was looked at"),
        (
            'inspection = "The signature is verified before anything is read."\nseen = ["shared/nothing.py"]',
            "there is no shared/nothing.py",
        ),
        (
            'inspection = "The signature is verified before anything is read."\n'
            'seen = ["shared/kit/identity/tokens.py::unverified"]',
            "there is no shared/kit/identity/tokens.py::unverified",
        ),
        ('not_applicable = "No token is ever read here."', "because of what"),
        ('open = "-"', "has no whole sentence"),
        (f'tests = ["{THIS}"]\nremark = "x"', "says something that is not asked: remark"),
    ],
)
def test_an_entry_without_proof_is_refused(proof: str, said: str) -> None:
    with pytest.raises(Unsound, match=re.escape(said)):
        matrix.read(ENTRY + proof)


def without_one(source: str) -> str:
    return source.replace('id = "9.1.1"', 'id = "9.1.99"', 1)


def twice_the_same(source: str) -> str:
    return source.replace('id = "9.1.2"', 'id = "9.1.1"', 1)


def with_an_unknown_test(source: str) -> str:
    return re.sub(r'"(tests/[^"]+::)test_\w+"', r'"\1test_that_nobody_wrote"', source, count=1)


def without_its_tests(source: str) -> str:
    return re.sub(r"^tests = \[[^]]*\]", "tests = []", source, count=1, flags=re.MULTILINE)


def without_a_level(source: str) -> str:
    return source.replace("\nlevel = 1\n", "\n", 1)


def in_many_words(source: str) -> str:
    return re.sub(r'^demand = "', f'demand = "{"very " * 15}', source, count=1, flags=re.MULTILINE)


@pytest.mark.parametrize(
    ("mutation", "said"),
    [
        (without_one, "9.1.1: is not there"),
        (without_one, "9.1.99: there is no such requirement"),
        (twice_the_same, "9.1.1: stands here 2 times"),
        (with_an_unknown_test, "test_that_nobody_wrote"),
        (without_its_tests, "names no test"),
        (without_a_level, "has no level"),
        (in_many_words, "in more than 15"),
    ],
)
def test_a_source_that_was_spoilt_is_refused(mutation: Callable[[str], str], said: str) -> None:
    spoilt = mutation(SOURCE)
    assert spoilt != SOURCE

    with pytest.raises(Unsound, match=re.escape(said)):
        matrix.read(spoilt)
