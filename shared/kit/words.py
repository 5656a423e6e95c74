"""Words for people: translations, times in the zone of a place, durations, numbers, deadlines.

Message ids are English sentences; the `id` catalogue translates them, English needs none. Nothing here asks
what time it is: callers pass `now`.
"""

import gettext
import io
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Literal, get_args
from zoneinfo import ZoneInfo

from babel import Locale
from babel.messages import mofile, pofile
from babel.messages.catalog import Catalog

Language = Literal["id", "en"]
LANGUAGES: tuple[Language, ...] = get_args(Language)
DEFAULT: Language = "id"

KIT_LOCALE = Path(__file__).parent / "locale"

ZONE_NAMES = {
    "Asia/Jakarta": "WIB",
    "Asia/Pontianak": "WIB",
    "Asia/Makassar": "WITA",
    "Asia/Jayapura": "WIT",
    "UTC": "UTC",
}
"""What people call the zones; locale data know these names in Indonesian only."""

MONTHS: dict[Language, tuple[str, ...]] = {
    "id": ("Jan", "Feb", "Mar", "Apr", "Mei", "Jun", "Jul", "Agt", "Sep", "Okt", "Nov", "Des"),
    "en": ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"),
}
LONG_MONTHS: dict[Language, tuple[str, ...]] = {
    "id": (
        "Januari", "Februari", "Maret", "April", "Mei", "Juni",
        "Juli", "Agustus", "September", "Oktober", "November", "Desember",
    ),
    "en": (
        "January", "February", "March", "April", "May", "June",
        "July", "August", "September", "October", "November", "December",
    ),
}  # fmt: skip
UNITS: dict[Language, dict[str, str]] = {
    "id": {"day": "hr", "hour": "j", "minute": "mnt", "second": "dtk"},
    "en": {"day": "d", "hour": "h", "minute": "min", "second": "s"},
}

_catalogues: dict[Language, gettext.NullTranslations] = {language: gettext.NullTranslations() for language in LANGUAGES}
_loaded: set[Path] = set()
_sentences: dict[str, str] = {}


def msg(sentence: str) -> str:
    """Mark a sentence for the catalogue where it is written but not yet shown; returns it unchanged."""
    return sentence


def msg_count(one: str, many: str) -> str:  # noqa: ARG001 (the catalogue reads it, from the source)
    """Mark a sentence that counts, with `%(n)s`, and its plural for the catalogue; returns the singular."""
    return one


def load(folder: Path) -> None:
    """Add the catalogues under `folder` (`<language>/LC_MESSAGES/messages.po`); once, however often asked."""
    if folder in _loaded:
        return
    _loaded.add(folder)
    for language in LANGUAGES:
        file = folder / language / "LC_MESSAGES" / "messages.po"
        if file.exists():
            catalogue = read_catalogue(file, language)
            _sentences.update(_forms(message.id) for message in catalogue if message.id)
            translations = _translations(catalogue)
            translations.add_fallback(_catalogues[language])
            _catalogues[language] = translations


def read_catalogue(file: Path, language: Language) -> Catalog:
    """Read one `.po` file. Raises `PoFileError` when it is malformed."""
    with file.open("rb") as source:
        return pofile.read_po(source, locale=language, abort_invalid=True)


def translate(language: Language, sentence: str, **values: object) -> str:
    """The sentence in the language, with `%(name)s` places filled from `values`; of nothing, nothing."""
    text = sentence and _catalogues[language].gettext(sentence)  # under "" a catalogue keeps its own head
    return text % values if values else text


def translate_count(language: Language, one: str, many: str, n: int, **values: object) -> str:
    """The sentence for `n` things, with `%(n)s` and other places filled; numbers are written for people."""
    return plural(language, one, many, n) % {"n": number(language, n), **values}


def plural(language: Language, one: str, many: str, n: int) -> str:
    """The form of the sentence for `n`, places not filled."""
    return _catalogues[language].ngettext(one, many, n)


def sentences() -> dict[str, str]:
    """All message ids that the loaded catalogues know, with the plural, which for most is the same."""
    return _sentences


def preferred(accept_language: str) -> Language:
    """The language an `Accept-Language` header asks for, Indonesian when it asks for none of ours."""
    wishes: list[tuple[float, int, Language]] = []
    for place, part in enumerate(accept_language.split(",")[:20]):
        tag, _, quality = part.strip().partition(";q=")
        language = tag.split("-")[0].lower()
        if language == "in":  # the old code of Indonesian, still sent by some Android phones
            language = "id"
        if language in LANGUAGES:
            wishes.append((-_quality(quality), place, language))
    return min(wishes)[2] if wishes else DEFAULT


def number(language: Language, value: float, decimals: int = 0) -> str:
    """`12.345,6` in Indonesian, `12,345.6` in English."""
    text = f"{value:,.{decimals}f}"
    return text.translate(str.maketrans(",.", ".,")) if language == "id" else text


