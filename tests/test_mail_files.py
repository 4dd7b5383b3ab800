"""Mails come out of files as they went in, in bounded memory."""

import mailbox
import tracemalloc
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path

import pytest

from worker.errors import UsageError
from worker.mail_files import mbox as mail_files
from worker.mail_files.model import Mail
from worker.mail_files.reading import messages as contents
from worker.mail_files.reading import total_size
from worker.notices.judge import judge

ONE = b"From: a@example.com\r\nSubject: one\r\n\r\nfirst\r\n"
TWO = b"From: b@example.com\nSubject: two\n\nsecond\n"
SEPARATOR = b"From 1780123456789012345@xxx Thu Sep 10 00:04:50 +0000 2026\n"


def mbox(*mails: bytes) -> bytes:
    return b"".join(SEPARATOR + mail + b"\n" for mail in mails)


def messages(path: Path) -> Iterator[Mail]:
    """The mails, without what is not read: of that tells tests/test_not_read.py."""
    return (it for it in contents(path) if isinstance(it, Mail))


def test_a_single_mail_is_read_whatever_the_name_of_its_file(tmp_path: Path) -> None:
    file = tmp_path / "notice.txt"
    file.write_bytes(ONE)
    assert list(messages(file)) == [(str(file), ONE)]


def test_a_folder_gives_its_mail_files_in_order_and_passes_over_others(tmp_path: Path) -> None:
    (tmp_path / "b.eml").write_bytes(TWO)
    (tmp_path / "a.EML").write_bytes(ONE)
    (tmp_path / "photo.jpg").write_bytes(b"\xff\xd8")
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "c.eml").write_bytes(ONE)
    found = list(messages(tmp_path))
    assert [source for source, _ in found] == [
        str(tmp_path / name) for name in ("a.EML", "b.eml", "deep/c.eml")
    ]
    assert [raw for _, raw in found] == [ONE, TWO, ONE]
    assert total_size(tmp_path) == 2 * len(ONE) + len(TWO)


def test_the_mails_of_apple_mail_are_read(tmp_path: Path) -> None:
    notice = (Path(__file__).parent / "samples/opt_out/it_specimen_shape.eml").read_bytes()
    end = b'<?xml version="1.0" encoding="UTF-8"?>\n<plist version="1.0"><dict/></plist>\n'
    (tmp_path / "17.emlx").write_bytes(b"%d      \n" % len(notice) + notice + end)
    ((_, raw),) = messages(tmp_path)
    assert judge(raw) == judge(notice)


def test_folders_of_mail_programs_hold_mboxes_without_a_suffix(tmp_path: Path) -> None:
    (tmp_path / "Inbox.mbox").mkdir()
    (tmp_path / "Inbox.mbox" / "mbox").write_bytes(mbox(ONE, TWO))
    (tmp_path / "Inbox.mbox" / "table_of_contents").write_bytes(b"\0\1\2")
    (tmp_path / "Inbox.msf").write_bytes(b"// <!-- <mdb:mork -->")
    assert [raw for _, raw in messages(tmp_path)] == [ONE, TWO]


def test_a_maildir_gives_new_and_current_mail_but_nothing_unfinished(tmp_path: Path) -> None:
    for folder in ("cur", "new", "tmp"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / f"1757462692.M1P1.host,{folder}").write_bytes(ONE)
    names = [Path(source).parent.name for source, _ in messages(tmp_path)]
    assert names == ["cur", "new"]


def test_an_mbox_gives_numbered_mails(tmp_path: Path) -> None:
    file = tmp_path / "All mail Including Spam and Trash.mbox"
    file.write_bytes(mbox(ONE, TWO, ONE))
    assert list(messages(file)) == [(f"{file}:1", ONE), (f"{file}:2", TWO), (f"{file}:3", ONE)]


def test_an_mbox_is_recognised_by_its_beginning_not_by_its_name(tmp_path: Path) -> None:
    file = tmp_path / "INBOX"
    file.write_bytes(mbox(ONE, TWO))
    assert [raw for _, raw in messages(file)] == [ONE, TWO]


def test_an_mbox_may_have_lost_its_beginning(tmp_path: Path) -> None:
    file = tmp_path / "x.mbox"
    for begin in (b"\n\r\n" + SEPARATOR, b"\xef\xbb\xbf" + SEPARATOR, b""):
        file.write_bytes(begin + ONE + b"\n" + SEPARATOR + TWO)
        first, second = (raw for _, raw in messages(file))
        assert (first[-len(ONE) :], second) == (ONE, TWO)


@pytest.mark.parametrize("name", ["x.eml", "x.EMLX", "cur/1757462692.M1P1.host,S"])
def test_no_text_of_a_mail_that_is_a_file_of_its_own_becomes_another_mail(tmp_path: Path, name: str) -> None:
    (tmp_path / "cur").mkdir()
    (tmp_path / name).write_bytes(SEPARATOR + ONE + b"\n" + SEPARATOR + TWO)
    assert len(list(messages(tmp_path))) == 1


