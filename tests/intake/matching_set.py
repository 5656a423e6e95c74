"""A labelled set of made-up people who return, and what it says of the matching: `python -m tests.intake.matching_set`.

**People.** Names from pools of seven parts of the country, drawn such that few words are very common (rank ^ -0.8).
30 % have one word, 40 % two, 30 % three. Half of the records name the father with bin or binti, 40 % the mother, 60 %
the place of birth. A NIK is built as the real ones are, with a district `99` that is never issued. Regencies: each
part's own, the first of a part far more often than the last.

**Hard negatives.** Of 100 people 8 have a namesake from the same regency, born in another year; 4 a namesake born in
the same year elsewhere; 6 a brother or sister (parents and home are the same); 2 a twin (the day of birth too, and the
NIK next to it).

**Errors.** Each return is written down anew, with the rates of `ERRORS`. They are assumptions, set on the harsh side of
what was published of such lists (12 % without NIK, 3 % with a wrong origin, rows in Malay spelling).

The first half of the people trains: `estimate` counts how often a level of agreement is found among pairs of one person
(m) and of two (u), as Fellegi and Sunter have it, and `choose` says from how many bits on to propose: as far from both
goals as can be, wherever it is nearest to one of them among few and many people. The second half, with other people and
errors, is what is reported; nothing was chosen by it.
"""

import argparse
import math
import random
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import NamedTuple

from services.intake.domain.matching import fields, scoring
from services.intake.domain.matching.blocks import asked_by, keys_of
from services.intake.domain.matching.fields import Features, compare, features_of
from services.intake.domain.people import Identity, aged, born_in, born_on

ERRORS = {
    "a word in another spelling": 0.30,
    "a slip of the pen in a word": 0.10,
    "a second slip": 0.02,
    "a word left out": 0.08,
    "words in another order": 0.04,
    "two words written together": 0.03,
    "a title before the name": 0.10,
    "bin or binti put in or left out": 0.25,
    "called by the other name": 0.02,
    "day and month swapped": 0.03,
    "a digit of the birth date wrong": 0.04,
    "only the year of birth": 0.14,
    "an age instead of a birth date, up to two years off": 0.08,
    "first of January for an unknown day": 0.03,
    "no birth at all": 0.04,
    "no NIK": 0.12,
    "a slip in the NIK": 0.03,
    "another document": 0.70,
    "no document number": 0.08,
    "a slip in the document number": 0.02,
    "another origin": 0.06,
    "no origin": 0.03,
    "another sex": 0.005,
}

