"""What an auditor sees: the trail in words of both languages, its holes, the ledger, how to verify."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import asyncpg
import pytest

from services.audit.pages import wording
from services.audit.pages.wording.events import EVENTS
from services.audit.pages.wording.fields import FIELDS
from services.audit.pages.wording.values import VALUES
from shared.kit import catalogue
from shared.kit.ids import new_id
from shared.kit.short_codes import short_code
from tests.architecture.test_names import facts
from tests.audit import factories
from tests.audit.conftest import Visitor
from tests.audit.ledger import Ledger
from tests.reading import said

Visit = Callable[[str], Visitor]
CASE = factories.CASE
ROOT = Path(__file__).parents[2]


def codes_in(annotation: Any) -> Iterator[str]:
    """The codes that a field's type allows."""
    if get_origin(annotation) is Literal:
        yield from get_args(annotation)
        return
    for part in get_args(annotation):
        yield from codes_in(part)


async def a_story(ledger: Ledger) -> str:
    """One arrival that was referred; answers the id of the arrival's event."""
    arrival = new_id()
    payload = factories.a_payload(
        CASE, port="NNK", sex="F", age_band="elderly", needs=["SICK", "NEED"], origin_regency="73.06",
        arrived_at="2026-11-23T06:05:00Z", voyage_id=None, channel="manifest",
    )  # fmt: skip
    opened = factories.a_payload(CASE, caused_by=arrival, need="SICK", province="73", restricted=False)
    await ledger.hear(
        {"event_id": arrival, "payload": payload},
        {"source": "referral", "type_": "referral.referral_opened.v1", "payload": opened},
    )
    await ledger.seal()
    return arrival


class TestSearchPage:
    async def test_a_whole_id_leads_to_its_trail(self, ledger: Ledger, visit: Visit) -> None:
        await ledger.hear({})

        answer = await visit("auditor").get("/id/", case=CASE)

        assert (answer.status_code, answer.headers["location"]) == (303, f"/id/kasus/{CASE}")

    @pytest.mark.parametrize("asked", [short_code(CASE), short_code(CASE).lower().replace("-", " ")])
    async def test_the_code_of_a_slip_leads_to_its_trail(self, ledger: Ledger, visit: Visit, asked: str) -> None:
        await ledger.hear({}, {"case_seq": 2}, {"case_id": new_id()})

        answer = await visit("auditor").get("/id/", case=asked)

        assert (answer.status_code, answer.headers["location"]) == (303, f"/id/kasus/{CASE}")
        assert short_code(CASE) in said(await visit("auditor").get(answer.headers["location"]))

    async def test_a_beginning_lists_what_begins_so(self, ledger: Ledger, visit: Visit) -> None:
        await ledger.hear({}, {"case_id": "019ab000-0000-7000-8000-000000000002"})

        page = await visit("auditor").get("/en/", case="019ab000")

        assert page.text.count('href="/en/kasus/019ab000-') == 2

    async def test_too_little_is_said_at_the_field(self, visit: Visit) -> None:
        page = await visit("auditor").get("/id/", case="<b>x")

        assert page.status_code == 422
        assert "Isi kode kasus seperti di slip, atau sedikitnya delapan karakter pertama id kasus." in said(page)
        assert "<b>x" not in page.text

    async def test_nothing_found_is_said(self, visit: Visit) -> None:
        assert "Tidak ada kasus" in said(await visit("auditor").get("/id/", case="ffffffff"))


