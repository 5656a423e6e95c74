"""What the columns of a name list are called: ours, and the Indonesian and English words people use."""

import re
from functools import lru_cache

KNOWN = {
    "seq": "seq no nomor nomor_urut no_urut nr urut",
    "full_name": "full_name name nama nama_lengkap nama_pmi nama_deportan nama_wni nama_sesuai_dokumen"
    " nama_sesuai_paspor",
    "alias": "alias aliases nama_panggilan panggilan nama_lain",
    "sex": "sex gender jk j_k l_p lp l_or_p jenis_kelamin kelamin p_l jns_kelamin seks",
    "birth_date": "date_of_birth birth_date dob tgl_lahir tanggal_lahir tg_lahir lahir tgl_lhr tanggal_kelahiran",
    "birthplace_and_date": "ttl tempat_tgl_lahir tempat_tanggal_lahir tempat_dan_tanggal_lahir tmpt_tgl_lahir",
    "birthplace": "birthplace place_of_birth tempat_lahir tmp_lahir tpt_lahir",
    "age": "age age_estimate umur usia perkiraan_usia perkiraan_umur umur_th usia_tahun umur_tahun",
    "nik": "nik no_nik nomor_nik no_ktp nomor_ktp ktp nik_ktp nomor_induk_kependudukan",
    "document_type": "doc_type document_type jenis_dokumen jenis_dok jns_dokumen dokumen tipe_dokumen",
    "document_number": "doc_number document_number document_no no_paspor no_passport nomor_paspor paspor passport"
    " passport_number no_splp nomor_splp splp no_paspor_splp nomor_paspor_splp no_dokumen nomor_dokumen no_dok"
    " paspor_splp no_splp_paspor nomor_splp_paspor",
    "origin_regency": "origin_regency_code origin_regency kode_kab_kota kode_kabupaten_kota kode_kabupaten kab_kota"
    " kabupaten_kota kabupaten kab asal daerah_asal kab_kota_asal kabupaten_asal asal_daerah asal_kab_kota"
    " kabupaten_kota_asal kode_wilayah",
    "origin_province": "origin_province_code origin_province provinsi propinsi prov provinsi_asal kode_provinsi",
    "origin_village": "origin_village desa kelurahan desa_kelurahan alamat alamat_asal address",
    "family_contact": "family_contact kontak_keluarga no_hp nomor_hp telepon no_telp no_telepon telp phone kontak"
    " no_hp_keluarga hp",
    "country_from": "country_from negara negara_asal negara_penempatan negara_tujuan country",
    "region_from": "region_from wilayah_kerja negeri negara_bagian region",
    "detained_at": "detained_at depot dti pts depo tahanan detention",
    "employer": "employer majikan perusahaan pemberi_kerja",
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

REQUIRED: dict[str, tuple[str, ...]] = {
    "full_name": ("full_name",),
    "sex": ("sex",),
    "birth_date": ("birth_date", "birthplace_and_date", "age"),
}
"""What a list cannot do without, and the columns that give it. A list without any age would make everyone a child."""

TEMPLATE = (
    "seq", "full_name", "sex", "date_of_birth", "nik", "doc_type", "doc_number", "origin_regency_code", "country_from",
    "detained_at", "sector", "return_reason", "screening_flags", "accompanied_by_seq", "onward_wish",
)  # fmt: skip
"""The columns of the empty list that port staff can download."""


@lru_cache(maxsize=1024)
def field_of(heading: str) -> str | None:
    """The field a heading means, None when it means none of ours. Case, dots and line breaks do not matter.

    While the heading is looked for, the cells of the first rows are asked about too: what is remembered has an end.
    """
    return plain_field_of(heading) or noted_field_of(heading)


def plain_field_of(heading: str) -> str | None:
    """The field that a heading means as it stands."""
    return FIELD_OF.get("_".join(_words(heading)))


def noted_field_of(heading: str) -> str | None:
    """The field that a heading means without the remark behind it: `Jenis Kelamin (L/P)`, but not `Nama (ayah)`."""
    noted = NOTED.fullmatch(heading)
    field = plain_field_of(noted[1]) if noted else None
    if noted is None or field is None or plain_field_of(heading):
        return None
    return field if NOTES_OF[field].issuperset(_words(noted[2])) else None


def _words(heading: str) -> list[str]:
    return re.sub(r"[^a-z0-9]+", " ", heading.casefold()).split()