NAMES = {
    "73": """
Andi Daeng Baso Becce Bau Syamsuddin Hasnah Hasanuddin Nurhayati Rosmini Sitti Baharuddin Jamaluddin
Hamsinah Rahmatia Kamaruddin Saharuddin Nursiah Hasriani Suriani Darmawati Mappatoba Saleh Tahir Sanusi
Rukmana Halija Tenri Marwah Irmawati Kartini Mulyadi Syarifuddin Amiruddin Nurdin Hartati Bungawati
Sangkala Dahlia Sudirman Rusli Bahar Masita Naharia Palallo Pasande Tandi Lolo Rante Sampe Ratu Masniar
Sakka Lukman
""",
    "53": """
Maria Yohanes Fransiskus Theresia Yosef Petrus Paulus Agustinus Kristina Elisabeth Benediktus Martinus
Margaretha Antonius Dominikus Bernadeta Kanisius Yuliana Katarina Blasius Hironimus Emerensiana
Wilhelmina Nong Bao Tukan Kopong Lamak Boli Ola Kewa Peni Beto Lewar Hurint Wuran Koten Kelen Hayon
Balela Fernandez Nahak Seran Bria Klau Manek Taek Mau Bere Asa Luruk Tae Nenabu Oematan Tefa Selan Snae
Neno Nope Banunaek
""",
    "35": """
Agus Budi Sri Siti Slamet Sutrisno Suparman Sumiati Sulastri Supriyadi Wahyu Dewi Endang Eko Joko Hartono
Purwanto Susilo Suwarno Kasiyem Lasmi Misnah Ngatinem Paijo Rukini Sarinah Tukiman Untung Wagiman Yatini
Setyo Prasetyo Handoko Widodo Kusuma Lestari Rahayu Wulandari Utami Astuti Mulyono Sugeng Sumarno Parno
Darmi Katiran Ponirah Legiman Ngadimin Sukinem Marsinah Poniman Giyono Jumiati Karsinem Samiasih Triyono
""",
    "52": """
Lalu Baiq Muhammad Ahmad Nurhasanah Inaq Amaq Sahnun Sahdan Mahsun Mahrip Murniati Rohani Zohriah Saenah
Sakinah Hajrah Suhaimi Suhaili Sapoan Sanapiah Jumahir Jumenah Rumenah Salmiah Sarah Marzuki Mustiarep
Muliadi Haerudin Haerani Hilmiati Husnul Ihsan Kamarudin Makbul Nasrudin Nurasih Padli Raehanun Rusdi
Sabarudin Satriah Supardi Tarmizi Usman Wildan Zaenudin Zulkarnaen Mawardi Munawir Fathul Rizal Hamzah
""",
    "12": """
Siti Abdul Rahmat Nurlela Butet Ucok Tigor Poltak Sahat Togar Hotman Rosmawati Tiurma Lamria Sondang
Marolop Simanjuntak Situmorang Nainggolan Siregar Nasution Lubis Harahap Hutabarat Sinaga Manurung
Silalahi Panjaitan Pasaribu Ginting Sembiring Tarigan Karo Barus Tumanggor Rambe Ritonga Batubara Daulay
Pulungan Hasibuan Rangkuti Mariani Jannah Zulkifli Ramli Fadli Hendra Rosdiana Masdalena Dumaris Lince
Parlindungan Binsar
""",
    "61": """
Muhammad Siti Abdullah Rahmah Fatimah Hamidah Jamilah Kamariah Zainab Zainuddin Sulaiman Ibrahim Ismail
Yusuf Juliana Apong Akong Bong Lim Tan Kiong Liem Alui Amoi Dayang Awang Bujang Pangeran Uray Utin Syarif
Ade Gusti Dedek Norsiah Marhamah Aspiah Sabariah Hasmah Rabiah Julaiha Maimunah Saleha Saodah Jumadi
Mastura Roslina Rusdiansyah Hermansyah Firmansyah Iskandar Darmansyah Safarudin Mohtar Burhan Sahrul
""",
    "32": """
Asep Dedi Cecep Ujang Euis Neneng Imas Entin Iis Yayah Yayat Engkos Enok Ai Nining Ade Dadang Tatang
Encep Jajang Maman Kokom Komariah Rukmini Rohaeti Solihin Sopian Suryana Supriatna Gunawan Hidayat
Permana Ramdani Ridwan Nugraha Kurniawan Setiawan Saepudin Saprudin Mulyana Sumiyati Nuraeni Nurjanah
Aisyah Aminah Dewi Lina Yeni Rina Wati Yanti Susanti Kartika Sukaesih Wangsit Carmi Tarsih Rasmi Warsinah
Kusnadi
""",
}
PARTS = {part: names.split() for part, names in NAMES.items()}
FATHER_NAMES = """
Abdullah Ahmad Ali Amir Arif Bakri Daud Djafar Hamid Hasan Husin Ibrahim Idris Ismail Jalil Kadir Karim
Latif Mansur Mahmud Musa Nasir Osman Rahim Rahman Ramli Saad Said Salim Samad Sani Sulaiman Talib Umar
Yahya Yakub Yusuf Zainal Zakaria Matius Yakobus Gabriel Lukas Sutarno Karto Wiryo Kromo Sastro Darmo Rejo
Kasan Sakip Maun Tabrani Sapri
"""
MOTHER_NAMES = """
Aminah Fatimah Halimah Hasnah Hindun Jamilah Kartini Khadijah Maimunah Mariam Maryam Murni Nurhayati
Rahmah Ramlah Rohani Rokiah Rosnah Sabariah Salmah Saodah Siti Sumiati Suminah Supinah Sutinah Tini
Tuminah Wagiyem Zainab Zaleha Yuliana Kristina Theresia Magdalena Marta Agnes Bertha Yosefina Sariyem
Kasmi Rusmini Mesiyem Painem Partini Juminten
"""
PLACE_NAMES = """
Bone Sinjai Gowa Kupang Larantuka Lembata Blitar Malang Jember Ponorogo Praya Selong Mataram Medan Asahan
Sambas Singkawang Pontianak Cirebon Indramayu Sukabumi Cianjur
"""
FATHERS, MOTHERS, PLACES = FATHER_NAMES.split(), MOTHER_NAMES.split(), PLACE_NAMES.split()
REGENCIES = {
    "73": ("73.08", "73.06", "73.07", "73.13", "73.17"), "53": ("53.06", "53.13", "53.01", "53.04", "53.02"),
    "35": ("35.09", "35.05", "35.07", "35.02", "35.04"), "52": ("52.02", "52.03", "52.01", "52.04", "52.06"),
    "12": ("12.09", "12.07", "12.19", "12.71", "12.05"), "61": ("61.01", "61.72", "61.02", "61.12", "61.71"),
    "32": ("32.12", "32.09", "32.03", "32.02", "32.13"),
}  # fmt: skip
SPELLINGS = (
    ("u", "oe"), ("j", "dj"), ("c", "tj"), ("sy", "sj"), ("ny", "nj"), ("y", "j"), ("i", "ie"), ("f", "p"), ("v", "p"),
    ("z", "s"), ("dd", "d"), ("mm", "m"), ("ss", "s"), ("nn", "n"), ("ll", "l"), ("kh", "h"), ("ch", "kh"), ("h", ""),
    ("d", "dd"), ("s", "ss"), ("t", "th"), ("k", "q"), ("ai", "ae"), ("ae", "ai"), ("aa", "a"),
    ("iyah", "iah"), ("o", "u"),
)  # fmt: skip
SHORT = {
    "muhammad": "Moch. Moh. Mohd. Muh. M. Mochamad Mohammad Mohamad Mohamed",
    "abdul": "Abd. Abdl Abdoel",
    "ahmad": "Achmad Akhmad Ahmed",
    "siti": "St. Sitti",
    "nur": "Noer Nor",
}
TITLES = ("H.", "Hj.", "Haji", "Drs.", "Tn.", "Ny.", "Ust.")
LETTERS = "abdeghiklmnoprstuwy"
LANDED = date(2023, 3, 9)
BACK = date(2026, 11, 23)
HALF_TO_LEARN = "2026-learn"
HALF_TO_REPORT = "2026-held-out"
SIZES = (6_000, 40_000, 150_000)
"""So many people the threshold is chosen among: more of them share their keys with strangers."""
SOUGHT = 5_000
RECALL, PRECISION = 0.97, 0.95
Befalls = Callable[[str], bool]
"""Whether an error of this name happens now."""


