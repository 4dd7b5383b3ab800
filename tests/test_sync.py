"""Passes over a mailbox at the stand-in for Google, through Google's own client."""

from collections import Counter
from datetime import datetime, timedelta

import pytest
from sellers import EMAIL, EXPECTED, Seller, sample

from oauth_web.demo.sandbox import Fault
from worker.errors import GmailError, LabelGoneError, StoppedError
from worker.gmail.rules import CreateFilter, CreateLabel
from worker.gmail.wanted import LABELS
from worker.mailbox_pass.progress import Progress
from worker.notices.model import OptOut, Suspect, Unrelated
from worker.owner.accounts import BEGINNING

NOTICE = "opt_out/it_specimen_shape.eml"
BUYER = EXPECTED[NOTICE]["address"]


def test_the_first_pass_makes_three_labels_and_the_filters(seller: Seller) -> None:
    report = seller.run_pass()
    assert {step.name for step in report.steps if isinstance(step, CreateLabel)} == set(LABELS)
    assert any(isinstance(step, CreateFilter) for step in report.steps)
    assert seller.google.labels(EMAIL) >= {label.name for label in LABELS.values()}


def test_the_next_pass_finds_nothing_to_repair_and_costs_one_unit(seller: Seller) -> None:
    seller.receive(NOTICE)
    seller.run_pass()
    before = seller.google.units(EMAIL)
    report = seller.run_pass()
    assert report.steps == ()
    assert seller.google.units(EMAIL) - before == 1 == report.units


def test_a_new_notice_blocks_its_buyer_and_is_filed_out_of_the_inbox(seller: Seller) -> None:
    seller.run_pass()
    notice = seller.receive(NOTICE)
    report = seller.run_pass()
    assert (report.opt_outs, report.suspects, report.unrelated) == (1, 0, 0)
    assert seller.blocked() == {BUYER}
    assert seller.labels(notice) == {"Amazon opt-outs", "UNREAD"}


def test_an_old_notice_is_found_at_the_first_pass_and_filed_like_a_new_one(seller: Seller) -> None:
    notice = seller.receive(NOTICE)
    seller.run_pass()
    assert seller.blocked() == {BUYER}
    assert seller.labels(notice) == {"Amazon opt-outs", "UNREAD"}


def test_the_filters_take_a_notice_out_of_the_inbox_while_the_program_is_off(seller: Seller) -> None:
    seller.run_pass()
    notice = seller.receive(NOTICE)
    assert seller.labels(notice) == {"Amazon opt-outs", "Amazon opt-outs/Queue", "UNREAD"}


def test_every_sample_is_judged_and_filed_as_the_table_says(seller: Seller) -> None:
    """Mail from before the first pass and mail of later on: each ends up where its verdict belongs."""
    before = {name: seller.receive(name) for name in list(EXPECTED)[::2]}
    seller.run_pass()
    after = {name: seller.receive(name) for name in list(EXPECTED)[1::2]}
    seller.run_pass()
    for name, message_id in {**before, **after}.items():
        labels = seller.labels(message_id)
        verdict = expected_here(name)
        assert "Amazon opt-outs/Queue" not in labels, name
        assert ("Amazon opt-outs" in labels) == (verdict == "opt_out"), name
        assert ("Amazon opt-outs/Review" in labels) == (verdict == "suspect"), name
        assert ("INBOX" in labels) == (verdict != "opt_out"), name
    wanted = {
        row["address"] or row["order_id"]
        for name, row in EXPECTED.items()
        if expected_here(name) == "opt_out"
    }
    assert seller.blocked() == wanted


def expected_here(name: str) -> str:
    """In this mailbox only the seller's own forwards are trusted."""
    row = EXPECTED[name]
    if row["verdict"] == "opt_out" and not set(row.get("trusted", [EMAIL])) & {EMAIL}:
        return "suspect"
    return str(row["verdict"])


def test_running_the_pass_again_changes_nothing(seller: Seller) -> None:
    for name in EXPECTED:
        seller.receive(name)
    seller.run_pass()
    mailbox, export = seller.google.mailbox(EMAIL), seller.export()
    seller.accounts.update(EMAIL, search_from=BEGINNING)
    seller.run_pass()
    assert seller.google.mailbox(EMAIL) == mailbox
    assert seller.export() == export


# --- nothing is missed, and nobody else's mail is touched


def test_a_notice_that_the_user_read_and_moved_is_still_judged(seller: Seller) -> None:
    seller.run_pass()
    notice = seller.receive(NOTICE)
    user = seller.google.user(EMAIL)
    user.mark_read(notice)
    user.relabel(notice, add=["STARRED"])
    seller.run_pass()
    assert seller.blocked() == {BUYER}
    assert seller.labels(notice) == {"Amazon opt-outs", "STARRED"}


