"""The list on the page: what a link keeps, downloads of what is filtered, dates, order, and unblocking many."""

import re
from datetime import UTC, datetime, timedelta
from html import unescape

import pytest
from browsing import csrf_token, post
from flask.testing import FlaskClient
from people import OWNER

from oauth_web.services import Services
from worker.block_list.model import Sighting

DAY = datetime(2026, 3, 10, 12, tzinfo=UTC)


def alias(n: int) -> str:
    """Return the address of an invented buyer."""
    return f"buyer{n:05d}@marketplace.amazon.it"


@pytest.fixture
def filled(owner: FlaskClient, services: Services) -> FlaskClient:
    """Return the browser of an owner with a buyer for each of three days."""
    services.app.block_list.record(
        [
            Sighting(
                account=OWNER, message_id=f"{n}@x", received_at=DAY + timedelta(days=n), address=alias(n)
            )
            for n in range(3)
        ]
    )
    return owner


def press_undo(browser: FlaskClient, page: str) -> None:
    """Press the button of a note."""
    found = re.search(r'action="(/blocks/undo-unblock[^"]*)".*?name="(\w+)" value="(\d+)"', page, re.DOTALL)
    assert found is not None
    post(browser, found[1], **{found[2]: found[3]})


def test_dates_narrow_the_list_to_the_days_between_both_included(filled: FlaskClient) -> None:
    page = filled.get("/blocks?from=2026-03-11&to=2026-03-11").text
    assert [alias(n) in page for n in range(3)] == [False, True, False]
    assert 'value="2026-03-11"' in page
    assert alias(0) in filled.get("/blocks?from=never&to=").text


def test_a_download_holds_what_is_filtered_and_csv_comes_first(filled: FlaskClient) -> None:
    page = filled.get("/blocks?from=2026-03-12&sort=key&page=1").text
    links = [unescape(it) for it in re.findall(r'href="([^"]+)" download', page)]
    assert links[0] == "/export?format=csv&from=2026-03-12"
    for link in links:
        assert alias(0).encode() not in filled.get(link).data
    assert alias(2) in filled.get(links[0]).text


def test_a_search_for_a_whole_address_downloads_what_it_found(filled: FlaskClient) -> None:
    asked = {"q": alias(1).replace("@", "+0a1b2c3d-0000-4000-8000-000000000000@"), "format": "csv"}
    assert alias(1) in filled.get("/blocks", query_string=asked).text
    assert filled.get("/export", query_string=asked).text.count("buyer0") == 1


def test_the_list_and_its_downloads_can_be_narrowed_to_buyers_seen_lately(filled: FlaskClient) -> None:
    page = filled.get("/blocks?since=2026-03-12").text
    assert [alias(n) in page for n in range(3)] == [False, False, True]
    (link,) = re.findall(r'href="([^"]+)" download>CSV for Excel on Windows', page)
    content = filled.get(unescape(link)).data
    assert content.startswith(b"\xef\xbb\xbf")
    assert [alias(n).encode() in content for n in range(3)] == [False, False, True]


def test_the_way_back_to_the_list_keeps_search_filters_and_page(filled: FlaskClient) -> None:
    page = filled.get(
        "/blocks?q=buyer&from=2026-03-11&sort=key&order=up&page=1&next=//elsewhere.example"
    ).text
    link = unescape(re.search(r'href="(/block\?[^"]+)"', page)[1])  # type: ignore[index]
    detail = unescape(filled.get(link).text)
    assert 'href="/blocks?q=buyer&from=2026-03-11&sort=key&order=up&page=1"' in detail
    assert "elsewhere" not in detail


def test_a_header_sorts_and_says_in_which_order(filled: FlaskClient) -> None:
    page = unescape(filled.get("/blocks?sort=key").text)
    assert len(re.findall(r'aria-sort="descending"', page)) == 1
    assert "/blocks?sort=key&order=up&page=1" in page
    shown = re.findall(
        r'form="ticked" value="(buyer\d+@[^"]+)"', filled.get("/blocks?sort=key&order=up").text
    )
    assert shown == [alias(n) for n in range(3)]


def test_ticked_buyers_are_unblocked_at_once_and_one_press_blocks_them_again(
    filled: FlaskClient, services: Services
) -> None:
    ticked = {"csrf_token": csrf_token(filled), "key": [alias(0), alias(2)]}
    assert filled.post("/blocks/unblock?q=buyer", data=ticked).location == "/blocks?q=buyer"
    assert [it.blocked for it in services.app.block_list.check(map(alias, range(3)))] == [False, True, False]
    note = filled.get("/blocks").text
    assert "2 buyers are unblocked" in note
    press_undo(filled, note)
    assert "2 buyers are blocked again" in filled.get("/blocks").text
    assert all(it.blocked for it in services.app.block_list.check(map(alias, range(3))))
    assert post(filled, "/blocks/undo-unblock", unblocking="1").status_code == 400, "that was no unblocking"


def test_all_that_a_search_finds_is_unblocked_on_all_pages_and_comes_back_by_one_press(
    filled: FlaskClient, services: Services
) -> None:
    block_list = services.app.block_list
    block_list.block([alias(n) for n in range(100, 160)], note="kept", by="test")
    before = list(block_list.blocks())
    page = filled.get("/blocks?q=buyer001").text
    assert 'name="found" value="60"' in page
    assert 'name="found"' not in filled.get("/blocks?q=buyer00100").text, "all of it is on one page"
    post(filled, "/blocks/unblock?q=buyer001", found="60")
    assert len(block_list) == 3
    press_undo(filled, filled.get("/blocks").text)
    assert list(block_list.blocks()) == before


def test_what_nobody_has_seen_is_not_unblocked(filled: FlaskClient, services: Services) -> None:
    answer = post(filled, "/blocks/unblock", found="2")
    assert answer.status_code == 400
    assert "nobody was unblocked" in answer.text
    assert len(services.app.block_list) == 3


def test_nobody_ticked_is_said(filled: FlaskClient) -> None:
    assert post(filled, "/blocks/unblock").status_code == 400


def test_a_row_opens_the_newest_notice_in_gmail(filled: FlaskClient) -> None:
    assert "mail.google.com" in filled.get("/blocks").text


def test_a_note_is_edited_in_its_row_and_one_press_brings_the_former_one_back(
    filled: FlaskClient, services: Services
) -> None:
    def note() -> str:
        found = services.app.block_list.get(alias(1))
        assert found is not None
        return found.note

    post(filled, "/blocks/note", key=alias(1), note="first")
    answer = post(filled, "/blocks/note?q=buyer", key=alias(1), note="second")
    assert (answer.location, note()) == ("/blocks?q=buyer", "second")
    filled.get("/blocks")  # takes the note with its button to undo
    assert 'action="/blocks/note' not in filled.get("/blocks").text
    edited = filled.get(f"/blocks?q=buyer&edit={alias(1)}").text
    assert 'action="/blocks/note?q=buyer"' in edited
    assert 'name="note" value="second"' in edited
    assert post(filled, "/blocks/note", key=alias(9), note="x").status_code == 400
    assert post(filled, "/blocks/note", key=alias(1), note="x" * 1001).status_code == 400
