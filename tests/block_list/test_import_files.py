"""Files of keys, as sellers and their tools write them, and what an import makes of them."""

import io
from collections.abc import Sequence

import pytest
from making import START, Now, alias, notice, order

from worker.block_list.block_list import BlockList
from worker.block_list.formats import imports
from worker.block_list.formats.lines import MAX_LINE
from worker.block_list.formats.model import MAX_KEYS, REJECTIONS_KEPT
from worker.database import Database
from worker.database.engine import Row
from worker.errors import UsageError

A, B, C = alias(1), alias(2), alias(3)
ORDER = order(9)

KEY_LISTS = {
    "one key a line": f"{A}\n{B}\n",
    "spellings": f"  <{A.upper()}>\nmailto:{B}?subject=x\n",
    "windows lines and no end": f"{A}\r\n\r\n{B}",
    "old mac lines": f"{A}\r{B}\r",
    "several keys a line": f"{A}, {B}\n",
    "csv with names": f"name,Email,country\nx,{A},IT\ny,{B},DE\n",
    "csv with semicolons": f"Kunde;E-Mail\nMüller;{A}\nGrün;{B}\n",
    "csv with its separator": f"sep=;\nKunde;E-Mail\nMüller;{A}\nGrün;{B}\n",
    "csv with empty rows": f",\nname,Email\n,\nx,{A}\ny,{B}\n,\n,\n",
    "tsv": f"id\tbuyer-email\n1\t{A}\n2\t{B}\n",
    "csv without names": f"x,{A},1\ny,{B},2\n",
    "unknown names": f"foo,bar\nx,{A}\ny,{B}\n",
    "quoted cells": f'"name","email"\n"Rossi, Anna","{A}"\n"x","{B}"\n',
    "mailgun": f'address,tags,created_at\n{A},*,"Mon, 23 Nov 2026 04:17:01 GMT"\n{B},*,x\n',
    "ses as csv": f"{A},COMPLAINT\n{B},COMPLAINT\n",
    "ses": f'{{"emailAddress":"{A}","reason":"COMPLAINT"}}\n{{"emailAddress":"{B}","reason":"COMPLAINT"}}\n',
    "sendgrid": f'[{{"created":1757462690,"email":"{A}"}},\n{{"created":1757462690,"email":"{B}"}}]',
    "postmark": f'{{"Suppressions":[{{"EmailAddress":"{A}"}},{{"EmailAddress":"{B}"}}]}}',
    "listmonk": f'email,name,attributes\n{A},x,"{{""a"":1}}"\n{B},y,{{}}\n',
    "json of strings": f'["{A}", "{B}"]',
}


@pytest.mark.parametrize("text", KEY_LISTS.values(), ids=KEY_LISTS)
def test_every_form_gives_the_same_keys(text: str) -> None:
    found = imports.read(text.encode())

    assert (list(found.keys), found.rejected) == ([A, B], [])


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_every_encoding_of_excel_is_read(encoding: str, separator: str) -> None:
    rows = [["Käufer", "Email"], ["Jörg", A], ["Éva", B]]
    text = "\r\n".join(separator.join(row) for row in rows)

    assert list(imports.read(text.encode(encoding)).keys) == [A, B]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
@pytest.mark.parametrize("form", ["ses", "sendgrid", "postmark", "json of strings"])
def test_json_that_a_shell_of_windows_wrote_is_read(form: str, encoding: str) -> None:
    assert list(imports.read(KEY_LISTS[form].encode(encoding)).keys) == [A, B]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_an_export_that_a_shell_of_windows_wrote_is_read(block_list: BlockList, encoding: str) -> None:
    block_list.record([notice(1, buyer=1), notice(2, buyer=2)])
    exported = b"".join(block_list.export()).decode().replace("\n", "\r\n")

    assert list(imports.read(exported.encode(encoding)).keys) == [A, B]


def test_an_export_of_a_later_format_is_refused(block_list: BlockList) -> None:
    block_list.record([notice(1, buyer=1)])
    exported = b"".join(block_list.export()).replace(b"buyerblock/1", b"buyerblock/2")

    with pytest.raises(UsageError, match="says it is 'buyerblock/2'"):
        imports.read(exported)