def test_mail_in_spam_and_trash_is_left_alone(seller: Seller) -> None:
    spam = seller.receive(NOTICE, spam=True)
    trashed = seller.receive(NOTICE)
    seller.google.user(EMAIL).trash(trashed)
    before = seller.google.mailbox(EMAIL)
    seller.run_pass()
    assert seller.blocked() == set()
    assert {it: seller.labels(it) for it in (spam, trashed)} == {
        it: set(before[it]) for it in (spam, trashed)
    }


def test_queued_mail_in_the_trash_does_not_make_idle_passes_dear(seller: Seller) -> None:
    seller.run_pass()
    seller.google.user(EMAIL).trash(seller.receive(NOTICE))
    seller.run_pass()
    before = seller.google.units(EMAIL)
    for _ in range(10):
        seller.later(minutes=1)
        assert seller.run_pass().units == 1
    assert seller.google.units(EMAIL) - before == 10


def test_what_delivery_missed_is_found_by_the_daily_sweep(seller: Seller) -> None:
    seller.run_pass()
    missed = seller.receive(NOTICE)
    seller.google.user(EMAIL).relabel(missed, add=["INBOX"], remove=our_labels(seller))
    seller.later(hours=23)
    assert seller.run_pass().opt_outs == 0
    seller.later(hours=2)
    assert seller.run_pass().opt_outs == 1
    assert seller.labels(missed) == {"Amazon opt-outs", "UNREAD"}


def test_a_repair_searches_from_an_hour_before_the_last_good_pass(seller: Seller) -> None:
    """Gmail's clock and ours may differ; passes that failed since then were no good ones."""
    seller.run_pass()
    last_good = seller.clock.now()
    for rule in seller.google.user(EMAIL).filters():
        seller.google.user(EMAIL).delete_filter(str(rule["id"]))
    for name, minutes in ((NOTICE, 59), ("opt_out/en_com.eml", 61)):
        seller.google.deliver(EMAIL, sample(name), received_at=last_good - timedelta(minutes=minutes))
    for _ in range(2):
        seller.later(hours=3)
        seller.google.fault = lambda *_: Fault(status=400, reason="failedPrecondition")
        with pytest.raises(GmailError):
            seller.run_pass()
        seller.accounts.update(EMAIL, last_pass=seller.clock.now())  # as whoever runs passes does
    seller.google.fault = None
    assert seller.run_pass().opt_outs == 1
    assert seller.blocked() == {BUYER}


def test_the_daily_sweep_reads_nothing_twice(seller: Seller) -> None:
    for name in ("opt_out/en_com.eml", "unrelated/copy_with_quoted_notice.eml", "suspect/several_orders.eml"):
        seller.receive(name)
    seller.run_pass()
    seller.restart()
    seller.later(days=1, seconds=1)
    report = seller.run_pass()
    assert report.judged == 0


def test_the_queue_survives_weeks_with_the_program_switched_off(seller: Seller) -> None:
    seller.run_pass()
    seller.receive(NOTICE)
    seller.later(days=40)
    seller.receive("opt_out/en_com.eml")
    seller.restart()
    assert seller.run_pass().opt_outs == 2


def test_a_deleted_queue_label_in_mid_pass_loses_no_notice(seller: Seller) -> None:
    names = ["opt_out/en_com.eml", NOTICE, "opt_out/fr_fr.eml"]
    seller.run_pass()
    for name in names:
        seller.receive(name)

    def fault(_number: int, method: str, _email: str) -> Fault | None:
        if method != "messages.modify":
            return None
        seller.google.fault = None
        return Fault(before=lambda: seller.google.user(EMAIL).delete_label("Amazon opt-outs/Queue"))

    seller.google.fault = fault
    seller.run_pass()
    assert seller.blocked() == {EXPECTED[name]["address"] for name in names}


def test_ordinary_mail_that_the_filter_archived_goes_back_although_the_label_was_deleted(
    seller: Seller,
) -> None:
    seller.run_pass()
    seller.later(hours=1)
    ordinary, notice = (seller.receive(it) for it in ("unrelated/copy_with_quoted_notice.eml", NOTICE))
    assert "INBOX" not in seller.labels(ordinary) | seller.labels(notice)
    for name in ("Amazon opt-outs/Queue", "Amazon opt-outs"):
        seller.google.user(EMAIL).delete_label(name)
    seller.later(hours=2)
    seller.run_pass()
    assert "INBOX" in seller.labels(ordinary)
    assert "INBOX" not in seller.labels(notice)
    assert seller.blocked() == {EXPECTED[NOTICE]["address"]}
    assert not seller.account.label_lost


