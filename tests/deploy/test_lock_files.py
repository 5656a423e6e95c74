"""What is installed is pinned by hash and comes from whatever mirror there is."""

import re

import pytest

from tests.deploy import files

PINNED = re.compile(r"^[a-z0-9][a-z0-9._-]*==\S+", re.MULTILINE)


@pytest.mark.parametrize("name", ["requirements.lock", "requirements-services.lock"])
def test_a_lock_file_has_a_hash_for_everything_and_no_address(name: str) -> None:
    locked = files.text_of(name)

    pins = PINNED.split(locked)[1:]
    assert len(pins) > 10
    assert all("--hash=sha256:" in pin for pin in pins)
    assert "://" not in locked


def test_what_the_image_needs_is_what_is_tested() -> None:
    tested = set(PINNED.findall(files.text_of("requirements.lock")))

    assert set(PINNED.findall(files.text_of("requirements-services.lock"))) <= tested