def test_lines_that_hold_no_key_are_named_with_number_and_reason() -> None:
    found = imports.read(f"{A}\nsomeone@example.org\n\nno-reply@marketplace.amazon.it\n".encode())

    assert list(found.keys) == [A]
    assert [rejection.line for rejection in found.rejected] == [2, 4]
    assert "buyers' addresses end in @marketplace.amazon" in str(found.rejected[0].problem)
    assert "machine's or stands for many buyers" in str(found.rejected[1].problem)


def test_a_key_twice_counts_once() -> None:
    found = imports.read(f"{A}\n{A.upper()}\n".encode())

    assert (list(found.keys), found.duplicates) == ([A], 1)


def test_an_order_beside_an_address_is_kept_with_it(block_list: BlockList) -> None:
    preview = block_list.preview_import(f"email,order-id\n{A},{ORDER}\n,{order(8)}\n".encode())
    block_list.apply_import(preview, by="test")

    block = block_list.get(ORDER)
    assert block is not None
    assert (block.address, block.orders, block.reason, block.first_seen) == (A, (ORDER,), "imported", START)
    assert [each.key for each in block_list.unresolved()] == [order(8)]


def test_a_buyer_with_a_line_for_each_order_keeps_them_all(block_list: BlockList) -> None:
    file = f"email,order-id\n{A},\n{A},{order(1)}\n{A},{order(2)}\n{A},{order(1)}\n"
    preview = block_list.preview_import(file.encode())
    assert (preview.adds, preview.found.duplicates) == ([A], 3)
    block_list.apply_import(preview, by="test")

    assert [result.blocked for result in block_list.check([order(1), order(2)])] == [True, True]
    assert [block.orders for block in block_list.blocks()] == [(order(1), order(2))]


@pytest.mark.parametrize("known_before", [[], [2], [2, 3]], ids=["new", "alone", "alone, both"])
def test_a_known_buyer_gets_the_orders_that_a_file_has_for_them(
    block_list: BlockList, known_before: list[int]
) -> None:
    block_list.record([notice(1, buyer=1, order_of=1)])
    block_list.block([order(number) for number in known_before], by="test")
    file = f"email,order-id\n{A},{order(1)}\n{A},{order(2)}\n{A},{order(3)}\n".encode()

    preview = block_list.preview_import(file)
    assert (preview.adds, preview.known, preview.resolves) == ([], [A], {order(2): A, order(3): A})
    assert block_list.apply_import(preview, by="test").resolved == 2
    assert [block.orders for block in block_list.blocks()] == [(order(1), order(2), order(3))]
    assert block_list.preview_import(file).resolves == {}


def test_an_import_takes_no_order_from_another_buyer(block_list: BlockList) -> None:
    block_list.record([notice(1, buyer=1), notice(2, buyer=2, order_of=2)])

    preview = block_list.preview_import(f"email,order-id\n{A},{order(2)}\n".encode())
    assert (preview.known, preview.resolves) == ([A], {})


def test_a_preview_sorts_the_keys_and_changes_nothing(block_list: BlockList) -> None:
    block_list.record([notice(1, buyer=1), notice(2, buyer=2)])
    block_list.unblock(B, by="test")
    before = block_list.version

    preview = block_list.preview_import(f"{A}\n{B}\n{C}\nx\n".encode())
    assert (preview.adds, preview.known, preview.unblocked) == ([C], [A], [B])
    assert (preview.found.rejected_count, block_list.version) == (1, before)


def test_an_import_does_not_end_an_unblocking(block_list: BlockList) -> None:
    block_list.record([notice(2, buyer=2)])
    block_list.unblock(B, by="test")

    made = block_list.apply_import(block_list.preview_import(B.encode()), by="test")
    assert (made.added, block_list.get(B)) == (0, None)


