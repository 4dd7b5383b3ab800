"""What scan reads besides plain mail files: archives and Outlook's files; and that it names what it does not read."""

import email
import email.policy
import gzip
import io
import json
import random
import sys
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from outlook_files import Tree, mail_properties, msg
from sellers import EXPECTED, sample

from worker.cli.program import commands, run
from worker.mail_files import mbox, packed
from worker.mail_files.model import Mail, NotRead, WhyNot
from worker.mail_files.reading import messages
from worker.notices.judge import judge
from worker.notices.model import OptOut

NOTICE = "opt_out/it_specimen_shape.eml"
ONE = b"From: a@example.com\r\nSubject: one\r\n\r\nfirst\r\n"
TWO = b"From: b@example.com\nSubject: two\n\nsecond\n"
SEPARATOR = b"From 1780123456789012345@xxx Thu Sep 10 00:04:50 +0000 2026\n"
BOX = SEPARATOR + ONE + b"\n" + SEPARATOR + TWO
ENCRYPTED = 1


def zipped(files: dict[str, bytes], flags: int = 0) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
        for entry in archive.infolist():
            entry.flag_bits |= flags
    return buffer.getvalue()


def why(path: Path) -> list[WhyNot]:
    return [it.why for it in messages(path) if isinstance(it, NotRead)]


def test_a_zip_file_is_read_like_a_folder(tmp_path: Path) -> None:
    file = tmp_path / "takeout.zip"
    file.write_bytes(
        zipped(
            {
                "Takeout/Mail/All.mbox": BOX,
                "b.eml": TWO,
                "b.mbox.gz": gzip.compress(BOX),
                "photo.jpg": b"\xff\xd8",
                "Inbox": BOX,
                "notes": b"no mail",
            }
        )
    )
    assert list(messages(file)) == [
        Mail(f"{file}/Inbox:1", ONE),
        Mail(f"{file}/Inbox:2", TWO),
        Mail(f"{file}/Takeout/Mail/All.mbox:1", ONE),
        Mail(f"{file}/Takeout/Mail/All.mbox:2", TWO),
        Mail(f"{file}/b.eml", TWO),
        Mail(f"{file}/b.mbox.gz:1", ONE),
        Mail(f"{file}/b.mbox.gz:2", TWO),
        NotRead(f"{file}/notes", WhyNot.OTHER_NAME),
        NotRead(f"{file}/photo.jpg", WhyNot.OTHER_NAME),
    ]


