"""A corrected file changes only what is different in it, in whatever form it comes."""

import csv
import io
from collections.abc import Callable, Sequence
from typing import ClassVar

import pytest

from services.intake.actions import mending
from services.intake.actions.drafts import open_draft
from services.intake.actions.voyages import report_voyage
from services.intake.domain.drafts import Differences, Draft
from services.intake.domain.refusals.drafts import LineChanged
from services.intake.domain.refusals.manifests import ManifestUnusable
from services.intake.gateways.workbooks import workbook
from shared.kit.database import Database
from tests.intake.conftest import Browser
from tests.intake.factories import HEADING, OFFICER, a_list, a_row, a_voyage
from tests.intake.test_drafts import BORN, COLLEAGUE, SEX, Desk, counts, desk, written

__all__ = ["desk"]

Site = Callable[[str], Browser]
NAME = 1


def as_text(lines: Sequence[Sequence[str]]) -> bytes:
    text = io.StringIO()
    csv.writer(text, delimiter=";").writerows(lines)
    return text.getvalue().encode()


async def names(desk: Desk, draft: Draft) -> list[str]:
    return [line.cells[NAME] if line.cells else "" for line in await desk.lines(draft)]


async def differences(desk: Desk, draft: Draft) -> Differences:
    found = (await open_draft(desk.database, desk.vault, OFFICER, draft.draft_id)).header.differences
    assert found is not None
    return found