def test_an_import_of_many_takes_few_questions(
    block_list: BlockList, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    preview = block_list.preview_import("\n".join(alias(number) for number in range(2000)).encode())
    asked, rows = [], database.engine.rows

    def noted(sql: str, parameters: Sequence[object] = ()) -> list[Row]:
        asked.append(sql)
        return rows(sql, parameters)

    monkeypatch.setattr(database.engine, "rows", noted)
    assert block_list.apply_import(preview, by="test").added == 2000
    assert len(asked) < 30


def test_an_import_can_be_undone_but_not_what_was_confirmed_since(block_list: BlockList) -> None:
    made = block_list.apply_import(
        block_list.preview_import(f"{A}\n{B}\n{C}".encode()), source="old.txt", by="me"
    )
    assert (made.added, len(block_list)) == (3, 3)
    block_list.record([notice(1, buyer=1)])
    block_list.block([B], by="me")

    assert block_list.undo_import(made.id, by="me") == 1
    assert [block.key for block in block_list.blocks()] == [A, B]
    assert block_list.imports()[0].undone_at == START
    assert block_list.imports()[0].source == "old.txt"
    with pytest.raises(UsageError, match="no import"):
        block_list.undo_import(made.id, by="me")


def test_undoing_an_import_keeps_a_notice_that_the_import_gave_an_address(block_list: BlockList) -> None:
    block_list.record([notice(1, order_of=1)])
    file = f"email,order-id\n{A},{order(1)}\n".encode()
    made = block_list.apply_import(block_list.preview_import(file), by="test")
    assert made.added == 1

    assert block_list.undo_import(made.id, by="test") == 0
    assert [(it.address, it.orders, it.reason) for it in block_list.blocks()] == [
        (A, (order(1),), "opted_out")
    ]


def test_undoing_an_import_keeps_a_buyer_to_whom_an_imported_order_was_resolved(
    block_list: BlockList,
) -> None:
    made = block_list.apply_import(block_list.preview_import(f"{order(1)}\n{order(2)}\n".encode()), by="test")
    block_list.record([notice(1, buyer=1)])
    block_list.resolve(order(1), A, by="test")
    block_list.resolve(order(2), B, by="test")

    assert block_list.undo_import(made.id, by="test") == 1
    assert [block.key for block in block_list.blocks()] == [A]


def test_undoing_an_import_forgets_what_was_unblocked_since(block_list: BlockList) -> None:
    made = block_list.apply_import(block_list.preview_import(f"{A}\n{B}\n".encode()), by="test")
    block_list.unblock(A, by="test")

    assert block_list.undo_import(made.id, by="test") == 2
    assert block_list.preview_import(A.encode()).adds == [A]


def test_an_undone_import_leaves_no_trace_of_its_orders(block_list: BlockList) -> None:
    file = f"email,order-id\n{A},{ORDER}\n".encode()
    made = block_list.apply_import(block_list.preview_import(file), by="test")
    block_list.undo_import(made.id, by="test")

    assert not block_list.check([ORDER])[0].blocked
    assert block_list.preview_import(ORDER.encode()).adds == [ORDER]
    assert block_list.preview_import(file).adds == [A]


def test_an_order_report_resolves_orders_and_blocks_nobody(block_list: BlockList) -> None:
    block_list.record([notice(1, order_of=1), notice(2, order_of=2)])
    report = (
        "order-id\torder-item-id\tpurchase-date\tbuyer-email\tbuyer-name\tproduct-name\n"
        f'{order(1)}\t123\t2026-09-01T10:00:00Z\t{alias(1)}\tAnna\t15" frame\n'
        f"{order(5)}\t124\t2026-09-01T10:00:00Z\t{alias(5)}\tBruno\tlamp\n"
        f"{order(6)}\t125\t2026-09-01T10:00:00Z\t\tCarla\tlamp\n"
    )

    preview = block_list.preview_import(report.encode("cp1252"))
    assert (preview.found.format, preview.adds, preview.resolves) == ("report", [], {order(1): alias(1)})
    assert [rejection.line for rejection in preview.found.rejected] == [4]
    made = block_list.apply_import(preview, by="test")
    assert (made.resolved, {block.key for block in block_list.blocks()}) == (1, {alias(1), order(2)})


def test_an_order_report_without_addresses_is_refused() -> None:
    with pytest.raises(UsageError, match="no column with the buyers' addresses"):
        imports.read(f"amazon-order-id\tpurchase-date\tsku\n{ORDER}\t2026\tx\n".encode())


@pytest.mark.parametrize("format_name", ["json", "ndjson", "csv"])
def test_an_export_imports_back_without_loss(
    block_list: BlockList, now: Now, other_database: Database, format_name: str
) -> None:
    block_list.record([notice(n, buyer=n % 4, order_of=n, days=n / 7) for n in range(1, 9)])
    block_list.record([notice(20, order_of=20)])
    now.after(days=3)
    block_list.block([A, C], note='=SUM(A1), "quoted" and\ttabbed\nlines é', by="test")
    block_list.block([B], note="said '=no' 'twice'", by="test")
    exported = b"".join(block_list.export(format_name))

    other = BlockList(other_database, now=now)
    preview = other.preview_import(exported)
    assert preview.found.rejected == []
    other.apply_import(preview, by="test")
    assert b"".join(other.export("json")) == b"".join(block_list.export("json"))


def test_reading_old_mail_after_an_import_counts_no_notice_twice(
    block_list: BlockList, other_database: Database
) -> None:
    notices = [notice(n, buyer=1, days=n) for n in range(3)]
    block_list.record(notices)
    other = BlockList(other_database)
    other.apply_import(other.preview_import(b"".join(block_list.export("json"))), by="test")

    other.record(notices)
    assert next(other.blocks()).notices == 3
    other.record([notice(9, buyer=1, days=9)])
    assert next(other.blocks()).notices == 4


def test_an_export_that_is_cut_off_is_refused(block_list: BlockList) -> None:
    block_list.record([notice(n, buyer=n) for n in (1, 2)])
    exported = b"".join(block_list.export("json"))

    with pytest.raises(UsageError, match="says 2 blocks and holds 1"):
        block_list.preview_import(exported[: exported.rindex(b"{")])


@pytest.mark.parametrize(
    "field",
    [
        '"notices":-1',
        '"notices":"1"',
        '"notices":true',
        '"notices":18446744073709551615',
        '"first_seen":"0001-01-01T00:00:00+14:00"',
        '"reason":"because"',
        '"orders":["x"]',
        '"first_seen":"soon"',
        '"note":5',
    ],
)
def test_a_block_with_a_wrong_field_is_rejected_with_its_line(block_list: BlockList, field: str) -> None:
    block_list.record([notice(1, buyer=1)])
    line = b"".join(block_list.export("ndjson")).decode()
    name = field.partition(":")[0]
    start = line.index(name)
    end = line.index(',"', start + 1) if ',"' in line[start:] else line.index("}", start)

    found = imports.read((line[:start] + field + line[end:]).encode(), "ndjson")
    assert (found.keys, [rejection.line for rejection in found.rejected]) == ({}, [1])


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"PK\x03\x04" + bytes(50), "Excel workbook"),
        (b"\x1f\x8b\x08" + bytes(50), "compressed"),
        (bytes(range(256)) * 20, "not text"),
        (b"name,city\nAnna,Rome\nBruno,Bari\n", "No column of this file holds"),
        (b'{"a": 1', "begins like JSON and is not"),
        (b'{"a": 1}', "no list of addresses"),
        (b'{"format": "buyerblock/1", "count": [], "blocks": [\n]}', "not as buyerblock writes it"),
    ],
)
def test_what_is_no_list_is_refused_in_one_sentence(content: bytes, sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence):
        imports.read(content)


