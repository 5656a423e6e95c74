"""The pages, by plain forms: subscribe, see the secret once, test, read the log, replay, clear the tasks."""

import html
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx2
import pytest

from shared.contracts import codes
from shared.kit import catalogue
from shared.kit.database import Database
from tests.notify.conftest import Browser, Carried
from tests.notify.factories import a_fact, hear
from tests.notify.receiver import Receiver
from tests.reading import said

Site = Callable[[str], Browser]
ROOT = Path(__file__).parents[2]


async def posted(browser: Browser, path: str, *, key: str | None = None, **fields: Any) -> httpx2.Response:
    return await browser.send("POST", path, key=key, data=fields)


async def subscribed(site: Site, receiver: Receiver, path: str = "/ok") -> str:
    """Make a subscription by the form; its id."""
    fields = {"name": "Posko Kupang", "url": f"{receiver.url}{path}", "do": "save"}
    answer = await posted(site("ngo"), "/id/langganan/baru", **fields)
    found = re.search(r"/id/langganan/([0-9a-f-]{36})/uji", answer.text)
    assert found, answer.text
    return found[1]


class TestSubscribing:
    async def test_an_empty_list_invites(self, site: Site) -> None:
        page = await site("ngo").get("/id/")

        assert page.status_code == 200
        assert "Belum ada langganan" in said(page)
        assert "/id/langganan/baru" in page.text

    async def test_the_form_names_the_needs_that_are_never_told(self, site: Site) -> None:
        page = await site("ngo").get("/id/langganan/baru")

        assert codes.needs()["TIP"].label_id in said(page)
        assert 'value="TIP"' not in page.text
        assert 'value="WAGE"' in page.text

    async def test_the_form_counts_what_would_match(self, site: Site, database: Database) -> None:
        await hear(database, a_fact(need="WAGE"), a_fact(need="NEED"), a_fact(need="NEED", province="73"))

        everything = await site("ngo").get("/id/langganan/baru")
        counted = await posted(
            site("ngo"), "/id/langganan/baru", name="x", needs=["NEED"], provinces=["73"], do="count"
        )

        assert "Akan cocok dengan 3 peristiwa 7 hari terakhir" in said(everything)
        assert "Akan cocok dengan 1 peristiwa" in said(counted)
        assert re.search(r'value="73"[^>]*checked', counted.text)

    async def test_the_secret_is_shown_once_with_a_way_to_check_it(self, site: Site, receiver: Receiver) -> None:
        fields = {"name": "Posko", "url": f"{receiver.url}/ok", "needs": ["WAGE"], "do": "save"}
        made = await posted(site("ngo"), "/id/langganan/baru", **fields)
        subscription_id = re.findall(r"/id/langganan/([0-9a-f-]{36})", made.text)[0]
        later = await site("ngo").get(f"/id/langganan/{subscription_id}")

        assert re.search(r"whsec_[A-Za-z0-9+/=]{44}", made.text)
        assert "standardwebhooks" in made.text
        assert "whsec_" not in later.text

    @pytest.mark.parametrize(
        ("fields", "sentence"),
        [
            ({"name": "", "url": "https://example.org/"}, "Beri nama langganan ini."),
            ({"name": "x", "url": ""}, "Isi alamat server Anda."),
            ({"name": "x", "url": "https://localhost/"}, "Server ini tidak ada di internet terbuka."),
            ({"name": "x", "url": "https://example.org:22/"}, "Port ini tidak diizinkan."),
            ({"name": "x" * 81, "url": "https://example.org/"}, "Nama paling panjang 80 karakter."),
            ({"name": "Posko\x00", "url": "https://example.org/"}, "Ada karakter yang tidak terlihat di dalamnya."),
            ({"name": "Posko\u202e", "url": "https://example.org/"}, "Ada karakter yang tidak terlihat di dalamnya."),
        ],
    )
    async def test_what_is_wrong_is_said_at_the_field_and_what_was_typed_stays(
        self, site: Site, fields: dict[str, str], sentence: str
    ) -> None:
        page = await posted(site("ngo"), "/id/langganan/baru", **fields, do="save")

        assert page.status_code == 422
        assert said(page).count(sentence) == 2
        assert f'value="{fields["url"]}"' in page.text

    async def test_all_that_is_wrong_is_said_at_once_with_what_to_do(self, site: Site) -> None:
        page = await posted(site("ngo"), "/id/langganan/baru", name="x" * 81, url="https://localhost/", do="save")
        empty = await posted(site("ngo"), "/id/langganan/baru", name="", url="", do="save")

        assert "Ada 2 hal yang perlu diperbaiki" in said(page)
        assert "Nama paling panjang 80 karakter. Singkatkan." in said(page)
        assert "Server ini tidak ada di internet terbuka." in said(page)
        assert "Beri nama langganan ini. Misalnya: Posko Kupang." in said(empty)
        assert "Isi alamat server Anda. Tulis seperti https://example.org/notices." in said(empty)

    async def test_it_is_changed_paused_resumed_and_ended(
        self, site: Site, receiver: Receiver, database: Database
    ) -> None:
        id_ = await subscribed(site, receiver)
        ngo = site("ngo")
        form = await ngo.get(f"/id/langganan/{id_}/ubah")
        assert 'value="Posko Kupang"' in form.text

        changed = await posted(ngo, f"/id/langganan/{id_}/ubah", name="Baru", url=f"{receiver.url}/x", do="save")
        assert changed.headers["location"].startswith(f"/id/langganan/{id_}?said=")
        await posted(ngo, f"/id/langganan/{id_}/jeda")
        assert "Dijeda oleh organisasi Anda" in said(await ngo.get(f"/id/langganan/{id_}"))
        await posted(ngo, f"/id/langganan/{id_}/lanjut")
        assert "Baru" in said(await ngo.get("/id/"))
        await posted(ngo, f"/id/langganan/{id_}/akhiri")

        assert "berakhir" in said(await ngo.get(f"/id/langganan/{id_}"))
        assert await database.pool.fetchval("SELECT status FROM subscriptions") == "ended"

    async def test_when_it_has_ended_its_evidence_stays_and_nothing_can_be_pressed(
        self, site: Site, receiver: Receiver, database: Database, carried: Carried
    ) -> None:
        id_ = await subscribed(site, receiver, "/status/400")
        await hear(database, a_fact())
        await carried()
        ngo = site("ngo")
        await posted(ngo, f"/id/langganan/{id_}/akhiri")

        first = await ngo.get("/id/")
        log = await ngo.get(f"/id/langganan/{id_}")
        delivery = await ngo.get(re.findall(r"/id/pengiriman/[0-9a-f-]{36}", log.text)[0])

        assert "Belum ada langganan" in said(first)
        ended = first.text.partition('id="ended"')[2]
        assert f"/id/langganan/{id_}" in ended
        assert "Posko Kupang" in said(log)
        assert "Percobaan 1" in said(delivery)
        for page in (log, delivery):
            assert 'method="post" action="/id/langganan' not in page.text
            assert 'method="post" action="/id/pengiriman' not in page.text
        assert (await ngo.get(f"/id/langganan/{id_}/ubah")).status_code == 409
        assert f"/id/langganan/{id_}" not in (await site("stranger").get("/id/")).text