@pytest.mark.parametrize(("number", "sooner"), [(2, False), (3, True)])
def test_a_day_with_much_mail_is_swept_sooner(
    seller: Seller, monkeypatch: pytest.MonkeyPatch, number: int, sooner: bool
) -> None:
    monkeypatch.setattr("worker.mailbox_pass.sync.BUSY_FROM", 3)
    seller.run_pass()
    before = seller.account.swept_at
    for _ in range(number):
        seller.receive(NOTICE)
    seller.run_pass()
    seller.later(hours=3, minutes=1)
    seller.run_pass()
    assert (seller.account.swept_at != before) is sooner


def test_a_clock_that_was_set_back_does_not_stop_the_sweep(seller: Seller) -> None:
    seller.run_pass()
    ahead = seller.clock.now() + timedelta(days=400)
    seller.accounts.update(EMAIL, swept_at=ahead)
    seller.run_pass()
    assert seller.account.swept_at is not None
    assert seller.account.swept_at < ahead


def test_a_queue_label_deleted_while_old_mail_is_read_loses_none_of_it(seller: Seller) -> None:
    """The old mail is from long before the last good pass, from where on repairs usually search."""
    seller.run_pass()
    seller.later(days=30)
    seller.run_pass()
    deliver_distinct(seller, 510, age=timedelta(days=20))
    for message_id in seller.google.mailbox(EMAIL):
        seller.google.user(EMAIL).relabel(message_id, add=["INBOX"], remove=our_labels(seller))
    seller.accounts.update(EMAIL, search_from=BEGINNING)

    def watch(progress: Progress) -> None:
        if progress.done == 50:
            seller.google.user(EMAIL).delete_label("Amazon opt-outs/Queue")

    # It is deleted again while the repaired queue is read; the pass after that puts it right.
    with pytest.raises(LabelGoneError):
        seller.sync.run_pass(watch)
    seller.run_pass()
    assert len(seller.block_list) == 510


def test_mail_that_comes_after_the_trash_was_emptied_is_seen_although_the_count_is_the_same(
    seller: Seller,
) -> None:
    seller.run_pass()
    trashed = seller.receive(NOTICE)
    seller.google.user(EMAIL).trash(trashed)
    seller.run_pass()
    seller.google.user(EMAIL).delete_message(trashed)
    seller.later(minutes=1)
    seller.run_pass()
    seller.receive("opt_out/en_com.eml")
    seller.later(minutes=1)
    assert seller.run_pass().opt_outs == 1


def test_a_queue_that_is_counted_wrong_is_listed_within_the_hour(
    seller: Seller, monkeypatch: pytest.MonkeyPatch
) -> None:
    seller.run_pass()
    seller.receive(NOTICE)
    monkeypatch.setattr(seller.google.world.mailboxes[EMAIL], "counts", lambda _: {"messagesTotal": 0})
    assert seller.run_pass().units == 1
    seller.later(hours=1)
    assert seller.run_pass().opt_outs == 1


# --- a dry run


@pytest.mark.parametrize("rules_in_place", [False, True])
def test_a_dry_run_says_what_the_pass_then_does(seller: Seller, rules_in_place: bool) -> None:
    if rules_in_place:
        seller.run_pass()
    ids = [seller.receive(name) for name in EXPECTED]
    before = seller.google.mailbox(EMAIL)
    preview = seller.sync.preview()
    assert seller.google.mailbox(EMAIL) == before
    report = seller.run_pass()
    assert preview.steps == report.steps
    assert Counter(type(judged.verdict) for judged, _ in preview.filings) == {
        OptOut: report.opt_outs,
        Suspect: report.suspects,
        Unrelated: report.unrelated,
    }
    expected = {message_id: set(before[message_id]) for message_id in ids}
    for ref in preview.missed.archive:
        expected[ref.id] -= {"INBOX"}
    for judged, change in preview.filings:
        expected[judged.message.id] = expected[judged.message.id] - change.remove | change.add & {"INBOX"}
    assert {it for it in ids if "INBOX" in expected[it]} == {it for it in ids if "INBOX" in seller.labels(it)}


# --- speed and cost


@pytest.mark.parametrize("number", [1, 2, 9, 10, 100, 180, 260, 700])
def test_a_pass_costs_little_more_than_reading(seller: Seller, number: int) -> None:
    seller.run_pass()
    deliver_distinct(seller, number)
    seller.later(minutes=2)
    report = seller.run_pass()
    assert report.opt_outs == number
    # Gmail has no cheaper way to file a few mails than 5 units for each, or 50 for up to a thousand.
    few = min(5 * number, 50) + 6
    assert report.units <= 20 * number + max(few, 0.2 * number + 20)


def test_reading_waits_for_the_quota_and_is_never_refused(seller: Seller) -> None:
    seller.run_pass()
    deliver_distinct(seller, 700)
    seller.later(minutes=2)
    started = seller.clock.now()
    seller.run_pass()
    assert seller.clock.now() - started <= timedelta(minutes=700 * 20 / 6000) * 1.03
    assert seller.google.refusals(EMAIL) == {}