class Written(NamedTuple):
    """One record as it was written down at a port; `who` is the label."""

    who: int
    identity: Identity
    regency: str
    sex: str

    @property
    def features(self) -> Features:
        return features_of(self.identity, regency=self.regency, sex=self.sex)


@dataclass(frozen=True)
class Person:
    """Somebody as they are, before anybody wrote it down."""

    who: int
    words: tuple[str, ...]
    father: str
    mother: str
    sex: str
    born: date
    nik: str
    document: str
    regency: str
    birthplace: str


@dataclass(frozen=True)
class LabelledSet:
    """Earlier records, and those of people who came later, each to be found among the earlier ones or not."""

    earlier: Sequence[Written]
    later: Sequence[Written]


def make(people: int, *, seed: str) -> LabelledSet:
    """So many people with those who are like them; half of all return, and as many come who never did before."""
    rng = random.Random(seed)
    population = [_person(rng, who) for who in range(people)]
    for one in list(population):
        population += _alike(rng, one, len(population))
    returning = rng.sample(population, len(population) // 2)
    strangers = [_person(rng, len(population) + n) for n in range(len(returning) // 2)]
    for _ in range(len(strangers) // 5):  # a newcomer may be the twin or namesake of who came before
        near = rng.choice(population)
        strangers += _alike(rng, near, len(population) + len(strangers), always=True)
    earlier = [_written(rng, one, LANDED, anew=False) for one in population]
    later = [_written(rng, one, BACK, anew=True) for one in (*returning, *strangers)]
    return LabelledSet(earlier, later)


def _person(rng: random.Random, who: int) -> Person:
    part = rng.choices(list(PARTS), (22, 18, 17, 14, 9, 10, 10))[0]
    sex = rng.choices("MF", (60, 40))[0]
    words = rng.choices((1, 2, 3), (30, 40, 30))[0]
    name: list[str] = []
    while len(name) < words:
        word = _common_first(rng, PARTS[part])
        if word not in name:
            name.append(word)
    if len(name) > 1 and rng.random() < 0.18:
        name[0] = rng.choice(("Muhammad", "Abdul", "Ahmad") if sex == "M" else ("Siti", "Nur", "Sri"))
    born = date(1960, 1, 1) + timedelta(days=int(rng.triangular(0, 17_500, 11_000)))
    regency = _common_first(rng, REGENCIES[part], 1.2)
    return Person(
        who,
        tuple(name),
        rng.choice(FATHERS),
        " ".join(rng.sample(MOTHERS, rng.choice((1, 2)))),
        sex,
        born,
        _nik(regency, born, sex, rng.randrange(1, 30)),
        _document(rng),
        regency,
        rng.choice(PLACES),
    )


def _common_first(rng: random.Random, pool: Sequence[str], steep: float = 0.8) -> str:
    return rng.choices(pool, [(n + 1) ** -steep for n in range(len(pool))])[0]


def _alike(rng: random.Random, one: Person, who: int, *, always: bool = False) -> list[Person]:
    """Somebody who is easily taken for this person, for 20 of 100; with `always` for each."""
    lot = rng.random() * (0.20 if always else 1)
    fresh = replace(_person(rng, who), sex=one.sex)
    if lot < 0.08:
        years = rng.choice((-12, -9, -7, -5, 5, 6, 8, 14))
        born = one.born + timedelta(days=365 * years + rng.randrange(360))
        other = replace(fresh, words=one.words, born=born, regency=one.regency)
    elif lot < 0.12:
        other = replace(fresh, words=one.words, born=one.born.replace(day=1) + timedelta(days=rng.randrange(300)))
    elif lot < 0.18:
        born = one.born + timedelta(days=rng.choice((-1, 1)) * rng.randrange(400, 2_500))
        other = replace(fresh, father=one.father, mother=one.mother, regency=one.regency, born=born,
                        birthplace=one.birthplace)  # fmt: skip
    elif lot < 0.20:
        other = replace(one, who=who, words=(fresh.words[0], *one.words[1:]), document=fresh.document)
        serial = int(one.nik[12:]) % 9_999 + 1
        return [replace(other, nik=f"{one.nik[:12]}{serial:04d}")]
    else:
        return []
    return [replace(other, nik=_nik(other.regency, other.born, other.sex, rng.randrange(1, 30)))]


def _nik(regency: str, born: date, sex: str, serial: int) -> str:
    day = born.day + (40 if sex == "F" else 0)
    return f"{regency.replace('.', '')}99{day:02d}{born:%m%y}{serial:04d}"


def _document(rng: random.Random) -> str:
    return f"{rng.choice(('XD', 'XE', 'C', 'AU', 'B'))}{rng.randrange(10**7):07d}"


def _written(rng: random.Random, one: Person, on: date, *, anew: bool) -> Written:
    """A person as a clerk writes them down on a day; `anew`: with everything that may have changed since."""

    def befalls(error: str) -> bool:
        return rng.random() < ERRORS[error] * (1 if anew else 0.4)

    regency = one.regency
    if befalls("another origin"):
        regency = rng.choice(REGENCIES[rng.choice(list(REGENCIES))])
    if befalls("no origin"):
        regency = ""
    sex = one.sex
    if befalls("another sex"):
        sex = "F" if sex == "M" else "M"
    name, alias = _name(rng, one, befalls)
    mother = _slipped(rng, one.mother) if rng.random() < 0.05 else one.mother
    identity = Identity(
        full_name=name,
        alias=alias,
        birth=_birth(rng, one.born, on, befalls),
        birthplace=one.birthplace if rng.random() < 0.6 else "",
        nik=_number(rng, one.nik, befalls("no NIK"), befalls("a slip in the NIK")),
        document_number=_number(
            rng,
            _document(rng) if anew and befalls("another document") else one.document,
            befalls("no document number"),
            befalls("a slip in the document number"),
        ),
        mother_name=mother if rng.random() < 0.4 else "",
    )
    return Written(one.who, identity, regency, sex)


def _name(rng: random.Random, one: Person, befalls: Befalls) -> tuple[str, str]:
    words = list(one.words)
    alias = ""
    if befalls("called by the other name"):
        alias, words = " ".join(words), [rng.choice(FATHERS if one.sex == "M" else MOTHERS)]
    if len(words) > 1 and befalls("a word left out"):
        words.pop(rng.randrange(len(words)))
    if len(words) > 1 and befalls("words in another order"):
        rng.shuffle(words)
    if len(words) > 1 and befalls("two words written together"):
        words[:2] = [words[0] + words[1].lower()]
    if befalls("a word in another spelling"):
        at = rng.randrange(len(words))
        words[at] = _respelt(rng, words[at])
    for error in ("a slip of the pen in a word", "a second slip"):
        if befalls(error):
            at = rng.randrange(len(words))
            words[at] = _slipped(rng, words[at])
    name = " ".join(words)
    with_father = (one.who % 2 == 0) != befalls("bin or binti put in or left out")
    if with_father:
        father = _respelt(rng, one.father) if rng.random() < 0.1 else one.father
        name += f" {rng.choice(('bin', 'Bin', 'b.') if one.sex == 'M' else ('binti', 'bt', 'Binti'))} {father}"
    if befalls("a title before the name"):
        name = f"{rng.choice(TITLES)} {name}"
    return (name.upper() if rng.random() < 0.4 else name), alias


def _respelt(rng: random.Random, word: str) -> str:
    """The word as another clerk would spell it; cut short where that is usual."""
    if short := SHORT.get(word.lower()):
        return rng.choice(short.split())
    changed = [word.lower().replace(new, old, 1) for new, old in SPELLINGS if new in word.lower()]
    return rng.choice(changed).capitalize() if changed else word


def _slipped(rng: random.Random, word: str) -> str:
    """One letter left out, doubled, changed or swapped with the next."""
    if len(word) < 3:
        return word
    at = rng.randrange(1, len(word) - 1)
    before, letter, after = word[:at], word[at], word[at + 1 :]
    return rng.choice(
        (before + after, before + letter * 2 + after, before + rng.choice(LETTERS) + after,
         before + after[0] + letter + after[1:])
    )  # fmt: skip


def _birth(rng: random.Random, born: date, on: date, befalls: Befalls) -> str:
    if befalls("no birth at all"):
        return ""
    if befalls("an age instead of a birth date, up to two years off"):
        years = on.year - born.year - ((on.month, on.day) < (born.month, born.day))
        return aged(years + rng.choice((-2, -1, 0, 0, 0, 1, 2)), on).text
    if befalls("only the year of birth"):
        return born_in(born.year).text
    if befalls("first of January for an unknown day"):
        return born_on(date(born.year, 1, 1)).text
    if born.day <= 12 and befalls("day and month swapped"):
        return born_on(date(born.year, born.day, born.month)).text
    if befalls("a digit of the birth date wrong"):
        return born_on(_misread(rng, born)).text
    return born_on(born).text


def _misread(rng: random.Random, born: date) -> date:
    while True:
        digits = list(f"{born:%Y%m%d}")
        digits[rng.randrange(2, 8)] = rng.choice("0123456789")
        try:
            return date.fromisoformat("".join(digits))
        except ValueError:
            continue


def _number(rng: random.Random, number: str, is_missing: bool, is_slipped: bool) -> str:
    if is_missing:
        return ""
    if not is_slipped:
        return number
    at = rng.randrange(3, len(number) - 1)
    if rng.random() < 0.5:
        return number[:at] + number[at + 1] + number[at] + number[at + 2 :]
    return number[:at] + rng.choice("0123456789") + number[at + 1 :]


class Pair(NamedTuple):
    """Two records that share a key, and whether they are of one person."""

    is_same: bool
    levels: dict[str, str]


def candidates(labelled: LabelledSet) -> Iterator[tuple[int, Features, list[tuple[int, Features]]]]:
    """Each later record with the earlier ones that it is compared with, each with who it is."""
    earlier = [(one.who, one.features) for one in labelled.earlier]
    blocks: dict[str, list[int]] = defaultdict(list)
    for n, (_, person) in enumerate(earlier):
        for key in keys_of(person):
            blocks[key].append(n)
    for one in labelled.later:
        person = one.features
        told: dict[int, float] = defaultdict(float)
        for held in filter(None, map(blocks.get, asked_by(person))):
            for n in held:
                told[n] += scoring.told_by(len(held))
        most = sorted(told, key=lambda n: (-told[n], -n))[: scoring.MOST_COMPARED]
        yield one.who, person, [earlier[n] for n in most]


def pairs(labelled: LabelledSet) -> list[Pair]:
    return [
        Pair(who == other_who, compare(person, other))
        for who, person, found in candidates(labelled)
        for other_who, other in found
    ]


@dataclass(frozen=True)
class Found:
    """How well the matching does at a threshold, over all pairs of one person whether a key finds them or not."""

    people: int
    proposed: int
    right: int
    blocked: int
    compared: int
    later: int

    @property
    def recall(self) -> float:
        return self.right / self.people

    @property
    def precision(self) -> float:
        return self.right / self.proposed if self.proposed else 1.0


def measure(labelled: LabelledSet, weighed: Sequence[tuple[bool, float]], threshold: float) -> Found:
    earlier = {one.who for one in labelled.earlier}
    proposed = [is_same for is_same, weight in weighed if weight >= threshold]
    return Found(
        people=sum(one.who in earlier for one in labelled.later),
        proposed=len(proposed),
        right=sum(proposed),
        blocked=sum(is_same for is_same, _ in weighed),
        compared=len(weighed),
        later=len(labelled.later),
    )


def estimate(found: Sequence[Pair]) -> dict[str, dict[str, float]]:
    """Weights in bits, log2(m/u), of each level; never more for less agreement."""
    weights: dict[str, dict[str, float]] = {}
    for field, levels in fields.LEVELS.items():
        counts = {
            same: Counter(p.levels[field] for p in found if p.is_same == same and p.levels[field] != fields.MISSING)
            for same in (True, False)
        }
        rows = [(counts[True][level] + 0.5, counts[False][level] + 0.5, [level]) for level in levels]
        all_m, all_u = sum(m for m, _, _ in rows), sum(u for _, u, _ in rows)
        weights[field] = {
            level: round(math.log2((m / all_m) / (u / all_u)), 2)
            for m, u, pooled in _never_rising(rows)
            for level in pooled
        }
    return weights


def _never_rising(rows: list[tuple[float, float, list[str]]]) -> list[tuple[float, float, list[str]]]:
    """Counts with neighbours pooled wherever less agreement would weigh more."""
    pooled: list[tuple[float, float, list[str]]] = []
    for row in rows:
        pooled.append(row)
        while len(pooled) > 1 and pooled[-1][0] / pooled[-1][1] > pooled[-2][0] / pooled[-2][1]:
            (m, u, levels), (m2, u2, levels2) = pooled[-2:]
            pooled[-2:] = [(m + m2, u + u2, levels + levels2)]
    return pooled


def sampled(labelled: LabelledSet, later: int) -> LabelledSet:
    """The same with so many of those who come later, evenly taken: who returns stands before who is new."""
    every = max(1.0, len(labelled.later) / later)
    return LabelledSet(
        labelled.earlier, [labelled.later[int(n * every)] for n in range(int(len(labelled.later) / every))]
    )


def choose(sizes: Sequence[int]) -> dict[float, float]:
    """For each threshold how far it is from the nearer goal, on the half to learn from, where that is least."""
    margins: dict[float, float] = {}
    for people in sizes:
        labelled = sampled(make(people, seed=HALF_TO_LEARN), SOUGHT)
        weighed = [(pair.is_same, scoring.weigh(pair.levels)) for pair in pairs(labelled)]
        for threshold in (half / 2 for half in range(21)):
            found = measure(labelled, weighed, threshold)
            margin = min(found.recall - RECALL, found.precision - PRECISION)
            margins[threshold] = min(margin, margins.get(threshold, margin))
    return margins


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure the matching on people who were never born.")
    parser.add_argument("--people", type=int, default=6_000)
    parser.add_argument("--learn", action="store_true", help="estimate the weights anew and print them")
    parser.add_argument("--choose", action="store_true", help="say which threshold keeps furthest from both goals")
    asked = parser.parse_args()
    if asked.choose:
        for threshold, margin in choose(SIZES).items():
            print(f"  {threshold:>4} bits: {margin:+.4f}")
        return
    if asked.learn:
        for field, levels in estimate(pairs(make(asked.people, seed=HALF_TO_LEARN))).items():
            print(f'    "{field}": {levels},')
        return
    labelled = sampled(make(asked.people, seed=HALF_TO_REPORT), SOUGHT)
    weighed = [(pair.is_same, scoring.weigh(pair.levels)) for pair in pairs(labelled)]
    for name, threshold in (("proposed", scoring.PROPOSED_FROM), ("strong", scoring.STRONG_FROM)):
        found = measure(labelled, weighed, threshold)
        print(
            f"{name} from {threshold} bits: recall {found.recall:.4f}, precision {found.precision:.4f}"
            f" ({found.right} of {found.people} found, {found.proposed} proposed, {found.blocked} share a key,"
            f" {found.compared / found.later:.1f} compared for each of {found.later})"
        )
    for threshold in range(-4, 20, 2):
        found = measure(labelled, weighed, threshold)
        print(f"  {threshold:>3} bits: recall {found.recall:.4f} precision {found.precision:.4f}")


if __name__ == "__main__":
    main()