def moment(language: Language, when: datetime, zone: str) -> str:
    """A point in time at a place: `5 Agt 2026 14.05 WITA`, `5 Aug 2026 14:05 WITA`."""
    local = when.astimezone(ZoneInfo(zone))
    return f"{day(language, local.date())} {clock_time(language, when, zone)}"


def clock_time(language: Language, when: datetime, zone: str) -> str:
    """The time of day at a place: `14.05 WITA`, `14:05 WITA`."""
    local = when.astimezone(ZoneInfo(zone))
    point = "." if language == "id" else ":"
    return f"{local.hour:02d}{point}{local.minute:02d} {ZONE_NAMES.get(zone, local.tzname())}"


def day(language: Language, value: date) -> str:
    """A date: `5 Agt 2026`, `5 Aug 2026`."""
    return f"{value.day} {MONTHS[language][value.month - 1]} {value.year}"


def born(language: Language, text: str) -> str:
    """A birth as it is kept, in words: `5 Agt 1987`, `Agt 1987`, `1987`, of an interval of days both ends.

    What is none stays as it is.
    """
    try:
        ends = [date.fromisoformat(f"{end}{'-01' * ((10 - len(end)) // 3)}") for end in text.split("/")]
    except ValueError:
        return text
    if len(ends) == 2:
        earliest, latest = (day(language, end) for end in ends)
        return translate(language, "between %(earliest)s and %(latest)s", earliest=earliest, latest=latest)
    return day(language, ends[0]).split(" ", (10 - len(text)) // 3)[-1]


def country(language: Language, text: str) -> str:
    """A country by the two letters of its code (ISO 3166-1): `Malaysia`; what is no such code stays as it is."""
    return str(Locale(language).territories.get(text.upper(), text)) if len(text) == 2 else text


def day_in(zone: str, when: datetime) -> date:
    """The calendar day at a place."""
    return when.astimezone(ZoneInfo(zone)).date()


def iso(when: datetime) -> str:
    """The machine's form of a point in time: ISO 8601 in UTC, to the second, with Z."""
    return when.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def duration(language: Language, length: timedelta) -> str:
    """How long, in at most two units, rounded down: `3 j 12 mnt`, `2 hr 4 j`, `45 dtk`."""
    seconds = max(0, int(length.total_seconds()))
    units = UNITS[language]
    days, hours, minutes = seconds // 86400, seconds // 3600, seconds // 60
    if minutes < 1:
        return f"{seconds} {units['second']}"
    if hours < 1:
        return f"{minutes} {units['minute']}"
    if hours < 48:
        return _two(hours, units["hour"], minutes % 60, units["minute"])
    return _two(days, units["day"], hours % 24, units["hour"])


def month_number(text: str) -> int | None:
    """The month somebody wrote as a number or a name in either language (`8`, `agt`, `August`), else None."""
    word = text.strip().lower().rstrip(".")
    if word.isdecimal():
        return int(word) if len(word) <= 2 and 1 <= int(word) <= 12 else None
    if len(word) < 3:
        return None
    for names in (*LONG_MONTHS.values(), *MONTHS.values()):
        for place, name in enumerate(names, start=1):
            if name.lower().startswith(word):
                return place
    return {"agu": 8, "ags": 8, "agust": 8, "nop": 11, "nopember": 11, "pebruari": 2}.get(word)


@dataclass(frozen=True, slots=True)
class Deadline:
    """What a deadline says now. `state`: `left` (time enough), `soon`, `late`, `paused`."""

    state: Literal["left", "soon", "late", "paused"]
    text: str
    due: str


SOON = timedelta(hours=2)


def deadline(language: Language, due: datetime, now: datetime, zone: str, *, paused: bool = False) -> Deadline:
    """`sisa 3 j 12 mnt`, within two hours of it `jatuh tempo 17.05 WITA`, after it `lewat 40 mnt`."""
    at = moment(language, due, zone)
    if paused:
        return Deadline("paused", translate(language, "clock paused"), at)
    left = due - now
    if left <= timedelta(0):
        return Deadline("late", translate(language, "%(time)s late", time=duration(language, -left)), at)
    if left <= SOON:
        return Deadline("soon", translate(language, "due %(time)s", time=clock_time(language, due, zone)), at)
    return Deadline("left", translate(language, "%(time)s left", time=duration(language, left)), at)


def _two(major: int, major_unit: str, minor: int, minor_unit: str) -> str:
    return f"{major} {major_unit} {minor} {minor_unit}" if minor else f"{major} {major_unit}"


def _quality(text: str) -> float:
    try:
        return float(text) if text else 1.0
    except ValueError:
        return 0.0


def _forms(message: str | tuple[str, ...] | list[str]) -> tuple[str, str]:
    return (message, message) if isinstance(message, str) else (message[0], message[1])


def _translations(catalogue: Catalog) -> gettext.GNUTranslations:
    """The catalogue as the standard library looks sentences up; fuzzy entries are left out."""
    compiled = io.BytesIO()
    mofile.write_mo(compiled, catalogue)
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)


load(KIT_LOCALE)