class TestTrailPage:
    async def test_tells_the_story_in_indonesian(self, ledger: Ledger, visit: Visit) -> None:
        arrival = await a_story(ledger)

        page = await visit("auditor").get(f"/id/kasus/{CASE}")

        text = said(page)
        assert text.index("Mendarat dan diskrining") < text.index("Rujukan dibuka")
        for words in (
            "23 Nov 2026 20.00 WITA",
            "petugas · BP3MI-65 · Petugas pelabuhan",
            "Tujuan: skrining di pelabuhan",
            "60 tahun atau lebih",
            "23 Nov 2026 14.05 WITA",
            "Tidak ada yang hilang",
        ):
            assert words in text, words
        assert f'href="#e-{arrival}"' in page.text
        assert f'id="e-{arrival}"' in page.text
        assert f'href="/api/cases/{CASE}/proof"' in page.text

    async def test_tells_it_in_english(self, ledger: Ledger, visit: Visit) -> None:
        await a_story(ledger)

        text = said(await visit("auditor").get(f"/en/kasus/{CASE}"))

        for words in ("Landed and screened", "Referral opened", "Purpose: screening at the port", "Nothing is missing"):
            assert words in text, words

    async def test_flags_holes_doubles_changes_and_erasures(
        self, ledger: Ledger, visit: Visit, superuser: asyncpg.Connection
    ) -> None:
        await ledger.hear({}, {"case_seq": 3}, {"case_seq": 3}, {"source": "notify", "case_seq": 4})
        await ledger.seal()
        await superuser.execute("UPDATE leaves SET payload = '{}' WHERE leaf_index = 0")
        await superuser.execute(
            "UPDATE leaves SET salt = NULL, payload = NULL, redacted_at = now() WHERE leaf_index = 3"
        )

        text = said(await visit("auditor").get(f"/en/kasus/{CASE}"))

        for words in (
            "Row 2 of Intake is missing.",
            "Rows 1 to 3 of Notices are missing.",
            "Row 3 of Intake is there twice.",
            "1 entry is no longer what was sealed.",
            "changed after sealing",
            "content erased",
        ):
            assert words in text, words
        assert "Nothing is missing" not in text

    async def test_markup_in_a_payload_stays_text(self, ledger: Ledger, visit: Visit) -> None:
        await ledger.hear({"payload": factories.a_payload(CASE, port="<script>alert(1)</script>")})

        page = await visit("auditor").get(f"/id/kasus/{CASE}")

        assert "<script>alert" not in page.text

    @pytest.mark.parametrize(
        "payload",
        [
            b"not json",
            b"[]",
            b'{"data": [1]}',
            b'{"data": {"needs": {"a": 1}}}',
            b"\xff",
            b'{"data": {"port": "\\ud800"}}',
            b'{"data": {"needs": 1%s}}' % (b"0" * 400),
            b'{"data": {"needs": NaN}}',
            b'{"data": {"needs": 1e999}}',
            b'{"data": {"needs": %s1%s}}' % (b"[" * 600, b"]" * 600),
            b"[" * 60_000,
            b'{"data": {"ended_at": "9999-12-31T23:59:59+00:00"}}',
            b'{"data": {"ended_at": "0001-01-01T00:00:00+14:00"}}',
            b'{"actor": {}, "role": [], "purpose": 1, "caused_by": {"a": []}, "data": {"": ""}}',
        ],
        ids=lambda payload: payload[:40],
    )
    async def test_a_payload_of_any_form_is_shown(self, ledger: Ledger, visit: Visit, payload: bytes) -> None:
        await ledger.hear({"payload": payload})
        await ledger.seal()

        assert (await visit("auditor").get(f"/id/kasus/{CASE}")).status_code == 200
        assert (await visit("auditor").get(f"/api/cases/{CASE}/trail")).status_code == 200
        assert (await visit("auditor").get(f"/api/cases/{CASE}/proof")).status_code == 200


class TestLedgerPage:
    async def test_shows_size_checkpoints_key_and_that_it_verifies(self, ledger: Ledger, visit: Visit) -> None:
        await ledger.hear_cases(1200)
        await ledger.seal()

        text = said(await visit("auditor").get("/id/ledger"))

        assert "Terverifikasi: ya" in text
        assert "1.200" in text
        assert ledger.signer.verifier_key in text

    async def test_says_no_when_it_does_not(self, ledger: Ledger, visit: Visit, superuser: asyncpg.Connection) -> None:
        await ledger.hear_cases(2)
        await ledger.seal()
        await superuser.execute("UPDATE checkpoints SET note = replace(note, E'2\\n', E'3\\n')")

        text = said(await visit("auditor").get("/id/ledger"))

        assert "Terverifikasi: tidak" in text
        assert "tidak ditandatangani dengan kunci buku besar ini" in text

    async def test_says_how_to_verify(self, ledger: Ledger, visit: Visit) -> None:
        assert ledger.signer.verifier_key in said(await visit("auditor").get("/id/verifikasi"))


class TestWords:
    def test_every_fact_has_a_sentence_and_its_fields_and_codes_have_names(self) -> None:
        for fact in facts():
            assert fact.type in EVENTS, fact.type
            for name, field in fact.model_fields.items():
                assert name in FIELDS | dict.fromkeys(wording.HIDDEN), f"{fact.type} {name}"
                unnamed = set(codes_in(field.annotation)) - set(VALUES)
                assert name in wording.NEEDS or not unnamed, f"{fact.type} {name} {unnamed}"

    def test_indonesian_lacks_nothing_and_holds_nothing_unsaid(self) -> None:
        assert catalogue.lacking(ROOT / "services/audit", ROOT / "shared/kit") == []
        assert catalogue.unused(ROOT / "services/audit") == []