@pytest.mark.parametrize(
    ("name", "content"), [("a.eml.gz", ONE), ("a.GZ", ONE), ("a.mbox.gz", SEPARATOR + ONE)]
)
def test_gz_files_are_read_by_the_name_of_what_is_in_them(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(gzip.compress(content))
    (tmp_path / "access.log.gz").write_bytes(gzip.compress(b"GET /"))
    assert [it.raw for it in messages(tmp_path) if isinstance(it, Mail)] == [ONE]
    assert why(tmp_path) == [WhyNot.OTHER_NAME]


def test_no_text_of_a_packed_mail_becomes_another_mail(tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_bytes(zipped({"x.eml": BOX}))
    (tmp_path / "b.eml.gz").write_bytes(gzip.compress(BOX))
    assert len(list(messages(tmp_path))) == 2


@pytest.mark.parametrize("layers", [("zip", "zip"), ("gz", "zip"), ("gz", "gz"), ("zip", "gz", "gz")])
def test_archives_in_archives_are_named_as_not_read(tmp_path: Path, layers: tuple[str, ...]) -> None:
    content, name = ONE, "x.eml"
    for layer in reversed(layers):
        name += f".{layer}"
        content = gzip.compress(content) if layer == "gz" else zipped({name.rpartition(".")[0]: content})
    (tmp_path / name).write_bytes(content)
    assert why(tmp_path) == [WhyNot.NESTED]


def test_an_encrypted_or_damaged_archive_says_so_after_what_could_be_read(tmp_path: Path) -> None:
    (tmp_path / "encrypted.zip").write_bytes(zipped({"x.eml": ONE, "photo.jpg": b""}, ENCRYPTED))
    (tmp_path / "half.zip").write_bytes(zipped({"x.eml": ONE})[:60])
    many = BOX.replace(b"second", random.Random(1).randbytes(200_000).replace(b"\n", b""))
    (tmp_path / "half.mbox.gz").write_bytes(gzip.compress(many)[:150_000])
    assert why(tmp_path / "encrypted.zip") == [WhyNot.OTHER_NAME, WhyNot.ENCRYPTED]
    assert why(tmp_path / "half.zip") == [WhyNot.DAMAGED]
    half = tmp_path / "half.mbox.gz"
    assert list(messages(half)) == [Mail(f"{half}:1", ONE), NotRead(str(half), WhyNot.DAMAGED)]


@pytest.mark.parametrize("name", ["x.mbox.gz", "x.zip"])
def test_an_archive_that_unpacks_to_far_more_than_mail_is_left_in_bounded_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr(mbox, "MAIL_LIMIT", 100_000)
    monkeypatch.setattr(packed, "MAIL_LIMIT", 100_000)
    bomb = BOX + b"\0" * 50_000_000
    packed_bomb = gzip.compress(bomb) if name.endswith(".gz") else zipped({"a.mbox": bomb, "b.mbox": BOX})
    (tmp_path / name).write_bytes(packed_bomb)
    del bomb, packed_bomb
    tracemalloc.start()
    found = list(messages(tmp_path))
    highest = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert found[-1] == NotRead(str(tmp_path / name), WhyNot.TOO_LARGE)
    assert len(found) == 2
    assert highest < 10_000_000


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_a_mail_saved_as_utf_16_is_read(tmp_path: Path, encoding: str) -> None:
    mark = {"utf-16-le": b"\xff\xfe", "utf-16-be": b"\xfe\xff"}.get(encoding, b"")
    (tmp_path / "x.eml").write_bytes(mark + sample(NOTICE).decode().encode(encoding))
    (tmp_path / "x.mbox").write_bytes(mark + BOX.decode().encode(encoding))
    (notice, *others) = messages(tmp_path)
    assert isinstance(notice, Mail)
    assert judge(notice.raw) == judge(sample(NOTICE))
    assert [it.raw for it in others if isinstance(it, Mail)] == [ONE, TWO]


def test_of_a_long_file_in_utf_16_it_is_said_that_the_rest_is_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mbox, "MAIL_LIMIT", 2 * len(BOX))
    (tmp_path / "x.mbox").write_bytes((BOX + BOX).decode().encode("utf-16"))
    assert why(tmp_path) == [WhyNot.TOO_LONG]
    assert len(list(messages(tmp_path))) == 3


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("ls", b"\x7fELF" + bytes(5000), WhyNot.NOT_MAIL),
        ("x.eml", "From: a@example.com".encode("utf-16-le"), WhyNot.NOT_MAIL),
        ("x.mbox", b"some notes", WhyNot.NOT_MAIL),
        ("x.pst", b"!BDN" + bytes(100), WhyNot.OUTLOOK_DATA),
        ("backup", b"!BDN" + bytes(100), WhyNot.OUTLOOK_DATA),
        ("x.msg", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(3000), WhyNot.OUTLOOK_ITEM),
        (
            "x.tar.gz",
            gzip.compress(b"x.eml".ljust(257, b"\0") + b"ustar" + ONE, mtime=0),
            WhyNot.OTHER_ARCHIVE,
        ),
        ("x.7z", b"7z\xbc\xaf\x27\x1c", WhyNot.OTHER_ARCHIVE),
    ],
)
def test_what_is_no_mail_is_named_with_the_reason(
    tmp_path: Path, name: str, content: bytes, reason: WhyNot
) -> None:
    (tmp_path / name).write_bytes(content)
    assert list(messages(tmp_path / name)) == [NotRead(str(tmp_path / name), reason)]


def test_a_mail_that_outlook_saved_is_judged_as_it_was_delivered(tmp_path: Path) -> None:
    raw = sample(NOTICE)
    mail = email.message_from_bytes(raw, policy=email.policy.default)
    headers = raw.replace(b"\r\n", b"\n").partition(b"\n\n")[0].decode().replace("\n", "\r\n")
    part = mail.get_body()
    assert part is not None
    whole = msg(f"Microsoft Mail Internet Headers Version 2.0\r\n{headers}\r\n\r\n--part", part.get_content())
    (tmp_path / "x.msg").write_bytes(whole)
    (tmp_path / "x.zip").write_bytes(zipped({"inner/x.msg": whole}))
    for found in messages(tmp_path):
        assert isinstance(found, Mail)
        verdict = judge(found.raw)
        assert isinstance(verdict, OptOut)
        assert verdict.address == EXPECTED[NOTICE]["address"]


def test_mails_attached_to_a_mail_that_outlook_saved_are_in_it(tmp_path: Path) -> None:
    apart: Tree = {"__substg1.0_3701000D": mail_properties("Subject: inner\r\n", "", b"<p>attached</p>")}
    whole: Tree = {"__substg1.0_37010102": TWO, "__substg1.0_370E001F": "message/rfc822".encode("utf-16-le")}
    for name, attached in (("a", apart), ("b", whole)):
        (tmp_path / f"{name}.msg").write_bytes(msg("From: a@example.com\r\n", "see below", attached=attached))
    first, second = (
        email.message_from_bytes(it.raw, policy=email.policy.default)
        for it in messages(tmp_path)
        if isinstance(it, Mail)
    )
    assert [str(part["subject"]) for part in first.iter_attachments()] == ["None"]
    assert b"Subject: inner" in first.as_bytes()
    assert b"<p>attached</p>" in first.as_bytes()
    assert b"Subject: two" in second.as_bytes()


