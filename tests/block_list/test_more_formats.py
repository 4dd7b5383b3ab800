"""Workbooks, files of TinyDB, Postfix's maps, CSV for Excel: the rows that the list has, and nothing that runs."""

import codecs
import csv
import io
import re
import shutil
import subprocess
import zipfile
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from making import START, alias, notice, order
from tinydb import TinyDB, where

from worker.block_list.block_list import BlockList
from worker.block_list.documents import PUBLIC, one_line
from worker.block_list.formats import exports
from worker.block_list.formats.formulas import unescape_formula
from worker.block_list.formats.workbook import MAX_ROWS, workbook
from worker.database import Database
from worker.errors import UsageError

_SHEET = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
# A workbook holds control characters as escapes, which programs read in more than one way.
_PRINTED = st.characters(exclude_categories=["Cc", "Cs"])
_NOTES = st.one_of(
    st.text(_PRINTED, max_size=40),
    st.builds(
        "{}{}".format,
        st.sampled_from(["=", "+", "-", "@", "'=", "<r>", "_x0041_"]),
        st.text(_PRINTED, max_size=10),
    ),
    st.builds("<r>{}</r>".format, st.text(_PRINTED, max_size=10)),
).map(one_line)
_ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "address": st.none() | st.integers(0, 9).map(alias),
            "orders": st.lists(st.integers(0, 9).map(order), min_size=1, max_size=3),
            "marketplace": st.none() | st.just("amazon.it"),
            "reason": st.sampled_from(["opted_out", "manual", "imported"]),
            "accounts": st.lists(st.just("seller@gmail.example"), max_size=1),
            "first_seen": st.just("2026-09-10T00:04:50Z"),
            "last_seen": st.just("2026-09-11T00:04:50Z"),
            "notices": st.integers(0, 10**9),
            "note": _NOTES,
        }
    ),
    max_size=4,
)


def written(name: str, rows: list[exports.Row]) -> bytes:
    """Return what a format makes of stored documents, which have private fields as well."""
    stored = ({**row, "kind": "k", "search": "s"} for row in rows)
    return b"".join(exports.FORMATS[name].write(len(rows), stored, START))


def cells_of(content: bytes) -> list[list[str]]:
    """Return the texts of a workbook by row, as a program that knows the file format reads them."""
    with zipfile.ZipFile(io.BytesIO(content)) as parts:
        sheet = ElementTree.fromstring(parts.read("xl/worksheets/sheet1.xml"))
    assert not list(sheet.iter(f"{_SHEET}f")), "a formula"
    found = []
    for row in sheet.iter(f"{_SHEET}row"):
        cells = [""] * len(PUBLIC)
        for cell in row:
            texts = [it.text or "" for it in cell.iter() if it.tag in (f"{_SHEET}t", f"{_SHEET}v")]
            cells["ABCDEFGHI".index(cell.attrib["r"][0])] = _unescaped("".join(texts))
        found.append(cells)
    return found


def _unescaped(text: str) -> str:
    # XML 1.0 holds no control characters; Excel's files write them so.
    return re.sub("_x([0-9A-F]{4})_", lambda it: chr(int(it[1], 16)), text)


def as_row(document: exports.Row) -> list[str]:
    """Return a public document as a row of texts."""
    joined = {**document, "orders": " ".join(document["orders"]), "accounts": " ".join(document["accounts"])}
    return ["" if joined[name] is None else str(joined[name]) for name in PUBLIC]


@settings(max_examples=150, deadline=None)
@given(rows=_ROWS)
def test_a_workbook_has_the_rows_of_the_list_as_texts(rows: list[exports.Row]) -> None:
    assert cells_of(written("xlsx", rows)) == [list(PUBLIC), *map(as_row, rows)]


@settings(max_examples=150, deadline=None)
@given(rows=_ROWS)
def test_both_kinds_of_csv_have_the_rows_of_the_list(rows: list[exports.Row]) -> None:
    plain, for_excel = written("csv", rows), written("csv-bom", rows)

    assert for_excel == codecs.BOM_UTF8 + plain
    read = csv.reader(io.StringIO(plain.decode(), newline=""))
    assert [list(map(unescape_formula, row)) for row in read] == [list(PUBLIC), *map(as_row, rows)]