class TestLog:
    async def test_a_test_leads_to_what_came_back(self, site: Site, receiver: Receiver) -> None:
        id_ = await subscribed(site, receiver, "/status/500")

        sent = await posted(site("ngo"), f"/id/langganan/{id_}/uji")
        page = await site("ngo").get(sent.headers["location"])

        assert sent.status_code == 303
        assert "Uji coba tidak sampai." in said(page)
        assert "HTTP 500" in said(page)
        assert "status 500" in said(page)
        assert receiver.received[0].headers["webhook-id"] in page.text

    async def test_a_button_that_is_pressed_twice_sends_one_test(self, site: Site, receiver: Receiver) -> None:
        id_ = await subscribed(site, receiver)

        sent = [await posted(site("ngo"), f"/id/langganan/{id_}/uji", key="pressed") for _ in range(2)]

        assert len(receiver.received) == 1
        assert len({answer.headers["location"].partition("?")[0] for answer in sent}) == 1

    async def test_it_is_filtered_by_its_address(
        self, site: Site, receiver: Receiver, database: Database, carried: Carried
    ) -> None:
        id_ = await subscribed(site, receiver)
        await hear(database, a_fact())
        await carried()
        ngo = site("ngo")

        delivered = await ngo.get(f"/id/langganan/{id_}", status="terkirim")
        failed = await ngo.get(f"/id/langganan/{id_}", status="gagal")
        other = await ngo.get(f"/en/langganan/{id_}", event="referral.gap_opened.v1")

        assert "/id/pengiriman/" in delivered.text
        assert "Tidak ada yang sesuai saringan ini" in said(failed)
        assert "Nothing fits this filter" in said(other)

    async def test_times_are_those_of_the_readers_office(
        self, site: Site, receiver: Receiver, database: Database, carried: Carried
    ) -> None:
        id_ = await subscribed(site, receiver, "/status/400")
        await hear(database, a_fact())
        await carried()
        delivery_id = await database.pool.fetchval("SELECT delivery_id::text FROM deliveries")

        for path in ("/id/tugas", f"/id/langganan/{id_}", f"/id/pengiriman/{delivery_id}"):
            assert "23 Nov 2026 10.00 WIB" in said(await site("ngo").get(path))
            assert "23 Nov 2026 12.00 WIT" in said(await site("east").get(path))

    async def test_it_goes_on_over_pages(self, site: Site, receiver: Receiver, database: Database) -> None:
        id_ = await subscribed(site, receiver)
        await hear(database, *[a_fact() for _ in range(60)])
        first = await site("ngo").get(f"/id/langganan/{id_}")
        older = html.unescape(re.findall(r'rel="next" href="([^"]+)"', first.text)[0])
        second = await site("ngo").get(older)

        def shown(page: httpx2.Response) -> set[str]:
            return set(re.findall(r"/id/pengiriman/([0-9a-f-]{36})", page.text))

        assert (len(shown(first)), len(shown(second))) == (50, 10)
        assert not shown(first) & shown(second)

    @pytest.mark.parametrize("odd", ["a" * 36, "0" * 36, "x", "\x00", ""])
    async def test_a_page_that_is_named_oddly_is_refused_by_its_name(
        self, site: Site, receiver: Receiver, odd: str
    ) -> None:
        id_ = await subscribed(site, receiver)

        for path, name in (("/id/", "before"), (f"/id/langganan/{id_}", "before"), ("/id/tugas", "after")):
            page = await site("ngo").get(path, **{name: odd})
            assert page.status_code == 422, path
            assert f"/{name}" in said(page)

    async def test_what_a_server_answers_is_text_never_markup(
        self, site: Site, receiver: Receiver, database: Database, carried: Carried
    ) -> None:
        await subscribed(site, receiver, "/script")
        await hear(database, a_fact())
        await carried()
        delivery_id = await database.pool.fetchval("SELECT delivery_id::text FROM deliveries")

        page = await site("ngo").get(f"/id/pengiriman/{delivery_id}")

        assert "&lt;script&gt;alert(1)" in page.text
        assert "<script>alert" not in page.text

    async def test_a_strangers_address_shows_nothing(self, site: Site, receiver: Receiver, database: Database) -> None:
        id_ = await subscribed(site, receiver)
        await hear(database, a_fact())
        delivery_id = await database.pool.fetchval("SELECT delivery_id::text FROM deliveries")

        for path in (f"/id/langganan/{id_}", f"/id/langganan/{id_}/ubah", f"/id/pengiriman/{delivery_id}"):
            assert (await site("stranger").get(path)).status_code == 404
        for path in (f"/id/langganan/{id_}/uji", f"/id/pengiriman/{delivery_id}/kirim-ulang"):
            assert (await posted(site("stranger"), path)).status_code == 404
        assert "Posko" not in (await site("stranger").get("/id/")).text


