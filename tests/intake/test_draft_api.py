"""The API of lists that are kept until they are done with."""

import csv
import html
import io
import re
from collections.abc import Callable
from contextlib import AsyncExitStack, suppress
from typing import Any

import httpx2
import openpyxl
import pytest
from starlette.requests import ClientDisconnect

from services.intake.__main__ import build
from services.intake.actions import mending, sending, uploading
from services.intake.actions.spreadsheets import rearmed
from services.intake.gateways.workbooks import XLSX, workbook
from shared.kit.database import Database
from shared.kit.ids import new_id
from shared.kit.service import application
from tests.intake.conftest import Browser, SignedIn
from tests.intake.factories import a_list, a_row, a_voyage, the_settings

Site = Callable[[str], Browser]
SEX = "2"


async def uploaded(site: Site, voyage_id: str, content: bytes, kind: str = "text/csv", **said: Any) -> httpx2.Response:
    query = "?sender=KJRI+Tawau" if said.pop("named", False) else ""
    return await site("officer").post(f"/api/voyages/{voyage_id}/drafts{query}", content=content, kind=kind, **said)


async def a_draft(site: Site, database: Database, *rows: str) -> str:
    answer = await uploaded(site, (await a_voyage(database)).voyage_id, a_list(*rows))
    assert answer.status_code == 201, answer.text
    return f"/api/drafts/{answer.json()['draft_id']}"


def lines_of(answer: httpx2.Response) -> list[list[str]]:
    assert answer.status_code == 200, answer.text
    return list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig")), delimiter=";"))


class TestUpload:
    @pytest.mark.parametrize(
        ("kind", "content", "form"),
        [
            ("text/csv", b"Nama;L/P;Umur\nBala;L;30\nSiti;?;30", "csv"),
            ("text/tab-separated-values", b"Nama\tL/P\tUmur\r\nBala\tL\t30\r\nSiti\t?\t30", "paste"),
            (XLSX, workbook([["Nama", "L/P", "Umur"], ["Bala", "L", "30"], ["Siti", "?", "30"]]), "xlsx"),
        ],
        ids=["csv", "pasted", "workbook"],
    )
    async def test_takes_what_people_have(
        self, site: Site, database: Database, kind: str, content: bytes, form: str
    ) -> None:
        answer = await uploaded(site, (await a_voyage(database)).voyage_id, content, kind)

        assert answer.status_code == 201, answer.text
        found = answer.json()
        assert (found["form"], found["state"], found["counts"]["ready"], found["counts"]["mend"]) == (
            form,
            "open",
            1,
            1,
        )
        assert await database.pool.fetchval("SELECT count(*) FROM arrivals") == 0
        listed = (await site("officer").get("/api/drafts")).json()
        assert [one["draft_id"] for one in listed] == [found["draft_id"]]
        assert (await site("stranger").get("/api/drafts")).json() == []

    async def test_repeated_as_another_kind_of_file_is_another_request(self, site: Site, database: Database) -> None:
        voyage_id, key = (await a_voyage(database)).voyage_id, new_id()
        content = b"Nama\tL/P\tUmur\nBala\tL\t30"
        first = await uploaded(site, voyage_id, content, "text/csv; charset=utf-8", key=key)
        again = await uploaded(site, voyage_id, content, "text/csv", key=key)
        other = await uploaded(site, voyage_id, content, "text/tab-separated-values", key=key)

        assert (first.content, again.headers["idempotent-replay"]) == (again.content, "true")
        assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")

    async def test_repeated_has_one_effect_and_one_answer(self, site: Site, database: Database) -> None:
        voyage_id, key = (await a_voyage(database)).voyage_id, new_id()
        first = await uploaded(site, voyage_id, a_list(a_row(1)), key=key)
        again = await uploaded(site, voyage_id, a_list(a_row(1)), key=key)
        other = await uploaded(site, voyage_id, a_list(a_row(2)), key=key)

        assert (first.content, again.headers["idempotent-replay"]) == (again.content, "true")
        assert other.status_code == 422
        assert "Idempotency-Key ini sudah dipakai" in other.json()["title"]
        assert await database.pool.fetchval("SELECT count(*) FROM drafts") == 1

    async def test_of_no_use_is_refused_in_words_and_keeps_nothing(self, site: Site, database: Database) -> None:
        answer = await uploaded(site, (await a_voyage(database)).voyage_id, b"halo\nhalo")

        assert answer.status_code == 422
        assert answer.json()["errors"][0]["remedy"]
        assert await database.pool.fetchval("SELECT count(*) FROM drafts") == 0


