"""A message that Gmail does not hand over stops no other one, costs little, and is not given up."""

import base64
from contextlib import suppress
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import orjson
import pytest
from sellers import EMAIL, Seller, sample

from oauth_web.demo.sandbox import Fault
from worker.errors import GmailError, TransientError
from worker.mailbox_pass.unreadable import PATIENCE, count_set_aside
from worker.notices.doubts import Doubt
from worker.notices.judge import judge
from worker.notices.model import Verdict

NOTICE = "opt_out/en_com.eml"
SAMPLES = sorted(Path(__file__).parent.glob("samples/opt_out/*.eml"))[:20]
FAULTS = {
    "500": Fault(status=500),
    "400": Fault(status=400, reason="failedPrecondition", message="Precondition check failed."),
    "403": Fault(status=403, reason="forbidden", message="Forbidden"),
    "cut JSON": Fault(garble="half"),
    "a list": Fault(body=b"[]"),
    "no fields": Fault(body=b"{}"),
    "fields of other kinds": Fault(body=b'{"id": 7, "labelIds": 5, "internalDate": {}, "raw": []}'),
}


@pytest.fixture(autouse=True)
def connected_before(seller: Seller) -> None:
    seller.run_pass()


def set_aside(seller: Seller) -> int:
    return count_set_aside(seller.database, EMAIL)


def receive_others(seller: Seller) -> None:
    for path in SAMPLES:
        seller.receive(f"opt_out/{path.name}")


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_one_message_that_cannot_be_read_keeps_no_other_from_being_judged(
    seller: Seller, fault: Fault
) -> None:
    bad = seller.receive(NOTICE)
    seller.google.world.faults_by_id[bad] = fault
    receive_others(seller)
    report = seller.run_pass()
    assert report.opt_outs == len(SAMPLES)
    assert set_aside(seller) == 1
    assert "Amazon opt-outs/Queue" in seller.labels(bad)


def test_what_was_set_aside_costs_nothing_until_it_is_tried_again_and_waits_longer_each_time(
    seller: Seller,
) -> None:
    bad = seller.receive(NOTICE)
    seller.google.world.faults_by_id[bad] = Fault(status=400)
    receive_others(seller)
    seller.run_pass()
    seller.restart()
    waits = []
    for minutes in (4, 2, 7, 5, 15, 10):
        seller.later(minutes=minutes)
        report = seller.run_pass()
        waits.append(report.units >= 20)
    assert waits == [False, True, False, True, False, True]


def test_a_message_that_is_readable_again_is_judged(seller: Seller) -> None:
    bad = seller.receive(NOTICE)
    seller.google.world.faults_by_id[bad] = Fault(status=500)
    seller.receive("opt_out/it_specimen_shape.eml")
    seller.run_pass()
    del seller.google.world.faults_by_id[bad]
    seller.later(minutes=6)
    assert seller.run_pass().opt_outs == 1
    assert set_aside(seller) == 0


def test_one_that_is_gone_is_forgotten(seller: Seller) -> None:
    bad = seller.receive(NOTICE)
    seller.google.world.faults_by_id[bad] = Fault(status=400)
    seller.receive("opt_out/it_specimen_shape.eml")
    seller.run_pass()
    seller.google.user(EMAIL).delete_message(bad)
    seller.run_pass()
    assert set_aside(seller) == 0


def test_the_only_message_is_set_aside_after_some_passes(seller: Seller) -> None:
    bad = seller.receive(NOTICE)
    seller.google.world.faults_by_id[bad] = Fault(status=500)
    for _ in range(PATIENCE - 1):
        with pytest.raises(TransientError):
            seller.run_pass()
        seller.later(minutes=1)
        assert set_aside(seller) == 0
    seller.run_pass()
    assert set_aside(seller) == 1


def test_where_all_messages_fail_the_pass_ends_and_nothing_is_given_up(seller: Seller) -> None:
    for number in range(30):
        seller.google.deliver(EMAIL, sample(NOTICE).replace(b"Subject:", b"X-%d: x\r\nSubject:" % number, 1))
    seller.google.world.fault = lambda _number, method, _email: (
        Fault(status=503) if method in ("messages.get", "threads.get") else None
    )
    with pytest.raises(GmailError):
        seller.run_pass()
    assert set_aside(seller) == 0
    seller.google.world.fault = None
    seller.later(minutes=1)
    assert seller.run_pass().opt_outs == 30


def test_an_empty_first_page_that_says_there_are_more_is_followed(seller: Seller) -> None:
    seller.receive(NOTICE)
    before_all = base64.urlsafe_b64encode(b"9999999999999:x").decode()
    pages = [orjson.dumps({"messages": [], "nextPageToken": before_all})]

    def fault(_number: int, method: str, _email: str) -> Fault | None:
        return Fault(body=pages.pop()) if method == "messages.list" and pages else None

    seller.google.world.fault = fault
    assert seller.run_pass().opt_outs == 1


def test_a_notice_dated_in_the_future_does_not_outlive_an_unblock(seller: Seller) -> None:
    future = seller.receive(NOTICE)
    seller.google.world.mailboxes[EMAIL].messages[future].received_ms += int(
        timedelta(days=900).total_seconds() * 1000
    )
    seller.run_pass()
    (key,) = seller.blocked()
    seller.later(minutes=1)
    seller.block_list.unblock(key, by="test")
    seller.later(days=1)
    seller.run_pass()
    assert seller.blocked() == set()


def test_a_whole_page_that_is_set_aside_hides_no_older_mail(
    seller: Seller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("worker.mailbox_pass.queue.PAGE", 3)
    find = seller.mailbox.find
    monkeypatch.setattr(seller.mailbox, "find", partial(find, page_size=3))
    older = [seller.receive(f"opt_out/{path.name}") for path in SAMPLES[:4]]
    seller.later(minutes=1)
    bad = [seller.receive(NOTICE) for _ in range(3)]
    for it in bad:
        seller.google.world.faults_by_id[it] = Fault(status=400)
    for _ in range(PATIENCE):
        with suppress(GmailError):
            seller.run_pass()
    assert set_aside(seller) == len(bad)
    assert all("Amazon opt-outs/Queue" not in seller.labels(it) for it in older)


def test_a_mail_over_which_the_judge_stumbles_waits_under_review(
    seller: Seller, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from_buyer = sample(NOTICE)

    def stumble(raw: bytes, **options: Any) -> Verdict:
        if raw == from_buyer:
            raise RecursionError(raw)
        return judge(raw, **options)

    monkeypatch.setattr("worker.mailbox_pass.verdicts.judge", stumble)
    seller.receive(NOTICE)
    seller.receive("opt_out/it_specimen_shape.eml")
    assert seller.run_pass().opt_outs == 1
    assert [it.reason.doubt for it in seller.review.items()] == [Doubt.NOT_READABLE]
    assert "RecursionError" in caplog.text
    assert "@marketplace" not in caplog.text