def test_a_notice_that_arrives_during_a_long_backfill_is_judged_within_two_intervals(seller: Seller) -> None:
    seller.run_pass()
    deliver_distinct(seller, 900)
    arrived: list[datetime] = []
    waited: list[timedelta] = []

    def watch(progress: Progress) -> None:
        if not arrived and progress.done >= 100:
            seller.receive(NOTICE)
            arrived.append(seller.clock.now())
        if arrived and not waited and seller.block_list.get(BUYER):
            waited.append(seller.clock.now() - arrived[0])

    seller.sync.run_pass(watch)
    assert waited[0] <= timedelta(minutes=2)
    assert len(seller.block_list) == 901


@pytest.mark.parametrize(("seconds", "read"), [(44, 60), (45, 61)])
def test_a_queue_that_took_long_to_read_is_looked_at_once_more(
    seller: Seller, seconds: int, read: int
) -> None:
    seller.run_pass()
    deliver_distinct(seller, 60)

    def watch(progress: Progress) -> None:
        if progress.done == 50:
            seller.receive(NOTICE)
            seller.later(seconds=seconds)

    assert seller.sync.run_pass(watch).judged == read


def test_a_notice_that_arrives_during_a_long_search_is_judged_within_two_intervals(seller: Seller) -> None:
    """A search over a large mailbox takes minutes before anything is read; here every answer takes 20 seconds."""
    seller.run_pass()
    old = b"From: auto-communication@amazon.com\r\nSubject: Your message to a buyer could not be delivered\r\n\r\n"
    for _ in range(2200):
        seller.google.deliver(EMAIL, old)
    for message_id in seller.google.mailbox(EMAIL):
        seller.google.user(EMAIL).relabel(message_id, remove=our_labels(seller))
    seller.accounts.update(EMAIL, search_from=BEGINNING)
    arrived: list[datetime] = []
    waited: list[timedelta] = []

    def fault(_number: int, method: str, _email: str) -> None:
        if method == "messages.list" and not arrived:
            seller.receive(NOTICE)
            arrived.append(seller.clock.now())
        if arrived and not waited and seller.block_list.get(BUYER):
            waited.append(seller.clock.now() - arrived[0])
            seller.clock.stop()

    seller.google.fault, seller.google.latency = fault, 20
    with pytest.raises(StoppedError):
        seller.run_pass()
    assert waited[0] <= timedelta(minutes=2)


def test_a_pass_tells_how_far_it_is_and_how_long_it_will_take(seller: Seller) -> None:
    seller.run_pass()
    deliver_distinct(seller, 120)
    told: list[Progress] = []
    seller.sync.run_pass(told.append)
    assert [(it.done, it.total, it.found) for it in told] == [(50, 120, 50), (100, 120, 100), (120, 120, 120)]
    assert [it.left for it in told] == [timedelta(seconds=14), timedelta(seconds=4), timedelta()]


def our_labels(seller: Seller) -> list[str]:
    user = seller.google.user(EMAIL)
    return [user.label_id(name) for name in ("Amazon opt-outs", "Amazon opt-outs/Queue")]


def deliver_distinct(seller: Seller, number: int, age: timedelta = timedelta(days=1)) -> None:
    """Deliver notices about different orders, no two of a thread."""
    mail = sample("opt_out/en_text_only.eml")
    order = EXPECTED["opt_out/en_text_only.eml"]["order_id"].encode()
    alias = EXPECTED["opt_out/en_text_only.eml"]["address"].partition("@")[0].encode()
    for n in range(number):
        own = mail.replace(order, b"406-%07d-%07d" % (n, n)).replace(alias, b"b%014d" % n)
        own = own.replace(b"Message-ID: <", b"Message-ID: <%d." % n)
        # Gmail takes mails of one sender under one subject for a conversation.
        own = own.replace(b" could not be delivered\r\n", b" could not be delivered %d\r\n" % n, 1)
        seller.google.deliver(EMAIL, own, received_at=seller.clock.now() - age - timedelta(seconds=n))
    threads = {it.thread_id for it in seller.google.world.mailboxes[EMAIL].messages.values()}
    assert len(threads) >= number


# --- what is remembered for the owner


def test_the_days_on_which_notices_came_are_remembered(seller: Seller) -> None:
    seller.receive("opt_out/en_com.eml")
    seller.receive("unrelated/refund_issued.eml")
    seller.run_pass()
    seller.later(days=2)
    seller.receive("opt_out/it_specimen_shape.eml")
    seller.run_pass()
    today = seller.clock.now().date()
    assert seller.account.notice_days == (today - timedelta(days=2), today)
