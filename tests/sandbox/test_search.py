"""Gmail's search language, a row for each thing known of it."""

from datetime import UTC, datetime

import pytest
from google_client import SELLER, mail

from oauth_web.demo.sandbox.mail import parse, text
from oauth_web.demo.sandbox.search import QueryError, compile_query
from oauth_web.demo.sandbox.stored import index

RECEIVED = 1_790_000_000  # 2026-09-21 14:13:20 UTC
NOW = RECEIVED + 3 * 86_400.0
LABELS = frozenset({"inbox", "unread", "amazon-opt-outs-queue"})

NOTICE = mail(
    "Il tuo messaggio all'acquirente non =?utf-8?q?=C3=A8?= stato consegnato",
    "perché l\u2019acquirente ha scelto di non ricevere messaggi. Order [406-1234508-7654301]. 購入者へのメッセージ",
    sender='"Amazon.it" <auto-communication@amazon.com>',
    to=f"{SELLER}, Shop <shop+optouts-x1@example.com>",
    Cc="Carla <carla@example.net>",
    Message_ID="<One.Two@eu-west-1.amazonses.com>",
    Delivered_To="shop+optouts-x1@example.com",
    List_Id="Sellers <sellers.example.org>",
)

MATCHING = [
    "acquirente",
    "ACQUIRENTE Consegnato",
    '"ha scelto di non ricevere"',
    '"ha scelto, di non-ricevere"',
    "subject:acquirente",
    'subject:"non è stato consegnato"',
    "subject:(messaggio acquirente)",
    "subject:(nothing OR acquirente)",
    "from:amazon",
    "from:amazon.it",
    "from:amazon.com",
    "from:auto-communication@amazon.com",
    "from:(amazon.de OR amazon.com)",
    "from:{amazon.de amazon.com}",
    "to:shop+optouts-x1@example.com",
    "to:carla@example.net",
    "cc:carla",
    "deliveredto:shop+optouts-x1@example.com",
    "list:sellers.example.org",
    "rfc822msgid:one.two@eu-west-1.amazonses.com",
    "rfc822msgid:<One.Two@eu-west-1.amazonses.com>",
    "406-1234508-7654301",
    '"406-1234508-7654301"',
    "購入者",
    '"購入者へのメッセージ"',
    "{nothing acquirente}",
    "nothing OR acquirente",
    "acquirente scelto OR nothing",
    "-nothing",
    "-(nothing acquirente)",
    "-{nothing nowhere}",
    "-subject:ricevere",
    "acquirente AND ricevere",
    "in:inbox",
    "is:unread",
    "in:anywhere",
    "-in:spam",
    "label:amazon-opt-outs-queue",
    'label:"Amazon opt-outs/Queue"',
    "label:(work OR inbox)",
    "in:{sent inbox}",
    "after:1789999999",
    "before:1790000001",
    "after:2026/09/21",
    "before:2026/09/22",
    "after:2026-09-20 before:09/22/2026",
    "newer_than:4d",
    "older_than:2d",
    "newer_than:1m",
    "older_than:1d newer_than:1y",
    "smaller:1M",
    "larger:10",
    "-has:attachment",
    "from:amazon.com (subject:acquirente OR subject:buyer) -in:trash",
    "(acquirente",
    "...",
]

SILENT = [
    "acquirent",
    "acquirenti",
    "perche",
    '"scelto ha"',
    "subject:ricevere",
    "subject:(messaggio ricevere)",
    "from:azon.com",
    "from:amazon.com.au",
    "from:carla",
    "to:shop@example.com",
    "cc:shop",
    "deliveredto:carla",
    "optouts-x2",
    "rfc822msgid:two@eu-west-1.amazonses.com",
    "-acquirente",
    "acquirente -scelto",
    "nothing OR nowhere acquirente",
    "acquirente nothing OR nowhere",
    "{nothing nowhere}",
    "in:sent",
    "is:read",
    "is:starred",
    "label:amazon-opt-outs",
    "label:nosuch",
    "after:1790000000",
    "before:1790000000",
    "after:2026/09/22",
    "before:2026/09/21",
    "newer_than:2d",
    "older_than:4d",
    "larger:1M",
    "has:attachment",
    "filename:pdf",
    "unknown:acquirente",
    "購入先",
    "eu-west-1.amazonses.com",
]


def found(query: str) -> bool:
    parsed = parse(NOTICE)
    entry = index(parsed, NOTICE, text(parsed), RECEIVED)
    return compile_query(query, NOW).matches(entry, LABELS)


@pytest.mark.parametrize("query", MATCHING)
def test_a_search_finds(query: str) -> None:
    assert found(query)


@pytest.mark.parametrize("query", SILENT)
def test_a_search_does_not_find(query: str) -> None:
    assert not found(query)


@pytest.mark.parametrize(
    "query", ["after:soon", "before:2026/13/45", "older_than:5", "newer_than:3w", "larger:big", "(" * 5000]
)
def test_a_value_that_is_none_is_refused(query: str) -> None:
    with pytest.raises(QueryError):
        compile_query(query, NOW)


@pytest.mark.parametrize(
    ("query", "shows"),
    [("in:spam x", True), ("in:trash", True), ("in:anywhere", True), ("-in:spam", False), ("x", False)],
)
def test_only_a_search_that_asks_for_them_shows_spam_and_trash(query: str, shows: bool) -> None:
    assert compile_query(query, NOW).shows_hidden is shows


def test_a_bare_date_is_midnight_in_california_in_summer_and_in_winter() -> None:
    def at(moment: datetime, query: str) -> bool:
        raw = mail()
        parsed = parse(raw)
        entry = index(parsed, raw, text(parsed), int(moment.timestamp()))
        return compile_query(query, NOW).matches(entry, frozenset())

    assert at(datetime(2026, 7, 1, 7, 0, 1, tzinfo=UTC), "after:2026/07/01")
    assert not at(datetime(2026, 7, 1, 6, 59, 59, tzinfo=UTC), "after:2026/07/01")
    assert not at(datetime(2026, 1, 1, 7, 0, 1, tzinfo=UTC), "after:2026/01/01")
    assert at(datetime(2026, 1, 1, 8, 0, 1, tzinfo=UTC), "after:2026/01/01")


def test_of_html_the_text_is_searched_and_neither_tags_nor_links() -> None:
    raw = (
        b"From: a@example.org\r\nContent-Type: text/html; charset=utf-8\r\n"
        b"Content-Transfer-Encoding: quoted-printable\r\n\r\n"
        b"<style>.secret{}</style><div style=3D'display:none'>hid=\r\nden</div>"
        b"<p>visi<b>ble</b> caf=C3=A9</p><a href=3D'mailto:alias@example.org'>write</a>"
    )
    words = index(parse(raw), raw, text(parse(raw)), RECEIVED).fields[""]
    assert " hidden " in words
    assert " café " in words
    assert "alias" not in words
    assert "secret" not in words
