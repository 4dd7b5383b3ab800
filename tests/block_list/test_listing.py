"""What pages and programs read of the list is what the list holds, in the order asked for."""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import product
from typing import get_args

import pytest
from making import SELLER, START, Now, alias, notice, order

from worker.block_list import listing as listing_module
from worker.block_list.block_list import BlockList
from worker.block_list.listing import EVERYTHING, Cursor, Query, Sort, query_of
from worker.block_list.model import Block, Sighting
from worker.errors import UsageError

OTHER = "other@gmail.example"
FIELDS: dict[Sort, Callable[[Block], object]] = {
    "first_seen": lambda block: block.first_seen,
    "last_seen": lambda block: block.last_seen,
    "key": lambda block: block.key,
    "notices": lambda block: block.notices,
}
QUERIES = [
    EVERYTHING,
    Query(q="BUYER000000000"),
    Query(q="buyer0000000007"),
    Query(q=alias(7)),
    Query(q=order(8)),
    Query(q=order(999)),
    Query(q="by  Phone"),
    Query(q=alias(7), marketplace="amazon.de"),
    Query(marketplace="amazon.de"),
    Query(marketplace="amazon.nl"),
    Query(reason="manual"),
    Query(account=OTHER),
    Query(account="nobody@gmail.example"),
    Query(since=START + timedelta(days=5)),
    Query(first_from=START + timedelta(days=1), account=OTHER),
    Query(first_to=START + timedelta(days=6), marketplace="amazon.it"),
    Query(first_from=START + timedelta(days=2), first_to=START + timedelta(days=5), q="buyer"),
    Query(q="buyer", marketplace="amazon.it", reason="opted_out", account=SELLER, since=START),
]


@pytest.fixture
def filled(block_list: BlockList, now: Now) -> BlockList:
    """A list with buyers of several marketplaces, mailboxes and reasons; many were first seen at the same moment."""
    for number in range(40):
        given = notice(number, buyer=number * 13 % 31, order_of=number, days=number % 8)
        changes = {
            "account": OTHER if number % 5 == 0 else SELLER,
            "marketplace": "amazon.de" if number % 3 == 0 else "amazon.it",
        }
        block_list.record([Sighting(**{name: getattr(given, name) for name in given.__slots__} | changes)])
    now.after(days=9)
    block_list.block([order(500 + number) for number in range(7)], note="by phone", by="test")
    block_list.unblock(alias(3), by="test")
    return block_list


def matches(block: Block, query: Query) -> bool:
    text = "\n".join((block.address or "", *block.orders, block.note)).casefold()
    return (
        query.words in text
        and query.marketplace in (None, block.marketplace)
        and query.reason in (None, block.reason)
        and (query.account is None or query.account in block.accounts)
        and (query.since is None or block.last_seen >= query.since)
        and (query.first_from is None or block.first_seen >= query.first_from)
        and (query.first_to is None or block.first_seen <= query.first_to)
    )


@pytest.mark.parametrize("few", [0, 5000])
def test_pages_hold_every_matching_block_in_order(
    filled: BlockList, few: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing_module, "_FEW", few)  # both ways of finding them
    everything = list(filled.blocks())
    for query, sort, descending in product(QUERIES, get_args(Sort), (False, True)):
        found = [block for block in everything if matches(block, query)]
        assert filled.listing.count(query) == len(found)
        first = filled.listing.page(query, sort=sort, descending=descending, size=7)
        pages = [first] + [
            filled.listing.page(query, sort=sort, descending=descending, number=number, size=7)
            for number in range(2, first.last + 1)
        ]
        shown = [block for page in pages for block in page.items]
        expected = sorted(found, key=lambda it: (FIELDS[sort](it), it.key), reverse=descending)
        assert shown == expected, query
        assert [page.number for page in pages] == [*range(1, first.last + 1)]
        assert {page.total for page in pages} == {len(found)}


MOMENTS = [START + timedelta(days=days, seconds=seconds) for days in range(-1, 10) for seconds in (-1, 0)]
ENDS = [None, datetime.min.replace(tzinfo=UTC), *MOMENTS, datetime.max.replace(tzinfo=UTC)]


