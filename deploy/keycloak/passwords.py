"""The passwords that people choose first and attackers try first, as Keycloak reads them: `passwords.txt` beside this.

`python -m deploy.keycloak.passwords FILE …` prints ours and those of the files that are long enough to be chosen at
all, one a line, in small letters, as Keycloak compares them. Give it a list of passwords known from breaches, and
mount what it prints in the place of `passwords.txt`.
"""

import sys
from collections.abc import Iterable, Iterator
from itertools import product
from pathlib import Path

SHORTEST = 15
"""What the realm asks for; shorter ones are refused without a list."""
LONGEST = 64
FILE = Path(__file__).with_name("passwords.txt")

EVERYWHERE = (
    *(
        "password",
        "passw0rd",
        "p@ssw0rd",
        "qwerty",
        "asdfgh",
        "iloveyou",
        "letmein",
        "welcome",
        "admin",
        "administrator",
    ),
    *("monkey", "dragon", "sunshine", "princess", "football", "master", "superman", "changeme", "secret", "login"),
    *("bismillah", "sayang", "rahasia", "katasandi", "sandi", "cinta", "alhamdulillah", "anjing", "doraemon", "kucing"),
)
OF_HERE = (
    *("rujukan", "bp2mi", "kp2mi", "bp3mi", "migran", "pekerja", "pmi", "tki", "imigrasi", "deportasi", "pemulangan"),
    *("dinsos", "dinkes", "kemensos", "sbmi", "migrantcare", "inspektorat", "itjen", "upt", "rptc", "lsm"),
    *("petugas", "penyelia", "koordinator", "auditor", "operator", "pelabuhan", "kapal", "kasus", "bantuan"),
    *("nunukan", "tunontaka", "batam", "batamcentre", "dumai", "entikong", "tanjungpinang", "soekarnohatta", "juanda"),
    *("makassar", "gowa", "jakarta", "surabaya", "malaysia", "indonesia", "merdeka", "pancasila", "garuda"),
)
"""What this installation and its work are about (ASVS 6.1.2): the words that a guess about it begins with."""
ENDINGS = ("", "1", "123", "1234", "12345", "123456", "!", "@123", "2025", "2026", "2027")
WALKS = (
    *(
        "1234567890",
        "0987654321",
        "qwertyuiop",
        "asdfghjkl",
        "zxcvbnm",
        "qwertyuiopasdfghjklzxcvbnm",
        "1q2w3e4r5t6y7u8i9o0p",
    ),
    *(
        "qazwsxedcrfvtgbyhnujmikolp",
        "abcdefghijklmnopqrstuvwxyz",
        "abc123",
        "a1b2c3d4e5f6g7h8i9j0",
        "112233445566778899",
    ),
)


def guessed() -> list[str]:
    """Words and keys in a row until they are long enough; two words, and a word said twice, with an ending."""
    words = EVERYWHERE + OF_HERE
    made = {cut for walk in (*WALKS, *"0123456789abcdefghijklmnopqrstuvwxyz") for cut in _repeated(walk)}
    made |= {whole + ending for word in words for whole in _whole(word) for ending in ENDINGS}
    made |= {f"{one}{between}{other}" for one, other in product(words, OF_HERE) for between in ("", " ")}
    made |= {f"{one}{other}{end}" for one, other in product(OF_HERE[:11], words) for end in ENDINGS}
    return sorted(_fit(made))


def merged(lists: Iterable[Path]) -> list[str]:
    """Ours and those of these files."""
    theirs = (line for path in lists for line in path.read_text(encoding="utf-8", errors="replace").splitlines())
    return sorted({*guessed(), *_fit(theirs)})


def _repeated(walk: str) -> Iterator[str]:
    """The first 15 to 20 letters of this over and over."""
    for length in range(SHORTEST, 21):
        yield (walk * length)[:length]


def _whole(word: str) -> Iterator[str]:
    """A word twice, three times and so on up to as often as it takes."""
    for times in range(1, SHORTEST // len(word) + 2):
        yield word * times


def _fit(passwords: Iterable[str]) -> Iterator[str]:
    """Those that the length lets through, as Keycloak compares them."""
    return (word.lower() for word in map(str.strip, passwords) if SHORTEST <= len(word) <= LONGEST)


if __name__ == "__main__":
    sys.stdout.writelines(f"{word}\n" for word in merged(map(Path, sys.argv[1:])))