class TestRows:
    async def test_are_shown_with_what_is_wrong_in_which_cell(self, site: Site, database: Database) -> None:
        draft = await a_draft(site, database, a_row(1), a_row(2, sex="Q"))
        found = (await site("officer").get(draft, standing="mend")).json()

        assert found["in_all"] == 1
        line = found["items"][0]
        assert (line["row"], line["version"], line["standing"], line["cells"][2]) == (3, 0, "mend", "Q")
        [problem] = line["problems"]
        assert (problem["field"], problem["column"], problem["code"]) == ("sex", 2, "sex_unknown")
        assert problem["message"].startswith("Jenis kelamin ini tidak dikenal")
        assert found["columns"]["full_name"] == 1

    async def test_half_a_character_is_shown_as_unknown(self, site: Site, database: Database) -> None:
        content = "Nama;L/P;Umur\nBa\ud83dla;L;30".encode("utf-16", "surrogatepass")
        answer = await uploaded(site, (await a_voyage(database)).voyage_id, content)
        found = (await site("officer").get(f"/api/drafts/{answer.json()['draft_id']}")).json()

        assert found["items"][0]["cells"][0] == "Ba\N{REPLACEMENT CHARACTER}la"

    async def test_are_mended_once_and_by_one(self, site: Site, database: Database) -> None:
        draft = await a_draft(site, database, a_row(1), a_row(2, sex="Q"))
        key, sent = new_id(), {"version": 0, "cells": {SEX: "F"}}
        first = await site("officer").post(f"{draft}/rows/3", json=sent, key=key)
        again = await site("officer").post(f"{draft}/rows/3", json=sent, key=key)
        late = await site("system").post(f"{draft}/rows/3", json={"version": 0, "cells": {SEX: "M"}})

        assert first.json()["counts"]["ready"] == 2
        assert first.content == again.content
        assert late.status_code == 409
        told = late.json()
        assert (told["by"], told["version"], told["theirs"], told["yours"]) == ("rina", 1, {SEX: "F"}, {SEX: "M"})
        assert "Orang lain telah mengubah baris ini" in told["title"]

    @pytest.mark.parametrize(
        ("row", "sent", "status", "code"),
        [
            ("9", {"version": 0, "cells": {SEX: "F"}}, 404, "row_unknown"),
            ("2", {"version": 0, "cells": {"44": "F"}}, 422, "column_unknown"),
            ("2", {"version": 0, "cells": {"100": "F"}}, 422, "invalid"),
            ("2", {"version": 0, "cells": {SEX: "x" * 2001}}, 422, "invalid"),
            ("2", {"cells": {}}, 422, "invalid"),
        ],
    )
    async def test_that_are_not_there_are_refused(
        self, site: Site, database: Database, row: str, sent: dict[str, Any], status: int, code: str
    ) -> None:
        draft = await a_draft(site, database, a_row(1, sex="Q"))
        answer = await site("officer").post(f"{draft}/rows/{row}", json=sent)

        assert (answer.status_code, answer.json()["code"]) == (status, code)


class TestColumns:
    async def test_are_said_for_this_list_and_the_senders_next(self, site: Site, database: Database) -> None:
        content = b"Nama;L/P;Umur;Rumah\nBala;L;30;Bontobulaeng"
        answer = await uploaded(site, (await a_voyage(database)).voyage_id, content, named=True)
        draft = f"/api/drafts/{answer.json()['draft_id']}"
        said = await site("officer").post(f"{draft}/columns", json={"columns": {"3": "origin_village"}})
        wrong = await site("officer").post(f"{draft}/columns", json={"columns": {"0": ""}})
        unknown = await site("officer").post(f"{draft}/columns", json={"columns": {"0": "nobody"}})
        later = await uploaded(site, (await a_voyage(database)).voyage_id, content, named=True)

        assert said.status_code == 200
        assert wrong.status_code == 422
        assert unknown.json()["code"] == "column_unknown"
        found = await site("officer").get(f"/api/drafts/{later.json()['draft_id']}")
        assert found.json()["columns"]["origin_village"] == 3


class TestSending:
    async def test_records_what_is_ready_and_keeps_the_rest(self, site: Site, database: Database) -> None:
        draft = await a_draft(site, database, a_row(1), a_row(2, sex="Q"), a_row(3))
        key = new_id()
        sent = await site("officer").post(f"{draft}/sendings", json={"version": 1}, key=key)
        again = await site("officer").post(f"{draft}/sendings", json={"version": 1}, key=key)

        assert sent.content == again.content
        body = sent.json()
        assert (body["manifest"]["accepted"], body["manifest"]["rejected"]) == (2, 1)
        assert body["draft"]["counts"] | {"known": 2, "mend": 1} == body["draft"]["counts"]
        old = await site("officer").post(f"{draft}/sendings", json={"version": 1})
        assert (old.status_code, old.json()["code"]) == (409, "list_changed")
        assert "rina" in old.json()["detail"]

    async def test_of_what_is_done_with_is_gone(self, site: Site, database: Database) -> None:
        draft = await a_draft(site, database, a_row(1))
        discarded = await site("officer").post(f"{draft}/discard", json={})
        gone = await site("officer").get(draft)

        assert discarded.status_code == 200
        assert (gone.status_code, gone.json()["code"]) == (410, "draft_ended")
        assert await database.pool.fetchval("SELECT count(*) FROM draft_keys") == 0


