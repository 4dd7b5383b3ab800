"""Hostile mail costs time in proportion to its size, and never the process."""

import subprocess
import sys
import time
from collections.abc import Callable

import pytest
from building import SENTENCES, Mail, notice

from worker.notices.judge import judge
from worker.notices.model import OptOut

BASE = notice(rows=2)
RESULTS = "Authentication-Results: mx.google.com; "
RESULT = b"Authentication-Results: x%d; dmarc=pass header.from=amazon.it\n".__mod__
NEWS = "Your message for 111-1234508-7654301"


def html(source: str) -> bytes:
    return BASE.but(html=source).render()


def text(source: str) -> bytes:
    return BASE.but(html="", text=source).render()


def mixed(body: bytes) -> bytes:
    return BASE.but(body=body, content_type="multipart/mixed; boundary=b").render()


def passed_on(kind: bytes, body: bytes) -> bytes:
    """A mail of somebody else's, which is read to its end where it is the owner's."""
    base = BASE.but(from_="a@shop.example", type=None, header_from="shop.example")
    return base.but(
        body=b"--b\nContent-Type: %b\n\n%b\n--b--\n" % (kind, body),
        content_type="multipart/mixed; boundary=b",
    ).render()


def attached(mail: bytes) -> bytes:
    return passed_on(b"message/rfc822", mail + b"\n\nx\n")


def checked_by(results: str) -> bytes:
    return BASE.but(results=None, above=(RESULTS + results,)).render()


def nested(depth: int) -> bytes:
    levels = b"".join(
        b"--b%d\nContent-Type: multipart/mixed; boundary=b%d\n\n" % (n, n + 1) for n in range(depth)
    )
    return BASE.but(
        body=levels + b"--b%d\n\nhello\n" % depth, content_type="multipart/mixed; boundary=b0"
    ).render()


ATTACKS: dict[str, Callable[[int], bytes]] = {
    "unclosed elements": lambda n: html("<div>" * n * 200),
    "elements that are reopened": lambda n: html("<p><font>" * n * 100),
    "attributes": lambda n: html("<div " + " ".join(f"a{i}" for i in range(n * 100)) + ">x"),
    "huge attribute": lambda n: html('<div a="' + "x" * n * 1000 + '">'),
    "quotes that never close": lambda n: html("<a " + "='" * n * 300),
    "tags that never close": lambda n: html("<a" * n * 500),
    "style sheets": lambda n: html("<style>a</style>" * n * 200),
    "long style sheets that never close": lambda n: html("x" * 1024 * 1024 + "<style" * n * 200),
    "style that never closes": lambda n: html("<style" * n * 200),
    "comments that never close": lambda n: html("<!--" * n * 200),
    "entities": lambda n: html("&amp&#" * n * 200),
    "tables in tables": lambda n: html("<table><tr><td>" * n * 100),
    "text in tables": lambda n: html("<table>" + "x<p>" * n * 200),
    "blocks": lambda n: html("<p>\n " * n * 300),
    "links": lambda n: html('<a href="mailto:abcdefgh@marketplace.amazon.it">' * n * 30),
    "addressees": lambda n: html('<a href="mailto:' + "a," * n * 300 + '">'),
    "letters that grow": lambda n: html("<style>\u0130</style>" * n * 50),
    "header lines": lambda n: text("From: a@b.it\n" * n * 100),
    "header lines without values": lambda n: text("From:\n\n" * n * 100),
    "header lines without colons": lambda n: text("From x\nTo\n" * n * 100),
    "header lines run together": lambda n: text(("----- ab ----- From: " + "To: An " * 50 + "\n") * n),
    "lines that introduce": lambda n: text(("(1<" * 90 + ":\n") * n * 3),
    "lines above a forward": lambda n: text(
        "1:2 a@b " * n * 100 + "\nFrom: A <a@amazon.it>\nDate: x\nSubject: y"
    ),
    "letters": lambda n: text("a" * n * 1000),
    "almost addresses": lambda n: text("abcdefgh+" * n * 100 + "abcdefgh@" * n * 100),
    "almost orders": lambda n: text("123-1234567-" * n * 100),
    "sentences": lambda n: text(SENTENCES["it"] * n * 5),
    "years": lambda n: text((SENTENCES["it"] + " 2026 ") * n * 5),
    "combining marks": lambda n: text("a" + "\u0315\u0300" * n * 300),
    "letters that are sentences": lambda n: text("\ufdfa" * n * 300),
    "dashes": lambda n: text(("-- a" * 60 + "\n") * n * 4),
    "zeros": lambda n: text("\0" * n * 1000),
    "nested multiparts": nested,
    "boundaries": lambda n: mixed(b"--b\n" * n * 300),
    "almost boundaries": lambda n: mixed(b"--bx\n" * n * 300),
    "parts": lambda n: mixed(b"--b\nContent-Type: text/html\n\n<div>\n" * n * 30),
    "parts with long headers": lambda n: mixed((b"--b\n" + b"a:\n" * 500 + b"\n") * n),
    "attached mails": lambda n: mixed(
        b"--b\nContent-Type: message/rfc822\n\nFrom: a@amazon.it\n\nx\n" * n * 20
    ),
    "results of an attached mail": lambda n: attached(
        b"From: a@amazon.it\n" + b"Received: by a.b\n" * n * 100 + b"".join(map(RESULT, range(n * 20)))
    ),
    "results that say nothing": lambda n: attached(
        b"From: a@amazon.it\n" + b"Authentication-Results: x; dkim=none\n" * n * 50
    ),
    "mails in attached mails": lambda n: attached(b"Subject: x\nContent-Type: message/rfc822\n\n" * n * 50),
    "mails of strangers attached": lambda n: attached(b"From: a@b.example\n\n" + b"x <div>" * n * 300),
    "almost news": lambda n: BASE.but(type=None, html=NEWS + " not deliver" * n * 100).render(),
    "almost addresses in header lines": lambda n: passed_on(
        b"text/plain", b"From: " + b"<a@b>" * n * 100 + b"\nDate: x\nSubject: y\n"
    ),
    "headers": lambda n: b"a: b\r\n" * n * 300 + BASE.render(),
    "folded lines": lambda n: b"Subject: x\r\n" + b" y\r\n" * n * 300 + b"\r\n",
    "encoded words": lambda n: BASE.but(subject="=?utf-8?q?a?= " * n * 50).render(),
    "encoded words that never close": lambda n: BASE.but(subject="=?a?q?" * n * 200).render(),
    "backslashes in the sender": lambda n: BASE.but(from_='"' + "\\" * n * 200).render(),
    "comments in the results": lambda n: checked_by("(" * n * 200),
    "quotes in the results": lambda n: checked_by("dmarc=pass " + '"\\' * n * 200),
    "many results": lambda n: checked_by("dmarc=pass header.from=amazon.com;" * n * 10),
    "parameters": lambda n: BASE.but(body=b"x", content_type="multipart/mixed;" + " a=b;" * n * 100).render(),
    "soiled base64": lambda n: (
        BASE.but(encoding="base64", html="x" * n * 1000).render().replace(b"eHh4", b"!!!!")
    ),
    "soft breaks": lambda n: BASE.but(html="=\n" * n * 500).render(),
}


