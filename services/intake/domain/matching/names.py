"""Names as they are compared: one spelling for what people in Indonesia and Malaysia write in many ways.

Nothing here is kept: a name is read, compared and forgotten. Examples of the rules: tests/intake/test_matching.py.
"""

import re
import unicodedata
from dataclasses import dataclass

MANY_SPELLINGS = {
    "muhammad": "muhamad muhammed muhamed mohammad mohamad mohammed mohamed mochammad mochamad mukhammad mukhamad"
    " muchammad muchamad mokhamad mokhammad moch moh mohd muh mhd md mochd muchd much mukh muhd",
    "abdul": "abdoel abdol abd abdl abdool",
    "ahmad": "achmad akhmad ahmed achmat ahmat ahmd ach akh",
    "siti": "sitti st",
    "nur": "nor noor",
    "daeng": "dg",
}
"""Words that are written in many ways or cut short, by the one way they are compared in."""
ONE_SPELLING = {written: word for word, ways in MANY_SPELLINGS.items() for written in (word, *ways.split())}

TITLES_BEFORE = """
h hj haji hajjah hajah drs dra dr ir prof kh kyai kiai ust ustad ustadz ustaz tgk tn ny nn mr mrs tuan nyonya nona sdr
sdri saudara saudari bpk bapak ibu alm almh almarhum almarhumah
"""
TITLES = frozenset(TITLES_BEFORE.split())
DEGREES_BEHIND = """
spd se sh st skom sag ssos ssi skep spdi sip sthi mpd mm mh msi mkes ma amd amdkeb skm ssn lc bsc msc phd shum
"""
DEGREES = frozenset(DEGREES_BEHIND.split())
SON_OF = ("bin", "bn", "ibn", "ibnu", "b")
DAUGHTER_OF = ("binti", "binte", "bte", "bt", "bnt")
PATRONYMICS = frozenset(SON_OF + DAUGHTER_OF)
"""What stands before the father's name, as Malaysian papers add it. A single `b` means it only between two words."""

OLD_SPELLING = (("tj", "c"), ("dj", "j"), ("nj", "ny"), ("sj", "sy"), ("oe", "u"), ("ie", "i"))
"""Van Ophuijsen's and Soewandi's spelling (before 1972), and what has stayed of it in names."""
ABDUL_AND_MORE = re.compile("abd(?:ul(?=[bcdfghjkmnpqrstvwxyz][a-z]{3})|u(?=[lrsznt][a-z]{3}))")
"""Abdulhalim, Abdurrahman, Abdussalam: abdul and a name of God, written together, and with one sound between them."""
NO_LETTERS = re.compile(r"[^\w\s]|_|[0-9]")
APOSTROPHES = re.compile("['`\u2018\u2019\u02bb\u02bc\u02bf]")
TWICE = re.compile(r"(.)\1+")

SOUNDS = (
    ("sy", "s"),
    ("sh", "s"),
    ("kh", "k"),
    ("ch", "k"),
    ("gh", "g"),
    ("th", "t"),
    ("dh", "d"),
    ("dz", "s"),
    ("ph", "p"),
)
LETTERS = str.maketrans("cqxfvzj", "kkkppsy", "h")
SILENT = str.maketrans("", "", "aeiouyw")
LAST = {"d": "t", "b": "p", "g": "k", "m": "n"}
"""What sounds alike in Malay mouths, or is heard for one another by a clerk; vowels count at the beginning alone."""


@dataclass(frozen=True, slots=True)
class Name:
    """A name in the spelling that is compared: its own words, and those after bin or binti."""

    own: tuple[str, ...]
    father: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """Reads as the same name again."""
        return " ".join((*self.own, "bin", *self.father) if self.father else self.own)


def read_name(text: str) -> Name:
    """A name as it is compared. Titles and degrees are left out, old spellings become new ones.

    A name of nothing but titles is read with them: somebody may be called so.
    """
    words = [(word, _modern(word)) for word in _words(text)]
    said = [modern for word, modern in words if word not in TITLES and modern not in TITLES]
    return _own_and_father(said or [modern for _, modern in words])


def fold(text: str) -> str:
    """A place or another name without a father in it, in the spelling that is compared."""
    return " ".join(map(_modern, _words(text)))


def sound_of(word: str) -> str:
    """The consonants of a word as they sound; words that sound alike have the same."""
    if not word.isascii():
        return word
    sound = word
    for written, heard in SOUNDS:
        if written in sound:
            sound = sound.replace(written, heard)
    sound = sound.translate(LETTERS)
    if not sound:
        return word
    first = "a" if sound[0] in "aeiou" else sound[0]
    sound = TWICE.sub(r"\1", first + sound[1:].translate(SILENT))
    return sound[:-1] + LAST[sound[-1]] if len(sound) > 1 and sound[-1] in LAST else sound


def _words(text: str) -> list[str]:
    """The words of a text in small letters without accents, marks and digits; degrees behind a comma left out."""
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    plain = APOSTROPHES.sub("", plain)
    plain = "".join(letter for letter in plain if not unicodedata.combining(letter))
    first, *behind = plain.split(",")
    kept = [first, *(part for part in behind if NO_LETTERS.sub("", part).replace(" ", "") not in DEGREES)]
    return NO_LETTERS.sub(" ", " ".join(kept)).split()


def _own_and_father(words: list[str]) -> Name:
    own: list[str] = []
    father: list[str] = []
    into = own
    for n, word in enumerate(words):
        if own and word in PATRONYMICS and n + 1 < len(words) and into is own:
            into = father
            continue
        into += _spelt(word, is_last=n + 1 == len(words))
    return Name(tuple(own), tuple(father))


def _spelt(word: str, *, is_last: bool) -> list[str]:
    """The words that a word of today's spelling is compared as: one, or two where it was written together."""
    if word == "m" and not is_last:
        return ["muhammad"]
    together = ABDUL_AND_MORE.match(word)
    return ["abdul", word[together.end() :]] if together else [word]


def _modern(word: str) -> str:
    """A word in the spelling of today, each letter once; the same for what it makes."""
    while True:
        spelt = ONE_SPELLING.get(word, word)
        for old, new in OLD_SPELLING:
            spelt = spelt.replace(old, new)
        spelt = TWICE.sub(r"\1", spelt) if spelt not in MANY_SPELLINGS else spelt
        if spelt == word:
            return spelt
        word = spelt
