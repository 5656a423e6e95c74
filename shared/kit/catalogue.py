"""Catalogues of translations: what sentences a package says, and which of them Indonesian still lacks.

`python -m shared.kit.catalogue services/intake …` adds new sentences to the `.po` file, empty, and drops those no
longer said. The file is what people edit; services read it as it is.
"""

import sys
from pathlib import Path

from babel.messages import pofile
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir

from shared.kit import words

METHODS = [("**.py", "python"), ("templates/**.html", "jinja2"), ("**/templates/**.html", "jinja2")]
KEYWORDS = {
    "_": None,
    "gettext": None,
    "ngettext": (1, 2),
    "msg": None,
    "msg_count": (1, 2),
    "translate": (2,),
    "translate_count": (2, 3),
}

HEADER = r"""msgid ""
msgstr ""
"Language: id\n"
"Plural-Forms: nplurals=1; plural=0;\n"
"MIME-Version: 1.0\n"
"Content-Type: text/plain; charset=utf-8\n"
"Content-Transfer-Encoding: 8bit\n"

"""

MessageId = str | tuple[str, ...]


def catalogue_file(package: Path) -> Path:
    return package / "locale" / "id" / "LC_MESSAGES" / "messages.po"


def said_in(package: Path) -> list[MessageId]:
    """The message ids of a package's templates and Python, sorted; a tuple for singular and plural."""
    found = {
        message if isinstance(message, str) else tuple(message)
        for _, _, message, _, _ in extract_from_dir(package, METHODS, keywords=KEYWORDS)
    }
    return sorted((message for message in found if message), key=str)


def read(package: Path) -> Catalog:
    """The Indonesian catalogue of a package; empty when there is none yet."""
    file = catalogue_file(package)
    return words.read_catalogue(file, "id") if file.exists() else Catalog(locale="id")


def lacking(package: Path, *others: Path) -> list[str]:
    """What a person must still translate: ids that neither the package's catalogue nor `others` have whole."""
    translated = {
        _key(message.id)
        for folder in (package, *others)
        for message in read(folder)
        if message.id and not message.fuzzy and _is_whole(message.string)
    }
    return [str(message) for message in said_in(package) if _key(message) not in translated]


def unused(package: Path) -> list[str]:
    """Ids in the package's catalogue that the package no longer says."""
    said = {_key(message) for message in said_in(package)}
    return [str(message.id) for message in read(package) if message.id and _key(message.id) not in said]


def update(package: Path, *others: Path) -> None:
    """Rewrite the catalogue: what is said and not in `others`, with the translations there are, sorted by id."""
    before = read(package)
    elsewhere = {_key(message.id) for folder in others for message in read(folder) if message.id}
    after = Catalog(locale="id")
    after.mime_headers = [("Plural-Forms", "nplurals=1; plural=0;")]  # Babel believes Indonesian has two
    for message in said_in(package):
        known = before.get(message)
        if known is None and _key(message) in elsewhere:
            continue
        after.add(message, known.string if known else None)
    file = catalogue_file(package)
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("wb") as target:
        target.write(HEADER.encode())
        pofile.write_po(target, after, width=110, sort_output=True, omit_header=True)


def _key(message: MessageId | list[str]) -> str:
    """What a message is found by: its singular."""
    return message if isinstance(message, str) else message[0]


def _is_whole(text: MessageId | list[str] | None) -> bool:
    return bool(text) and (isinstance(text, str) or all(text or ()))


if __name__ == "__main__":
    kit = Path(__file__).parent
    for name in sys.argv[1:]:
        folder = Path(name).resolve()
        if not folder.is_dir():
            sys.exit(f"{name} is no folder. Name packages that have a locale, for example services/intake.")
        others = [kit] if folder != kit else []
        update(folder, *others)
        for sentence in lacking(folder, *others):
            print(f"{name}: {sentence}")