def test_protected_from_lines_are_restored(tmp_path: Path) -> None:
    file = tmp_path / "x.mbox"
    file.write_bytes(mbox(b"Subject: x\n\n>From here\n>>From there\n> From afar\n"))
    assert [raw for _, raw in messages(file)] == [b"Subject: x\n\nFrom here\n>From there\n> From afar\n"]


def test_a_sentence_that_begins_with_from_does_not_split_a_mail(tmp_path: Path) -> None:
    file = tmp_path / "x.mbox"
    body = b"Subject: x\n\nFrom now on we ship daily.\n\nFrom 8:00 we are open.\n"
    body += b"From\nFrom you\nFrom 2026 on from 08:00\n"
    file.write_bytes(mbox(body, ONE))
    assert [raw for _, raw in messages(file)] == [body, ONE]


@pytest.mark.parametrize(
    "separator",
    [
        b"From - Thu Sep 10 00:04:50 2026\n",
        b"From MAILER-DAEMON Thu Sep 10 00:04:50 2026\r\n",
        b"From seller@example.com Thu, 10 Sep 2026 00:04:50 +0200 2026\n",
        b"From  Thu Sep 10 00:04 2026\n",
        b"From - Thu, 10 Sep 2026 00:04:50 GMT\n",
        b"From seller@example.com 2026-09-10T00:04:50Z\n",
        b"From -\n",
        b"From \r\n",
    ],
)
def test_separators_of_other_programs_are_known_even_without_a_blank_line(
    tmp_path: Path, separator: bytes
) -> None:
    file = tmp_path / "x.mbox"
    file.write_bytes(separator + TWO + separator + TWO)
    assert [raw for _, raw in messages(file)] == [TWO, TWO]


def test_what_the_standard_library_wrote_comes_back(tmp_path: Path) -> None:
    box = mailbox.mbox(tmp_path / "std.mbox")
    for number in range(5):
        mail = EmailMessage()
        mail["Subject"] = f"mail {number}"
        mail.set_content("Hello\n\nFrom the sea\n")
        box.add(mail)
    box.close()
    found = [raw for _, raw in messages(tmp_path / "std.mbox")]
    assert [f"Subject: mail {number}".encode() in raw for number, raw in enumerate(found)] == [True] * 5
    assert all(b"\nFrom the sea" in raw for raw in found)


def test_a_gigantic_mail_is_cut_and_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mail_files, "MAIL_LIMIT", 100)
    long = b"Subject: long\n\n" + b"x" * 70 + b"\n" + b"y" * 70 + b"\n"
    file, single = tmp_path / "x.mbox", tmp_path / "x.eml"
    file.write_bytes(mbox(long, TWO))
    single.write_bytes(long)
    assert list(messages(file)) == [(f"{file}:1 (cut)", long[:100]), (f"{file}:2", TWO)]
    assert list(messages(single)) == [(f"{single} (cut)", long[:100])]


def test_memory_does_not_grow_with_the_mbox(tmp_path: Path) -> None:
    mail = b"Subject: x\n\n" + b"word " * 2000 + b"\n"

    def peak(count: int) -> int:
        file = tmp_path / f"{count}.mbox"
        file.write_bytes(mbox(*[mail] * count))
        tracemalloc.start()
        assert sum(1 for _ in messages(file)) == count
        highest = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return highest

    peak(10)
    assert peak(1000) < peak(100) * 1.5


def test_a_line_without_end_is_read_in_pieces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mail_files, "_CHUNK", 64)
    file = tmp_path / "x.mbox"
    body = b"Subject: x\n\n" + b"x" * 64 + SEPARATOR + b"x" * 128 + b">From y\n"
    file.write_bytes(mbox(body, TWO))
    assert [raw for _, raw in messages(file)] == [body, TWO]


def test_a_link_to_an_upper_folder_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "a.eml").write_bytes(ONE)
    try:
        (tmp_path / "loop").symlink_to(tmp_path, target_is_directory=True)
    except OSError:
        pytest.skip("this system lets nobody make links")
    assert len(list(messages(tmp_path))) == 1


@pytest.mark.parametrize("reader", [lambda path: list(messages(path)), total_size])
def test_what_cannot_be_read_is_a_sentence(tmp_path: Path, reader: object) -> None:
    with pytest.raises(
        UsageError, match=r"Cannot read .*missing\.mbox: .+\. Name a mail file or a folder of them\.$"
    ):
        reader(tmp_path / "missing.mbox")  # type: ignore[operator]  # both take a path


def test_an_empty_file_and_an_empty_folder_are_no_errors(tmp_path: Path) -> None:
    (tmp_path / "e.eml").write_bytes(b"")
    assert list(messages(tmp_path)) == [(str(tmp_path / "e.eml"), b"")]
    (tmp_path / "none").mkdir()
    assert list(messages(tmp_path / "none")) == []
    (tmp_path / "none" / "x.mbox").write_bytes(b"")
    assert list(messages(tmp_path / "none")) == []