class TestAtOnce:
    """The connection is slow: the same write comes again while the first is being prepared."""

    @pytest.mark.parametrize(
        ("module", "function", "path", "said"),
        [
            (mending, "prepare_cells", "rows/3", {"json": {"version": 0, "cells": {"2": "F"}}}),
            (mending, "prepare_columns", "columns", {"json": {"columns": {"9": ""}}}),
            (uploading, "prepare_file", "uploads", {"content": a_list(a_row(1), a_row(2)), "kind": "text/csv"}),
            (sending, "send_draft", "sendings", {"json": {"version": 1}}),
        ],
        ids=["rows", "columns", "uploads", "sendings"],
    )
    async def test_has_one_effect_and_one_answer(
        self, site: Site, database: Database, monkeypatch: pytest.MonkeyPatch, module: Any, function: str, path: str,
        said: dict[str, Any],
    ) -> None:  # fmt: skip
        draft = await a_draft(site, database, a_row(1), a_row(2, sex="Q"))
        real, faster = getattr(module, function), list[httpx2.Response]()

        async def late(*given: Any, **how: Any) -> Any:
            monkeypatch.undo()
            faster.append(await site("officer").post(f"{draft}/{path}", key="the-same", **said))
            return await real(*given, **how)

        monkeypatch.setattr(module, function, late)
        slower = await site("officer").post(f"{draft}/{path}", key="the-same", **said)

        assert (
            (slower.status_code, slower.content) == (faster[0].status_code, faster[0].content) == (200, slower.content)
        )
        assert slower.headers["idempotent-replay"] == "true"
        other = {"content": a_list(a_row(1)), "kind": "text/csv"} if path == "uploads" else {"json": {"version": 9}}
        assert (await site("officer").post(f"{draft}/{path}", key="the-same", **other)).status_code == 422


class TestLookedAt:
    """What somebody has changed since is neither destroyed nor read otherwise unseen."""

    @pytest.mark.parametrize(
        ("path", "said"), [("discard", {}), ("columns", {"columns": {"9": ""}})], ids=["discard", "columns"]
    )
    async def test_is_said_with_the_version(
        self, site: Site, database: Database, path: str, said: dict[str, Any]
    ) -> None:
        draft = await a_draft(site, database, a_row(1), a_row(2, sex="Q"))
        await site("officer").post(f"{draft}/rows/3", json={"version": 0, "cells": {SEX: "F"}})
        late = await site("system").post(f"{draft}/{path}", json={"version": 1, **said})
        again = await site("system").post(f"{draft}/{path}", json={"version": 2, **said})

        assert (late.status_code, late.json()["code"], again.status_code) == (409, "list_changed", 200)

    async def test_is_said_with_a_corrected_file(self, site: Site, database: Database) -> None:
        draft = await a_draft(site, database, a_row(1), a_row(2, sex="Q"))
        await site("officer").post(f"{draft}/rows/3", json={"version": 0, "cells": {SEX: "F"}})
        corrected = {"content": a_list(a_row(1), a_row(2, sex="M")), "kind": "text/csv"}
        late = await site("system").post(f"{draft}/uploads?version=1", **corrected)
        again = await site("system").post(f"{draft}/uploads?version=2", **corrected)
        repeated = await site("system").post(f"{draft}/uploads?version=2", **corrected)

        assert (late.status_code, late.json()["code"], again.status_code) == (409, "list_changed", 200)
        assert (repeated.status_code, repeated.json()["version"]) == (200, again.json()["version"])

    @pytest.mark.parametrize("path", ["buang", "kolom", "berkas"])
    async def test_is_said_by_the_page(self, site: Site, database: Database, path: str) -> None:
        draft = await a_draft(site, database, a_row(1), a_row(2, sex="Q"))
        link = draft.replace("/api/drafts", "/id/draf")
        page = (await site("officer").get(link)).text
        form = re.search(rf'action="{link}/{path}"[^>]*>(.*?)</form>', page, re.DOTALL)
        assert form
        fields = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', form[1]))
        await site("officer").post(f"{draft}/rows/3", json={"version": 0, "cells": {SEX: "F"}})
        file = {"files": {"file": ("d.csv", a_list(a_row(9)), "text/csv")}} if path == "berkas" else {}
        late = await site("colleague").post(f"{link}/{path}", data=fields, **file)

        assert (late.status_code, "rina mengubah" in html.unescape(late.text)) == (409, True)
        assert (await site("officer").get(draft)).json()["draft"]["version"] == 2