class TestTasks:
    async def test_a_dead_letter_is_shown_to_its_owner_and_to_operators_until_sent_again(
        self, site: Site, receiver: Receiver, database: Database, carried: Carried
    ) -> None:
        receiver.answers["/strict"] = [422]
        await subscribed(site, receiver, "/strict")
        await hear(database, a_fact())
        await carried()

        assert "1 tugas terbuka" in said(await site("ngo").get("/id/tugas"))
        operators = await site("operator").get("/en/tugas")
        assert "SBMI" in said(operators)
        assert "Tidak ada tugas" in said(await site("stranger").get("/id/tugas"))
        path = re.findall(r'action="(/en/pengiriman/[0-9a-f-]{36}/kirim-ulang)"', operators.text)[0]
        await posted(site("operator"), path)
        await carried()

        assert "Tidak ada tugas" in said(await site("ngo").get("/id/tugas"))
        assert await database.pool.fetchval("SELECT status FROM deliveries") == "delivered"

    async def test_an_operator_does_not_read_what_a_subscribers_server_said(
        self, site: Site, receiver: Receiver, database: Database, carried: Carried
    ) -> None:
        await subscribed(site, receiver, "/status/400")
        await hear(database, a_fact())
        await carried()
        delivery_id = await database.pool.fetchval("SELECT delivery_id::text FROM deliveries")

        page = await site("operator").get(f"/id/pengiriman/{delivery_id}")

        assert "status 400" not in said(page)
        assert receiver.url not in page.text

    async def test_one_is_closed_without_sending(
        self, site: Site, receiver: Receiver, database: Database, carried: Carried
    ) -> None:
        await subscribed(site, receiver, "/status/400")
        await hear(database, a_fact())
        await carried()
        page = await site("ngo").get("/id/tugas")
        path = re.findall(r'action="(/id/tugas/[0-9a-f-]{36}/tutup)"', page.text)[0]

        await posted(site("ngo"), path)

        assert "Tidak ada tugas" in said(await site("ngo").get("/id/tugas"))


class TestWords:
    def test_every_sentence_is_translated_and_none_is_left_over(self) -> None:
        package, kit = ROOT / "services" / "notify", ROOT / "shared" / "kit"

        assert catalogue.lacking(package, kit) == []
        assert catalogue.unused(package) == []
