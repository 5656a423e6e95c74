"""What the columns of a name list are called: ours, and the Indonesian and English words people use."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from operator import itemgetter
from typing import Literal

KNOWN = {
    "seq": "seq no nomor nomor_urut no_urut nr urut number bil bilangan",
    "full_name": "full_name name nama nama_lengkap nama_pmi nama_deportan nama_wni nama_sesuai_dokumen"
    " nama_sesuai_paspor nama_penuh name_in_full nama_orang nama_jelas"
    " fullname nama_lengkap_pmi nama_lengkap_deportan nama_deportan_pmi nama_pmi_deportan",
    "alias": "alias aliases nama_panggilan panggilan nama_lain",
    "sex": "sex gender jk j_k l_p lp l_or_p jenis_kelamin kelamin p_l jns_kelamin seks jantina jenis_kel m_f",
    "male": "l lk laki laki_laki pria lelaki m male jenis_kelamin_l jenis_kelamin_lk jenis_kelamin_laki_laki"
    " jenis_kelamin_pria kelamin_l kelamin_laki_laki jk_l jk_lk sex_m sex_male gender_m gender_male",
    "female": "p pr perempuan wanita f female jenis_kelamin_p jenis_kelamin_pr jenis_kelamin_perempuan"
    " jenis_kelamin_wanita kelamin_p kelamin_perempuan jk_p jk_pr sex_f sex_female gender_f gender_female",
    "birth_date": "date_of_birth birth_date dob tgl_lahir tanggal_lahir tg_lahir lahir tgl_lhr tanggal_kelahiran"
    " tarikh_lahir birthdate date_birth tgl_bln_thn_lahir tanggal_bulan_tahun_lahir",
    "birthplace_and_date": "ttl tempat_tgl_lahir tempat_tanggal_lahir tempat_dan_tanggal_lahir"
    " tempat_dan_tgl_lahir tmpt_tgl_lahir",
    "birthplace": "birthplace place_of_birth tempat_lahir tmp_lahir tpt_lahir",
    "mother_name": "mother_name mothers_name mother nama_ibu ibu_kandung nama_ibu_kandung ibu",
    "age": "age age_estimate umur usia perkiraan_usia perkiraan_umur umur_th usia_tahun umur_tahun years_old",
    "nik": "nik no_nik nomor_nik no_ktp nomor_ktp ktp nik_ktp nomor_induk_kependudukan",
    "document_type": "doc_type document_type jenis_dokumen jenis_dok jns_dokumen dokumen tipe_dokumen"
    " dokumen_jenis dokumen_perjalanan",
    "document_number": "doc_number document_number document_no no_paspor no_passport nomor_paspor paspor passport"
    " passport_number passport_no no_pasport nombor_pasport no_dokumen_perjalanan nomor_dokumen_perjalanan"
    " travel_document_no travel_document_number"
    " no_splp nomor_splp splp no_paspor_splp nomor_paspor_splp no_dokumen nomor_dokumen no_dok"
    " paspor_splp no_splp_paspor nomor_splp_paspor dokumen_nomor dokumen_no",
    "origin_regency": "origin_regency_code origin_regency kode_kab_kota kode_kabupaten_kota kode_kabupaten kab_kota"
    " kabupaten_kota kabupaten kab asal daerah_asal kab_kota_asal kabupaten_asal asal_kabupaten asal_daerah"
    " asal_kab_kota kabupaten_kota_asal kode_wilayah",
    "origin_province": "origin_province_code origin_province provinsi propinsi prov provinsi_asal kode_provinsi",
    "origin_village": "origin_village desa kelurahan desa_kelurahan alamat alamat_asal alamat_lengkap address",
    "family_contact": "family_contact kontak_keluarga no_hp nomor_hp telepon no_telp no_telepon telp phone kontak"
    " no_hp_keluarga hp",
    "country_from": "country_from negara negara_asal negara_penempatan negara_tujuan country",
    "region_from": "region_from wilayah_kerja negeri negara_bagian region",
    "detained_at": "detained_at depot dti pts depo tahanan detention",
    "employer": "employer majikan perusahaan pemberi_kerja nama_majikan",
    "sector": "sector sektor pekerjaan jenis_pekerjaan occupation",
    "return_reason": "return_reason kasus jenis_kasus alasan alasan_deportasi alasan_pemulangan masalah reason",
    "flags": "screening_flags flags kerentanan kebutuhan kelompok_rentan needs tanda rentan",
    "health_note": "health_note kesehatan kondisi_kesehatan catatan_kesehatan keterangan_kesehatan",
    "companion": "accompanied_by_seq accompanied_by bersama_no pendamping_no bersama_no_urut no_pendamping pendamping",
    "onward_wish": "onward_wish keinginan tujuan rencana tujuan_pulang rencana_selanjutnya",
    "language": "language bahasa",
    "held_row": "held_row baris_ditahan",
}
DATE_PARTS = "d dd m mm mmm y yy yyyy h hh b bb t tt tttt tgl tanggal hari bln bulan thn tahun day month year date"
NOTES = {
    "": "sesuai menurut dengan dgn as in on the dokumen document paspor passport splp ktp identitas wajib harus diisi"
    " isi required opsional optional jika bila kalau if ada any diketahui known lengkap huruf kapital besar format",
    "sex": "l p m f x lk pr laki perempuan pria wanita male female",
    "birth_date": DATE_PARTS,
    "birthplace_and_date": f"{DATE_PARTS} kota kab",
    "age": "th thn tahun year years",
    "nik": "16 digit angka digits",
    "origin_regency": "kab kota kabupaten kode code kemendagri",
}
"""What a remark in brackets behind a heading may say without changing what is meant, for any field and for some."""
NOTES_OF = {field: frozenset(f"{NOTES['']} {NOTES.get(field, '')}".split()) for field in KNOWN}
NOTED = re.compile(r"(.+)[(\[]([^()\[\]]*)[)\]][\s*:.]*", re.DOTALL)
FIELD_OF = {words: field for field, all_words in KNOWN.items() for words in all_words.split()}

TICKED = ("male", "female")
"""Two columns of which one is ticked instead of one that says the sex; either alone means nothing."""

Asked = Literal["heading", "doubled", "full_name", "sex", "birth_date"]
"""What somebody has to say before a list is read: where its heading is, which of two columns it is, which one lacks."""

REQUIRED: dict[Asked, tuple[str, ...]] = {
    "full_name": ("full_name",),
    "sex": ("sex", *TICKED),
    "birth_date": ("birth_date", "birthplace_and_date", "age"),
}
"""What a list cannot do without, and the columns that give it. A list without any age would make everyone a child."""

TEMPLATE = (
    "seq", "full_name", "sex", "date_of_birth", "nik", "doc_type", "doc_number", "origin_regency_code", "country_from",
    "detained_at", "sector", "return_reason", "screening_flags", "accompanied_by_seq", "onward_wish",
)  # fmt: skip
"""The columns of the empty list that port staff can download."""


@dataclass(frozen=True, slots=True)
class Matched:
    """Which column has which field, and what could not be matched. Columns are counted from 0.

    `ignored`: columns with a heading that means nothing of ours, or that somebody said is not used. `doubled`: fields
    that a second column claims too, with both columns; nobody has said which it is. `missing`: of `REQUIRED`.
    `remembered`: columns that mean what was remembered of an earlier list.
    """

    fields: Mapping[str, int]
    ignored: tuple[int, ...] = ()
    doubled: tuple[tuple[str, int, int], ...] = ()
    missing: tuple[Asked, ...] = ()
    remembered: frozenset[int] = frozenset()


UNUSED = ""
"""Instead of a field, for a column that is not to be read."""


def match(
    heading: Sequence[str], remembered: Mapping[str, str] | None = None, chosen: Mapping[int, str] | None = None
) -> Matched:
    """Say which column has which field.

    What somebody chose for a column of this very list goes before what is remembered of a sender's headings (by
    `keys_of`), and that before what the words mean. Both give a field of `KNOWN`, or `UNUSED`.
    """
    fields: dict[str, int] = {}
    decided: dict[int, str] = {}
    doubled: list[tuple[str, int, int]] = []
    from_memory: set[int] = set()
    for column, field in sorted((chosen or {}).items()):
        if 0 <= column < len(heading) and (field in KNOWN or field == UNUSED):
            _claim(fields, doubled, decided, column, field)
    for column, key in enumerate(keys_of(heading) if remembered else ()):
        field_ = (remembered or {}).get(key) if key and column not in decided else None
        if field_ is not None and (field_ in KNOWN or field_ == UNUSED) and field_ not in fields:
            _claim(fields, doubled, decided, column, field_)
            from_memory.add(column)
    for meant in (plain_field_of, noted_field_of):
        plainly = set(fields)
        for column, text in enumerate(heading):
            field_ = None if column in decided else meant(text)
            if field_ is not None and field_ not in plainly:
                _claim(fields, doubled, decided, column, field_)
    if "sex" in fields or not fields.keys() >= {*TICKED}:
        fields = {field: column for field, column in fields.items() if field not in TICKED}
        doubled = [one for one in doubled if one[0] not in TICKED]
    used = set(fields.values()) | {second for _, _, second in doubled}
    return Matched(
        fields=dict(sorted(fields.items(), key=itemgetter(1))),
        ignored=tuple(n for n, text in enumerate(heading) if text.strip() and n not in used),
        doubled=tuple(doubled),
        missing=tuple(wanted for wanted, ways in REQUIRED.items() if not any(way in fields for way in ways)),
        remembered=frozenset(from_memory),
    )


def _claim(
    fields: dict[str, int], doubled: list[tuple[str, int, int]], decided: dict[int, str], column: int, field: str
) -> None:
    decided[column] = field
    if field == UNUSED:
        return
    if field in fields:
        doubled.append((field, fields[field], column))
    else:
        fields[field] = column


def key_of(heading: str) -> str:
    """Under which a heading is remembered: without case, points, signs and line breaks."""
    return "_".join(_words(heading)) or " ".join(heading.casefold().split())


def keys_of(heading: Sequence[str]) -> list[str]:
    """Under which each column is remembered, "" for one without a heading; headings that are alike by their place.

    Where no column has a heading there is nothing but the place, and how many columns there are.
    """
    if not any(text.strip() for text in heading):
        return [f"#{len(heading)}:{n}" for n in range(1, len(heading) + 1)]
    keys = [key_of(text) if text.strip() else "" for text in heading]
    often = {key for key, times in Counter(keys).items() if times > 1} - {""}
    seen: Counter[str] = Counter()
    for column, key in enumerate(keys):
        if key in often:
            seen[key] += 1
            keys[column] = f"{key}#{seen[key]}"
    return keys


@lru_cache(maxsize=1024)
def field_of(heading: str) -> str | None:
    """The field a heading means, None when it means none of ours. Case, dots and line breaks do not matter.

    While the heading is looked for, the cells of the first rows are asked about too: what is remembered has an end.
    """
    return plain_field_of(heading) or noted_field_of(heading)


def plain_field_of(heading: str) -> str | None:
    """The field that a heading means as it stands, letter by letter (`N.I.K.`), or in two words (`Nama / Name`)."""
    words = _words(heading)
    if field := FIELD_OF.get("_".join(words)):
        return field
    if all(len(word) == 1 for word in words):
        return FIELD_OF.get("".join(words))
    either = {FIELD_OF.get("_".join(_words(one))) for one in heading.split("/")}
    return either.pop() if len(either) == 1 else None


def noted_field_of(heading: str) -> str | None:
    """The field that a heading means without the remark behind it: `Jenis Kelamin (L/P)`, but not `Nama (ayah)`."""
    noted = NOTED.fullmatch(heading)
    field = plain_field_of(noted[1]) if noted else None
    if noted is None or field is None or plain_field_of(heading):
        return None
    return field if NOTES_OF[field].issuperset(_words(noted[2])) else None


def _words(heading: str) -> list[str]:
    return re.sub(r"[^a-z0-9]+", " ", heading.casefold()).split()