class TestTakingAway:
    ROWS = (a_row(1), a_row(2, sex="Q"), a_row(3, name="=1+1"), a_row(4, name="'@x"))

    async def test_held_rows_come_with_what_is_wrong_and_run_nowhere(self, site: Site, database: Database) -> None:
        draft = await a_draft(site, database, *self.ROWS)
        heading, siti, formula = lines_of(await site("officer").get(f"{draft}/file"))

        assert (heading[0], heading[-1]) == ("held_row", "Masalah")
        assert siti[-1].startswith("sex: Jenis kelamin ini tidak dikenal.")
        assert formula[2] == "'=1+1"
        book = await site("officer").get(f"{draft}/file", form="xlsx")
        [sheet] = openpyxl.load_workbook(io.BytesIO(book.content)).worksheets
        assert [cell.data_type for row in sheet.iter_rows(min_col=3, max_col=3) for cell in row] == ["s", "s", "s"]

    @pytest.mark.parametrize("form", ["csv", "xlsx"])
    async def test_held_rows_are_mended_in_the_file_and_uploaded_again(
        self, site: Site, database: Database, form: str
    ) -> None:
        draft = await a_draft(site, database, *self.ROWS)
        voyage_id = (await site("officer").get(draft)).json()["draft"]["voyage_id"]
        heading, siti, formula = lines_of(await site("officer").get(f"{draft}/file"))
        await site("officer").post(f"{draft}/rows/4", json={"version": 0, "cells": {"1": "Ulo"}})
        siti[heading.index("sex")] = "P"
        lines = [heading, siti, formula]
        text = "\n".join(";".join(line) for line in lines).encode()
        content, kind = (text, "text/csv") if form == "csv" else (workbook(lines), XLSX)
        answer = await uploaded(site, voyage_id, content, kind)

        assert answer.status_code == 201, answer.text
        assert f"/api/drafts/{answer.json()['draft_id']}" == draft
        assert answer.json()["counts"]["ready"] == 4
        found = (await site("officer").get(draft)).json()["items"]
        assert [line["cells"][1] for line in found] == ["Orang1", "Orang2", "Ulo", "'@x"]

    async def test_every_cell_comes_back_as_it_was_uploaded(self, site: Site, database: Database) -> None:
        rows = ['1,  spasi  ,Q,5-8-87,,,"a,b",,"x\ny",', "2,'=x,M,,,,-,@y,+62 81,", "", "3,short"]
        draft = await a_draft(site, database, *rows)
        await site("officer").post(f"{draft}/rows/2", json={"version": 0, "cells": {SEX: "F", "3": "5-8-1987"}})
        source = lines_of(await site("officer").get(f"{draft}/file", rows="source"))

        wanted = list(csv.reader(io.StringIO(a_list(*rows).decode())))
        assert [[rearmed(cell) for cell in line] for line in source] == wanted


class TestInterrupted:
    """The connection ends within the file: nothing of it is kept, at whichever byte it was cut."""

    CONTENT = b"Nama;L/P;Umur\nBala;L;30\nSiti;P;41\n"

    @pytest.mark.parametrize("path", ["drafts", "manifest"])
    async def test_at_any_byte_keeps_nothing_and_may_be_sent_again(
        self, database: Database, path: str, site: Site
    ) -> None:
        voyage_id = (await a_voyage(database)).voyage_id
        async with AsyncExitStack() as stack:
            app = SignedIn(application(await build(the_settings(database), database, stack)))
            for cut in range(len(self.CONTENT)):
                await cut_off(app, f"/api/voyages/{voyage_id}/{path}", self.CONTENT[:cut])

        for table in ("drafts", "draft_keys", "manifests", "arrivals", "answers"):
            assert await database.pool.fetchval(f"SELECT count(*) FROM {table}") == 0
        answer = await site("officer").post(
            f"/api/voyages/{voyage_id}/{path}", content=self.CONTENT, kind="text/csv", key="the-same"
        )
        assert answer.status_code in (200, 201)


async def cut_off(app: SignedIn, path: str, begun: bytes) -> None:
    """Send the beginning of a file, then be gone."""
    parts = iter([{"type": "http.request", "body": begun, "more_body": True}])

    async def receive() -> dict[str, Any]:
        return next(parts, {"type": "http.disconnect"})

    async def send(_: Any) -> None:
        pass

    headers = {"x-actor": "officer", "content-type": "text/csv", "idempotency-key": "the-same", "content-length": "900"}
    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "POST", "scheme": "http",
        "path": path, "raw_path": path.encode(), "query_string": b"", "root_path": "",
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
        "server": ("intake.test", 80), "client": ("127.0.0.1", 1),
    }  # fmt: skip
    with suppress(ClientDisconnect):
        await app(scope, receive, send)