@settings(max_examples=150, deadline=None)
@given(rows=_ROWS)
def test_plain_tinydb_opens_the_file_and_finds_every_block(
    rows: list[exports.Row], tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("tinydb") / "blocks.json"
    path.write_bytes(written("tinydb", rows))
    with TinyDB(path) as database:
        assert database.all() == rows
        for row in rows:
            assert row in database.search(where("address") == row["address"])


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\uff1d"])
def test_a_text_that_looks_like_a_formula_stays_a_text_when_it_is_edited(
    block_list: BlockList, start: str
) -> None:
    block_list.block([alias(1)], note=f"{start}HYPERLINK()", by="test")

    with zipfile.ZipFile(io.BytesIO(b"".join(block_list.export("xlsx")))) as parts:
        sheet, styles = parts.read("xl/worksheets/sheet1.xml").decode(), parts.read("xl/styles.xml").decode()
    cell = re.search(r'<c r="I2" s="(\d)" t="inlineStr"><is><t>(.*?)</t>', sheet)
    assert cell is not None
    assert cell[2] == f"{start}HYPERLINK()"
    formats = re.findall(r"<xf [^>]*>", styles[styles.index("<cellXfs") :])
    assert 'quotePrefix="1"' in formats[int(cell[1])]


def test_a_workbook_is_the_same_to_the_byte_for_the_same_list(block_list: BlockList) -> None:
    block_list.block([alias(1)], by="test")

    assert b"".join(block_list.export("xlsx")) == b"".join(block_list.export("xlsx"))


def test_more_blocks_than_a_sheet_takes_are_refused_in_one_sentence() -> None:
    with pytest.raises(UsageError, match="Excel takes 1,048,575 rows in a sheet, and here are 1,048,576"):
        workbook(("a",), MAX_ROWS + 1, (), START)


def test_a_mark_can_stand_before_csv_only() -> None:
    assert exports.with_mark("csv") == exports.with_mark("csv-bom") == "csv-bom"
    with pytest.raises(UsageError, match="Only csv can have a byte-order mark, and not json"):
        exports.with_mark("json")


@pytest.mark.parametrize("name", ["csv-bom", "tinydb", "postfix"])
def test_what_was_exported_is_read_back(block_list: BlockList, database: Database, name: str) -> None:
    block_list.record([notice(1, buyer=1, order_of=1), notice(2, buyer=2, order_of=2)])
    exported = b"".join(block_list.export(name))
    database.drop_tables()

    for given_name in ("auto", name):
        preview = block_list.preview_import(exported, given_name)
        assert (sorted(preview.adds), preview.found.rejected_count) == ([alias(1), alias(2)], 0)


def test_postfix_refuses_with_the_sentence_of_the_gate(block_list: BlockList) -> None:
    block_list.record([notice(1, buyer=1), notice(2, order_of=2)])

    assert b"".join(block_list.export("postfix")).decode() == (
        f"{alias(1)}\t550 5.7.1 {alias(1)}: this buyer opted out of unsolicited messages "
        "(blocked since 2026-09-10)\n"
    )


@pytest.mark.skipif(shutil.which("postmap") is None, reason="Postfix is not installed")
def test_postmap_takes_the_map_and_answers_by_it(block_list: BlockList, tmp_path: Path) -> None:
    block_list.block([alias(number) for number in range(300)], by="test")
    path = tmp_path / "blocked"
    path.write_bytes(b"".join(block_list.export("postfix")))

    def postmap(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["postmap", "-c", str(tmp_path), *arguments], capture_output=True, text=True, check=False
        )

    (tmp_path / "main.cf").write_text("compatibility_level = 3.6\n")
    made = postmap(f"hash:{path}")
    assert (made.returncode, made.stderr) == (0, "")
    asked = postmap("-q", alias(7), f"hash:{path}")
    assert asked.stdout.startswith(f"550 5.7.1 {alias(7)}: this buyer opted out")
    assert postmap("-q", alias(300), f"hash:{path}").returncode == 1
