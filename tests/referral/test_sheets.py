"""Rules out into a spreadsheet and back: the same tables, and what a spreadsheet does to cells is refused by name."""

import io
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import openpyxl
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.referral import rules
from services.referral.rules import checks, lint, sheets
from services.referral.rules.findings import BadRules

TEXT = rules.shipped(rules.latest())
EARLIER = rules.shipped("2026-11")

CODES = st.lists(st.sampled_from(["UAC", "CHILD", "SICK", "child", "unknown"]), min_size=1, unique=True)
CELLS = st.one_of(
    st.sampled_from(
        ["", "true", "false", "> 5", 'not in ["UAC"]', "=1+1", "1e5", "expr: x", "'x", '"a b"', '"1"', '"true"']
    ),
    CODES.map(lambda codes: ", ".join(f'"{code}"' for code in codes)),
    st.integers(0, 99_999).map(lambda n: f"{n / 4:g}"),
    st.text(st.characters(exclude_categories=["C", "Z"]), max_size=12),
)
WORDS = st.text(st.characters(exclude_categories=["C", "Zl", "Zp"]), max_size=20).map(
    lambda text: "".join(c for c in text if c.isprintable()).strip()
)


def edited(text: bytes, change: Any) -> bytes:
    """A workbook of these rules, after `change(book)` by hand."""
    book = openpyxl.load_workbook(io.BytesIO(sheets.workbook(text)))
    change(book)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


@pytest.mark.parametrize("text", [TEXT, EARLIER], ids=["2026-12", "2026-11"])
def test_what_went_out_and_comes_back_is_the_same_to_the_byte(text: bytes) -> None:
    assert sheets.of_workbook("v", text, sheets.workbook(text)) is text
    for name in sheets.names(text):
        assert sheets.of_table("v", text, name, sheets.table(text, name)) is text


@given(st.data())
def test_whatever_a_table_holds_comes_back(data: st.DataObject) -> None:
    jdm = orjson.loads(TEXT)
    for node in jdm["nodes"]:
        if node["type"] == "decisionTableNode":
            columns = [c["id"] for side in ("inputs", "outputs") for c in node["content"][side]]
            node["content"]["rules"] = [
                {"_id": f"r{n}", "_description": data.draw(WORDS), **{c: data.draw(CELLS) for c in columns}}
                for n in range(3)
            ]
    text = orjson.dumps(jdm)

    assert orjson.loads(sheets.of_workbook("v", TEXT, sheets.workbook(text))) == jdm
    for name in sheets.names(text):
        assert sheets.of_table("v", text, name, sheets.table(text, name)) is text


def test_a_cell_that_is_edited_is_edited_in_the_rules_and_nothing_else() -> None:
    def change(book: Any) -> None:
        book["terms"]["I2"], book["terms"]["E3"] = 1.75, "F"
        book["candidates"].append(
            ["", "A new one", "UAC", "child, unknown", None, True, None, "BP3MI", "province", "origin"]
        )

    jdm = orjson.loads(sheets.of_workbook("v", TEXT, edited(TEXT, change)))

    before = orjson.loads(TEXT)
    rows = {node["id"]: node["content"]["rules"] for node in jdm["nodes"] if "content" in node}
    assert (rows["terms"][0]["decide"], rows["terms"][1]["sex"]) == ("1.75", '"F"')
    new = rows["candidates"].pop()
    assert (new["_id"], new["age"], new["origin"], new["kind"]) == ("row-102", '"child", "unknown"', "true", '"BP3MI"')
    rows["terms"][0]["decide"], rows["terms"][1]["sex"] = "0.75", ""
    assert lint.tables("v", orjson.dumps(jdm)) == lint.tables("v", orjson.dumps(before))


@pytest.mark.parametrize(
    ("cell", "value", "said"),
    [
        ("D2", '=CONCATENATE("a","b")', "terms D2: is a formula"),
        ("D2", datetime(2026, 11, 27, tzinfo=UTC).replace(tzinfo=None), "terms D2: is neither text, number"),
        ("D1", "age", "terms 1: the headings are not those of this table; they are id, why, need, age_band"),
    ],
)
def test_a_cell_that_cannot_be_taken_is_refused_by_its_address(cell: str, value: Any, said: str) -> None:
    with pytest.raises(BadRules) as refused:
        sheets.of_workbook("v", TEXT, edited(TEXT, lambda book: book["terms"].__setitem__(cell, value)))

    assert said in str(refused.value)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda book: book["candidates"].merge_cells("F12:F13"), "candidates F12:F13: is merged"),
        (lambda book: book["terms"].__setitem__("BH9", "seen by nobody"), "terms BH: lies beyond the table"),
        (lambda book: book.create_sheet("catatan"), "catatan: is no table of the rules"),
    ],
)
def test_what_would_be_lost_in_silence_is_refused(change: Callable[[Any], object], said: str) -> None:
    with pytest.raises(BadRules) as refused:
        sheets.of_workbook("v", TEXT, edited(TEXT, change))

    assert said in str(refused.value)


def test_a_formula_in_csv_is_refused_too() -> None:
    text = sheets.table(TEXT, "terms").replace(",UAC,", ",=1+1,", 1)

    with pytest.raises(BadRules, match="terms C2: is a formula"):
        sheets.of_table("v", TEXT, "terms", text)


def test_what_a_spreadsheet_would_run_goes_out_as_text() -> None:
    jdm = orjson.loads(TEXT)
    jdm["nodes"][1]["content"]["rules"][0]["_description"] = "=HYPERLINK(1)"
    text = orjson.dumps(jdm)

    assert ",'=HYPERLINK(1)," in sheets.table(text, "terms")
    assert openpyxl.load_workbook(io.BytesIO(sheets.workbook(text)))["terms"]["B2"].data_type == "s"


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 broken", b"id,why\r\n"])
def test_what_is_no_workbook_is_refused(content: bytes) -> None:
    with pytest.raises(BadRules, match="no workbook that can be read"):
        sheets.of_workbook("v", TEXT, content)


def test_a_sheet_that_is_missing_is_named() -> None:
    with pytest.raises(BadRules, match="candidates: the workbook has no such sheet"):
        sheets.of_workbook("v", TEXT, edited(TEXT, lambda book: book.remove(book["candidates"])))


def test_more_rows_than_anybody_reads_are_refused() -> None:
    with pytest.raises(BadRules, match="at most 2000 rows"):
        sheets.of_table("v", TEXT, "terms", sheets.table(TEXT, "terms") + "x,y\r\n" * 2_001)


def test_a_code_that_somebody_mistyped_is_found_afterwards() -> None:
    text = sheets.of_workbook("v", TEXT, edited(TEXT, lambda book: book["terms"].__setitem__("C2", "UACC")))

    with pytest.raises(BadRules, match="terms terms-uac need: a code that there is not"):
        checks.check("v", lint.tables("v", text))