def test_an_unknown_format_is_refused() -> None:
    with pytest.raises(UsageError, match="no import format 'xls'"):
        imports.read(b"", "xls")


def test_an_empty_file_holds_nothing() -> None:
    assert imports.read(b"").keys == {}


class _Endless(io.RawIOBase):
    """A stream of one repeated piece that counts what was read of it."""

    def __init__(self, piece: bytes, size: int) -> None:
        super().__init__()
        self._piece = piece
        self._left = size

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        count = min(size if size >= 0 else self._left, self._left)
        self._left -= count
        return (self._piece * (count // len(self._piece) + 1))[:count]


def test_an_endless_line_takes_no_memory_and_the_next_line_is_read() -> None:
    class Source(_Endless):
        def read(self, size: int = -1) -> bytes:
            return super().read(size) or self._last()

        def _last(self) -> bytes:
            last, self._piece = b"" if self._piece == b"!" else f"\n{A}\n".encode(), b"!"
            return last

    found = imports.read(Source(b"x", 20 * MAX_LINE))  # type: ignore[arg-type]  # all that is used of BinaryIO
    assert list(found.keys) == [A]
    assert [rejection.line for rejection in found.rejected] == [1]
    assert "longer than 1,000,000 characters" in str(found.rejected[0].problem)


def test_too_many_keys_are_refused_with_the_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(imports, "MAX_KEYS", 3)

    with pytest.raises(UsageError, match=r"more than 3 keys \(line 5\)"):
        imports.read("".join(f"{alias(number)}\n" for number in (1, 2, 2, 3, 4, 5)).encode())
    assert MAX_KEYS == 1_000_000


def test_only_the_first_thousand_rejections_are_kept() -> None:
    found = imports.read(b"x\n" * (REJECTIONS_KEPT + 5))

    assert (len(found.rejected), found.rejected_count) == (REJECTIONS_KEPT, REJECTIONS_KEPT + 5)