class TestCorrectedFile:
    ROWS = (a_row(1), a_row(2, sex="Q"), a_row(3, sex="Q"), a_row(4))

    async def mended(self, database: Database, desk: Desk) -> Draft:
        draft = await desk.upload(await a_voyage(database), a_list(*self.ROWS))
        return await desk.mend(draft, 3, {SEX: "F"}, actor=COLLEAGUE)

    @pytest.mark.parametrize("form", ["columns", "workbook", "utf-16", "tabs"])
    async def test_with_the_same_in_another_form_changes_nothing(
        self, database: Database, desk: Desk, form: str
    ) -> None:
        draft = await self.mended(database, desk)
        lines = [HEADING.split(","), *(row.split(",") for row in self.ROWS)]
        turned = [list(reversed(line)) for line in lines]
        content = {
            "columns": as_text(turned),
            "workbook": workbook(lines),
            "utf-16": as_text(lines).decode().encode("utf-16"),
            "tabs": "\r\n".join("\t".join(line) for line in lines).encode(),
        }[form]

        after = await desk.upload_again(draft, content)

        assert await differences(desk, after) == Differences(same=4)
        assert counts(after) == (3, 1, 0, 0, 0, 0)
        line = (await desk.lines(after))[1]
        column = (await open_draft(database, desk.vault, OFFICER, after.draft_id)).header.fields["sex"]
        assert (line.cells[column], line.source[column], line.told_by(column).by) == ("F", "Q", "sari")

    async def test_keeps_what_was_mended_in_cells_that_it_does_not_change(self, database: Database, desk: Desk) -> None:
        draft = await self.mended(database, desk)
        corrected = [self.ROWS[0], a_row(2, sex="Q", born="1991-02-03"), a_row(3, sex="M"), self.ROWS[3]]

        after = await desk.upload_again(draft, a_list(*corrected))

        assert (await differences(desk, after)).changed == (3, 4)
        assert counts(after) == (4, 0, 0, 0, 0, 0)
        line = (await desk.lines(after))[1]
        assert (line.cells[SEX], line.cells[BORN], line.source[SEX]) == ("F", "1991-02-03", "Q")

    async def test_says_what_it_corrects_where_that_was_mended_too(self, database: Database, desk: Desk) -> None:
        draft = await self.mended(database, desk)

        after = await desk.upload_again(draft, a_list(self.ROWS[0], a_row(2, sex="X"), *self.ROWS[2:]))

        assert [line.cells[SEX] for line in await desk.lines(after)] == ["M", "X", "Q", "M"]

    async def test_with_a_corrected_name_has_the_same_people(self, database: Database, desk: Desk) -> None:
        draft = await self.mended(database, desk)
        corrected = [self.ROWS[0], a_row(2, name="Kenari", sex="Q"), *self.ROWS[2:]]

        after = await desk.upload_again(draft, a_list(*corrected))

        assert await differences(desk, after) == Differences(3, (), (3,), ())
        assert (await desk.lines(after))[1].cells[SEX] == "F"

    async def test_with_two_namesakes_changes_the_one_of_the_same_document(
        self, database: Database, desk: Desk
    ) -> None:
        rows = [a_row(1, name="Siti", sex="Q"), a_row(2, name="Siti", sex="Q")]
        draft = await desk.upload(await a_voyage(database), a_list(*rows))
        draft = await desk.mend(await desk.mend(draft, 2, {SEX: "F"}), 3, {SEX: "X"})

        after = await desk.upload_again(
            draft, a_list(*(a_row(n, name="Siti", sex="Q", regency="73.71") for n in (2, 1)))
        )

        assert (await differences(desk, after)).changed == (2, 3)
        assert [line.cells[SEX] for line in await desk.lines(after)] == ["X", "F"]

    async def test_on_which_nobody_stands_is_none(self, database: Database, desk: Desk) -> None:
        draft = await self.mended(database, desk)

        with pytest.raises(ManifestUnusable) as refused:
            await desk.upload_again(draft, a_list("", ",,,,,,,,,"))

        assert refused.value.code == "empty"
        assert len(await names(desk, draft)) == 4

    async def test_is_read_as_somebody_said_of_the_one_before(self, database: Database, desk: Desk) -> None:
        content = b"Nama;L/P;Umur;Ibu;Rumah\nBala;L;30;Aminah;Bontobulaeng\n"
        draft = await desk.upload(await a_voyage(database), content)
        write = await mending.prepare_columns(
            database, desk.vault, OFFICER, draft.draft_id, columns={3: "", 4: "origin_village"}
        )
        draft = await written(database, write)

        turned = b"Rumah;Nama;L/P;Umur;Ibu\nBontobulaeng;Bala;L;30;Aminah\nBarru;Siti;P;31;Ana\n"
        after = await desk.upload_again(draft, turned)

        fields = (await open_draft(database, desk.vault, OFFICER, after.draft_id)).header.fields
        assert fields == {"origin_village": 0, "full_name": 1, "sex": 2, "age": 3}
        assert (await differences(desk, after)).same == 1

    async def test_makes_whoever_looked_at_a_row_before_look_again(self, database: Database, desk: Desk) -> None:
        """The same number is another person now."""
        draft = await desk.upload(await a_voyage(database), a_list(a_row(1), a_row(2, sex="Q")))
        await desk.upload_again(draft, a_list(a_row(2, sex="Q"), a_row(1)))

        with pytest.raises(LineChanged) as refused:
            await desk.mend(draft, 3, {NAME: "Orang2", SEX: "F"})

        assert refused.value.theirs == {NAME: "Orang1", SEX: "M"}
        assert await names(desk, draft) == ["Orang2", "Orang1"]

    async def test_tells_whoever_saves_a_version_that_never_was(
        self, site: Site, database: Database, desk: Desk
    ) -> None:
        draft = await desk.mend(
            await desk.upload(await a_voyage(database), a_list(a_row(1, sex="Q"), a_row(2))), 2, {SEX: "F"}
        )
        await desk.upload_again(draft, a_list(a_row(7), a_row(8)))

        for version in (1, 9):
            answer = await site("system").post(
                f"/api/drafts/{draft.draft_id}/rows/2", json={"version": version, "cells": {str(SEX): "M"}}
            )
            assert (answer.status_code, answer.json()["code"], answer.json()["by"]) == (409, "row_changed", "rina")

    @pytest.mark.parametrize(
        "corrected",
        [a_row(1, sex="F"), a_row(1, born="1991-01-01"), a_row(1, number="XS9000009")],
        ids=["sex", "birth", "document"],
    )
    async def test_records_nobody_again_who_was_recorded_under_other_details(
        self, database: Database, desk: Desk, corrected: str
    ) -> None:
        voyage = await a_voyage(database)
        sent = await desk.send(await desk.upload(voyage, a_list(a_row(1), a_row(2, sex="Q"))))

        draft = await desk.upload_again(sent.draft, a_list(corrected, a_row(2)))
        assert counts(draft) == (1, 0, 1, 0, 0, 0)
        assert [one.code for one in (await desk.lines(draft))[0].findings] == ["known_differently"]
        await desk.send(draft)

        told = (await report_voyage(database, OFFICER, voyage.voyage_id)).counts
        assert (told.arrived, told.listed) == (2, told.arrived + told.rejected)

    @pytest.mark.parametrize(
        "corrected",
        [a_row(1, sex="F"), a_row(1, born="1991-01-01"), a_row(1, number="XS9000009")],
        ids=["sex", "birth", "document"],
    )
    async def test_that_comes_as_another_list_records_nobody_again_either(
        self, database: Database, desk: Desk, corrected: str
    ) -> None:
        """The list before was sent whole and has ended."""
        voyage = await a_voyage(database)
        await desk.send(await desk.upload(voyage, a_list(a_row(1), a_row(2))))

        draft = await desk.upload(voyage, a_list(corrected, a_row(2), a_row(3)))
        assert counts(draft) == (1, 0, 1, 1, 0, 0)
        sent = await desk.send(draft)

        assert [one.code for one in (await desk.lines(sent.draft))[0].findings] == ["known_differently"]
        told = (await report_voyage(database, OFFICER, voyage.voyage_id)).counts
        assert (told.arrived, told.rejected) == (3, 1)

    @pytest.mark.parametrize("born", ["1990", "umur 36", ""])
    async def test_that_tells_ages_alone_records_nobody_again(self, database: Database, desk: Desk, born: str) -> None:
        """One list of the mission, one of the depot."""
        voyage = await a_voyage(database)
        await desk.send(await desk.upload(voyage, a_list(a_row(1), a_row(2))))

        draft = await desk.upload(voyage, a_list(a_row(1, born=born, type="", number=""), a_row(3)))
        assert counts(draft) == (1, 0, 1, 0, 0, 0)
        await desk.send(draft)

        told = (await report_voyage(database, OFFICER, voyage.voyage_id)).counts
        assert (told.arrived, told.rejected) == (3, 1)

    UNPAPERED: ClassVar = {"type": "", "number": "", "born": "1987-08-05"}

    @pytest.mark.parametrize(
        ("name", "place"),
        [("Bahruddin", 0), ("Bahruddin", 2), ("Bahar", 2), ("Siti Aminah", 0)],
        ids=["spelt", "elsewhere", "shortened", "another"],
    )
    async def test_records_nobody_again_whose_name_alone_is_corrected(
        self, database: Database, desk: Desk, name: str, place: int
    ) -> None:
        voyage = await a_voyage(database)
        first = a_list(a_row(1, name="Baharudin", **self.UNPAPERED), a_row(2), a_row(3, sex="Q"))
        sent = await desk.send(await desk.upload(voyage, first))
        corrected = [a_row(2), a_row(3)]
        corrected.insert(place, a_row(1, name=name, **self.UNPAPERED))

        draft = await desk.upload_again(sent.draft, a_list(*corrected))

        assert counts(draft) == (1, 0, 1, 1, 0, 0)
        [held] = (await desk.lines(draft))[place].findings
        assert (held.code, held.hint) == ("known_differently", "Baharudin · M · 1987-08-05 · 73.06")
        await desk.send(draft)
        told = (await report_voyage(database, OFFICER, voyage.voyage_id)).counts
        assert (told.arrived, told.rejected) == (3, 1)

    @pytest.mark.parametrize(
        "other",
        [{"born": "1961-02-03"}, {"sex": "F", "regency": "73.71"}, {"name": "Siti"}],
        ids=["birth", "sex", "name"],
    )
    async def test_takes_nobody_for_who_was_recorded_who_differs_in_more(
        self, database: Database, desk: Desk, other: dict[str, str]
    ) -> None:
        who = {**self.UNPAPERED, "name": "Baharudin", "born": "1987"}
        sent = await desk.send(await desk.upload(await a_voyage(database), a_list(a_row(1, **who), a_row(2, sex="Q"))))

        draft = await desk.upload_again(
            sent.draft, a_list(a_row(1, **{**who, "name": "Bahar", **other}), a_row(2, sex="Q"))
        )

        assert await differences(desk, draft) == Differences(1, (2,), (), (2,))
        assert counts(draft) == (1, 1, 0, 0, 0, 0)

    async def test_takes_nobody_for_who_has_the_next_number(self, database: Database, desk: Desk) -> None:
        """Papers of one ship are numbered one after another."""
        sent = await desk.send(await desk.upload(await a_voyage(database), a_list(a_row(1), a_row(2, sex="Q"))))

        draft = await desk.upload_again(sent.draft, a_list(a_row(3), a_row(2, sex="Q")))

        assert counts(draft) == (1, 1, 0, 0, 0, 0)

    async def test_that_changes_what_a_column_means_records_nobody_again(self, database: Database, desk: Desk) -> None:
        voyage = await a_voyage(database)
        sent = await desk.send(await desk.upload(voyage, a_list(a_row(1), a_row(2, sex="Q"))))
        number = HEADING.split(",").index("doc_number")

        write = await mending.prepare_columns(
            database, desk.vault, OFFICER, sent.draft.draft_id, columns={number: "origin_village"}
        )
        draft = await written(database, write)
        assert counts(draft) == (0, 1, 1, 0, 0, 0)
        sent = await desk.send(draft)

        assert (sent.manifest.accepted, counts(sent.draft)) == (0, (0, 1, 1, 0, 0, 0))
        write = await mending.prepare_columns(
            database, desk.vault, OFFICER, draft.draft_id, columns={number: "document_number"}
        )
        assert counts(await written(database, write)) == (0, 1, 0, 1, 0, 0)


class TestPage:
    async def test_a_cell_that_was_not_touched_stays_to_the_letter(
        self, site: Site, database: Database, desk: Desk
    ) -> None:
        """A field of a form has one line, and shows half a character as something unknown."""
        content = 'Nama;L/P;Umur;Alamat;Kasus\nBala;Q;30;"Jl. Ratulangi\r\nMakassar";x\ud83d'
        draft = await desk.upload(await a_voyage(database), content.encode("utf-16", "surrogatepass"))
        shown = {"c2_0": "Bala", "c2_1": "L", "c2_2": "30", "c2_3": "Jl. RatulangiMakassar", "c2_4": "x\ufffd"}

        answer = await site("officer").post(
            f"/id/draf/{draft.draft_id}/baris/2", data={"version": "0", "idempotency_key": "k", **shown}
        )

        assert answer.status_code == 303
        assert (await desk.lines(draft))[0].cells == ("Bala", "L", "30", "Jl. Ratulangi\r\nMakassar", "x\ud83d")