def seconds(raw: bytes) -> float:
    start = time.process_time()
    judge(raw)
    judge(raw, from_owner=True)
    return time.process_time() - start


@pytest.mark.parametrize("name", ATTACKS)
def test_ten_times_the_mail_takes_at_most_some_ten_times_the_time(name: str) -> None:
    small, large = ATTACKS[name](10), ATTACKS[name](100)
    # A quadratic step would make it a hundred times; the constant covers what is bounded anyway.
    assert seconds(large) < 30 * seconds(small) + 0.5


def test_twenty_megabytes_of_html_are_judged_in_a_second_or_two() -> None:
    mail = notice(type=None)
    huge = mail.but(html=mail.html + "<p>ciao</p>" * 1_900_000).render()
    assert len(huge) > 20_000_000
    start = time.process_time()
    assert isinstance(judge(huge), OptOut)
    assert time.process_time() - start < 2


@pytest.mark.parametrize("encoding", ["quoted-printable", "base64", "8bit"])
@pytest.mark.parametrize("megabytes", [0.5, 1.5, 6])
def test_style_sheets_of_any_length_do_not_hide_a_notice(megabytes: float, encoding: str) -> None:
    mail = notice(type=None, encoding=encoding)
    sheet = "<STYLE>" + ".a{color:red}\n" * int(megabytes * 70_000) + "</Style>"
    verdict = judge(mail.but(html=mail.html.replace("<body", sheet + "<body")).render())
    assert isinstance(verdict, OptOut)
    assert verdict.address == "k4q8z1x7c3v9b2n@marketplace.amazon.it"


def test_many_style_sheets_and_comments_of_a_megabyte_together_do_not_hide_a_notice() -> None:
    mail = notice(type=None)
    sheets = ("<style>" + ".a{color:red}\n" * 400 + "</style><!-- " + "x " * 2_500 + "-->") * 250
    assert isinstance(judge(mail.but(html=mail.html.replace("<body", sheets + "<body")).render()), OptOut)
    comment = f"<!-- {'x ' * 200_000}-->"
    assert isinstance(judge(mail.but(html=mail.html.replace("<body", comment + "<body")).render()), OptOut)


def test_text_right_behind_a_style_sheet_of_any_length_is_own_text() -> None:
    said = SENTENCES["en"].format(order="111-1234508-7654301")
    sheet = "<style>" + ".a{color:red}\n" * 4_000 + "</style>"
    mail = notice("en", type=None).but(html=f"{sheet}Dear Seller, {said}")
    assert isinstance(judge(mail.render()), OptOut)


def test_overlong_tags_lose_their_attributes_only() -> None:
    mail = notice(type=None)
    tag = f'<p class="{"x " * 2000}">ciao</p>' * 10
    assert isinstance(
        judge(mail.but(html=mail.html.replace("</table></td>", tag + "</table></td>")).render()), OptOut
    )


def test_a_hundred_thousand_open_elements_do_not_end_the_process() -> None:
    program = (
        "from worker.notices.page import read_html\n"
        "for tag in ('<div>', '<b>', '<blockquote>', '<table><tr><td>', '<div hidden>', '<svg>', '<p><font>'):\n"
        "    read_html(tag * 100_000, quoted=False)\n"
        "print('alive')"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.stdout.strip() == "alive", done.stderr


def test_a_mail_of_strangers_is_not_read_without_cause() -> None:
    mail = Mail(from_="a@shop.example", type=None, header_from="shop.example", html="<div>" * 40_000)
    assert seconds(mail.render()) < 1