def test_between_any_two_moments_there_are_as_many_as_the_list_has(filled: BlockList) -> None:
    blocks = list(filled.blocks())
    some = (EVERYTHING, Query(marketplace="amazon.de"), Query(account=OTHER, q="buyer"))
    for query, first, last in product(some, ENDS, ENDS):
        between = replace(query, first_from=first, first_to=last)
        assert filled.listing.count(between) == sum(matches(block, between) for block in blocks), between


@pytest.mark.parametrize("few", [0, 5000])
def test_a_walk_meets_every_matching_block_once(
    filled: BlockList, few: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing_module, "_FEW", few)
    for query in QUERIES:
        walked: list[str] = []
        cursor: Cursor | None = None
        while some := filled.listing.after(query, cursor, limit=3):
            walked += [it["address"] or it["orders"][0] for it in some]
            cursor = some[-1]["first_seen"], walked[-1]
        assert walked == [block.key for block in filled.blocks() if matches(block, query)], query


def test_numbers_beyond_the_last_page_and_before_the_first_mean_those(filled: BlockList) -> None:
    last = filled.listing.page(EVERYTHING, number=10**9, size=10)
    assert (last.number, last.last) == (4, 4)
    assert filled.listing.page(EVERYTHING, number=-1, size=10).number == 1


def test_what_did_not_arrive_is_every_notice_about_a_buyer_who_is_blocked(filled: BlockList) -> None:
    expected = sorted(
        (
            (evidence.received_at, f"{block.key} {evidence.account} {evidence.message_id}")
            for each in filled.blocks()
            if (block := filled.get(each.key))
            for evidence in block.evidence
        ),
        reverse=True,
    )
    listing = filled.listing
    pages = [listing.undelivered(number=number, size=7) for number in range(1, 7)]
    for found in ([it for page in pages for it in page.items], list(listing.all_undelivered())):
        assert [
            (it.evidence.received_at, f"{it.block.key} {it.evidence.account} {it.evidence.message_id}")
            for it in found
        ] == expected
    assert len(expected) < 40, "that of the unblocked buyer is not among them"


def test_weeks_begin_on_monday_and_count_buyers_who_opted_out(filled: BlockList) -> None:
    expected = Counter(
        (block.first_seen.date() - timedelta(days=block.first_seen.weekday()), block.marketplace)
        for block in filled.blocks()
        if block.reason == "opted_out"
    )
    assert {week for week, _ in expected} == {date(2026, 9, 7), date(2026, 9, 14)}
    assert filled.listing.opt_outs_by_week(date(2026, 9, 7)) == expected
    last = {key: number for key, number in expected.items() if key[0] == date(2026, 9, 14)}
    assert filled.listing.opt_outs_by_week(date(2026, 9, 14)) == last


def test_an_account_has_notices_when_one_blocked_somebody(filled: BlockList) -> None:
    assert filled.listing.has_notices(OTHER)
    assert not filled.listing.has_notices("nobody@gmail.example")


def test_an_export_holds_exactly_what_the_list_shows(filled: BlockList) -> None:
    for query in QUERIES:
        shown = {it.key for it in filled.listing.page(query, size=100).items}
        assert {it.key for it in filled.blocks(query)} == shown, query


def test_filters_are_read_by_name_and_those_that_cannot_be_are_refused() -> None:
    named = {
        "account": " Shop@Gmail.example ",
        "marketplace": "",
        "reason": None,
        "since": "2026-09-10",
        "q": " by ",
    }
    assert query_of(named) == Query(
        account="shop@gmail.example", since=datetime(2026, 9, 10, tzinfo=UTC), q="by"
    )
    assert query_of({}) == EVERYTHING
    with pytest.raises(UsageError, match="'soon' is no time"):
        query_of({"since": "soon"})
    with pytest.raises(UsageError, match="no reason 'fun'; choose one of opted_out, manual, imported"):
        query_of({"reason": "fun"})