@pytest.mark.parametrize("content", [msg("", "a draft"), msg("From: a@example.com\r\n")])
def test_an_outlook_file_without_header_lines_or_text_says_how_to_save_the_mail(
    tmp_path: Path, content: bytes
) -> None:
    (tmp_path / "x.msg").write_bytes(content)
    assert why(tmp_path) == [WhyNot.OUTLOOK_ITEM]


def test_damaged_outlook_files_and_archives_never_end_the_scan(tmp_path: Path) -> None:
    chance = random.Random(7)
    box = gzip.compress(BOX)
    file = tmp_path / "file"
    for content in (msg("From: a@example.com\r\n", "text"), zipped({"x.eml": ONE, "y.mbox.gz": box}), box):
        for _ in range(500):
            damaged = bytearray(content)
            for _ in range(chance.randint(1, 20)):
                damaged[chance.randrange(4, len(damaged))] = chance.choice([0, 255, chance.randrange(256)])
            file.write_bytes(damaged)
            assert len(list(messages(file))) < 10


Scan = Callable[..., tuple[int, str, str]]


@pytest.fixture
def scan(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Scan:
    def call(*arguments: str | Path) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["buyerblock", "scan", *map(str, arguments)])
        code = run(commands)
        said = capfd.readouterr()
        return code, said.out, said.err

    return call


def test_scan_exits_with_2_and_says_why_when_a_file_is_not_read(scan: Scan, tmp_path: Path) -> None:
    (tmp_path / "mail.pst").write_bytes(b"!BDN")
    (tmp_path / "x.eml").write_bytes(ONE)
    code, out, err = scan(tmp_path)
    assert code == 2
    assert out == "1 mails: 0 opt-outs, 0 to review, 1 unrelated; files not read: 1\n"
    assert err == f"not read {tmp_path / 'mail.pst'}: {WhyNot.OUTLOOK_DATA.value}\n"


def test_scan_counts_other_files_of_a_folder_by_their_suffixes(scan: Scan, tmp_path: Path) -> None:
    for name in ("a.jpg", "b.jpg", "c.txt"):
        (tmp_path / name).write_bytes(b"nothing")
    (tmp_path / "x.eml").write_bytes(ONE)
    code, out, err = scan(tmp_path)
    assert (code, out) == (0, "1 mails: 0 opt-outs, 0 to review, 1 unrelated; files not read: 3\n")
    assert "2 .jpg, 1 .txt" in err
    (tmp_path / "x.eml").unlink()
    assert scan(tmp_path)[0] == 2  # nothing was read at all
    (tmp_path / "c.txt").write_bytes(ONE)
    assert scan(tmp_path / "c.txt")[0] == 0


def test_scan_as_json_has_a_line_with_the_reason_for_each_file_that_is_not_read(
    scan: Scan, tmp_path: Path
) -> None:
    (tmp_path / "x.txt").write_bytes(ONE)
    (tmp_path / "mail.pst").write_bytes(b"!BDN")
    code, out, err = scan("--json", tmp_path)
    lines = [json.loads(line) for line in out.splitlines()]
    assert (code, err) == (2, "")
    assert [(line["verdict"], line["reason"]) for line in lines] == [
        ("not_read", WhyNot.OUTLOOK_DATA.value),
        ("not_read", WhyNot.OTHER_NAME.value),
    ]


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("--trust", "notanaddress"),
        ("--trust", "a@example.com,b@example.com"),
        ("--trust", ""),
        ("--trust-redirector", "nothing"),
        ("--trust-redirector", "a@b@example.com"),
        ("--authserv-id", "two words"),
        ("--authserv-id", "seller@example.com"),
        ("--authserv-id", ""),
    ],
)
def test_scan_refuses_whom_nobody_can_be_called(scan: Scan, tmp_path: Path, option: str, value: str) -> None:
    (tmp_path / "x.eml").write_bytes(ONE)
    code, out, err = scan(option, value, tmp_path)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert f"{option}': {value!r} is " in err


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("--trust", " Seller@Example.com "),
        ("--trust-redirector", "Example.com"),
        ("--trust-redirector", "group@example.com"),
        ("--authserv-id", "outlook.com"),
        ("--authserv-id", "mx1"),
    ],
)
def test_scan_takes_whoever_may_be_meant(scan: Scan, tmp_path: Path, option: str, value: str) -> None:
    (tmp_path / "x.eml").write_bytes(ONE)
    assert scan(option, value, tmp_path)[0] == 0
