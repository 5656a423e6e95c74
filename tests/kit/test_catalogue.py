"""No sentence is shown untranslated: every message id of every package stands whole in a catalogue."""

import re
from pathlib import Path

import pytest

from shared.kit import catalogue

ROOT = Path(__file__).parents[2]
KIT = ROOT / "shared" / "kit"
PACKAGES = [KIT, *sorted(path.parent for path in (ROOT / "services").glob("*/__init__.py"))]
PLACE = re.compile(r"%\((\w+)\)s")


@pytest.mark.parametrize("package", PACKAGES, ids=lambda path: path.name)
def test_indonesian_lacks_nothing(package: Path) -> None:
    assert catalogue.lacking(package, KIT) == []


@pytest.mark.parametrize("package", PACKAGES, ids=lambda path: path.name)
def test_indonesian_holds_nothing_that_is_no_longer_said(package: Path) -> None:
    assert catalogue.unused(package) == []


@pytest.mark.parametrize("package", PACKAGES, ids=lambda path: path.name)
def test_translations_fill_the_same_places(package: Path) -> None:
    wrong = [
        message.id
        for message in catalogue.read(package)
        if message.id
        for text in ([message.string] if isinstance(message.string, str) else message.string or [])
        if set(PLACE.findall(str(text))) != set(PLACE.findall(_singular(message.id)))
    ]

    assert wrong == []


def test_a_sentence_has_one_translation_everywhere() -> None:
    """One word for one thing on all screens; and a process that holds two catalogues says the same in any order."""
    said: dict[str, dict[str, list[str]]] = {}
    for package in PACKAGES:
        for message in catalogue.read(package):
            if message.id:
                said.setdefault(_singular(message.id), {}).setdefault(str(message.string), []).append(package.name)

    assert {sentence: texts for sentence, texts in said.items() if len(texts) > 1} == {}


def test_finds_what_a_catalogue_lacks(tmp_path: Path) -> None:
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates" / "a.html").write_text('{{ _("New here") }} {{ ngettext("one", "many", 3) }}')
    (tmp_path / "a.py").write_text('from shared.kit.words import msg\nTITLE = msg("Also new")\n')

    assert catalogue.lacking(tmp_path) == ["('one', 'many')", "Also new", "New here"]


def test_update_keeps_translations_and_drops_what_is_gone(tmp_path: Path) -> None:
    file = catalogue.catalogue_file(tmp_path)
    file.parent.mkdir(parents=True)
    file.write_text(catalogue.HEADER + 'msgid "Kept"\nmsgstr "Tetap"\n\nmsgid "Gone"\nmsgstr "Hilang"\n')
    (tmp_path / "a.py").write_text('A = [msg("Kept"), msg("Added")]\n')

    catalogue.update(tmp_path)

    assert {str(message.id): message.string for message in catalogue.read(tmp_path) if message.id} == {
        "Kept": "Tetap",
        "Added": "",
    }


def _singular(message: str | tuple[str, ...] | list[str]) -> str:
    return message if isinstance(message, str) else message[0]
