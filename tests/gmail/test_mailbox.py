"""The verbs of a mailbox, through Google's client against the stand-in."""

import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from email.message import EmailMessage

import pytest
from clocks import FakeClock
from sellers import EMAIL, EXPECTED, Seller, connected, sample

from oauth_web.demo.sandbox import Fault, Sandbox
from worker.errors import (
    GmailError,
    GoneError,
    LabelGoneError,
    SignInAgainError,
    StoppedError,
    TransientError,
)
from worker.gmail.calls import MAX_TRIES, MAX_TRIES_FOR_QUOTA
from worker.gmail.model import Change, Label, MessageRef
from worker.gmail.quota import FIRST_IN_FLIGHT
from worker.notices.judge import judge
from worker.notices.model import OptOut
from worker.problems import Cause

NOTICE = "opt_out/it_specimen_shape.eml"
READ_OTHERWISE = (
    "suspect/forged_encoded_address.eml",
    "suspect/forged_encoded_word_in_address.eml",
    "suspect/forged_two_senders_no_type.eml",
)


def always(fault: Fault, calls: list[str]) -> Callable[[int, str, str], Fault]:
    """Return a plan that answers every call with this fault, and notes its method in calls."""

    def plan(_number: int, method: str, _email: str) -> Fault:
        calls.append(method)
        return fault

    return plan


def refs(seller: Seller) -> list[MessageRef]:
    return [ref for page in seller.mailbox.find(query="in:anywhere") for ref in page]


def methods(seller: Seller) -> list[str]:
    return [call.method for call in seller.google.calls(EMAIL)]


def test_a_message_is_read_byte_for_byte(seller: Seller) -> None:
    message_id = seller.receive(NOTICE)
    (message,) = seller.mailbox.read(refs(seller))
    assert (message.id, message.raw) == (message_id, sample(NOTICE))
    assert message.label_ids == {"INBOX", "UNREAD"}
    assert message.received_at == seller.clock.now()


def test_a_list_longer_than_a_page_comes_whole(seller: Seller) -> None:
    ids = {seller.receive(NOTICE) for _ in range(7)}
    pages = list(seller.mailbox.find(query="in:inbox", page_size=3))
    assert [len(page) for page in pages] == [3, 3, 1]
    assert {ref.id for page in pages for ref in page} == ids


def test_spam_and_trash_are_not_listed(seller: Seller) -> None:
    seller.receive(NOTICE, spam=True)
    seller.google.user(EMAIL).trash(seller.receive(NOTICE))
    assert list(seller.mailbox.find(query='"406-1234508-7654301" OR consegnato')) == [[]]


def test_two_messages_of_a_thread_are_read_one_by_one_and_three_as_a_thread(seller: Seller) -> None:
    seller.receive(NOTICE)
    seller.receive(NOTICE)
    assert len(list(seller.mailbox.read(refs(seller)))) == 2
    assert "threads.get" not in methods(seller)
    seller.receive(NOTICE)
    assert len(list(seller.mailbox.read(refs(seller)))) == 3
    assert methods(seller)[-1] == "threads.get"


def test_only_the_messages_asked_for_are_taken_from_a_thread(seller: Seller) -> None:
    for _ in range(5):
        seller.receive(NOTICE)
    asked = refs(seller)[:3]
    assert {it.id for it in seller.mailbox.read(asked)} == {ref.id for ref in asked}


@pytest.fixture(scope="module")
def one_for_all(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seller]:
    """A seller for all samples, each of which is taken away again."""
    clock = FakeClock()
    with Sandbox(clock=clock, allowance=None) as google:
        google.add_user(EMAIL)
        with connected(google, clock, tmp_path_factory.mktemp("one"), units_per_minute=10**6) as seller:
            yield seller


@pytest.mark.parametrize("name", EXPECTED)
def test_a_mail_read_by_its_thread_gets_the_same_verdict(one_for_all: Seller, name: str) -> None:
    """Three forgeries apart: how a sender was encoded cannot be seen there, and a broken header ends all headers."""
    ids = [one_for_all.receive(name) for _ in range(3)]
    thread = one_for_all.google.world.mailboxes[EMAIL].message(ids[0]).thread_id
    messages = list(one_for_all.mailbox.read([MessageRef(message_id, thread) for message_id in ids]))
    for message_id in ids:
        one_for_all.google.user(EMAIL).delete_message(message_id)
    trusted = EXPECTED[name].get("trusted", ())
    direct = judge(sample(name), trusted=trusted)
    for message in messages:
        verdict = judge(message.raw, trusted=trusted)
        if name in READ_OTHERWISE:
            assert not isinstance(verdict, OptOut)
        else:
            assert verdict == direct


def test_a_message_with_an_attachment_in_a_thread_is_read_by_itself(seller: Seller) -> None:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "a@example.com", EMAIL, "Papers"
    mail.set_content("See the attachment.")
    mail.add_attachment(b"\0\1\2" * 100, maintype="application", subtype="pdf", filename="papers.pdf")
    for _ in range(3):
        seller.google.deliver(EMAIL, mail.as_bytes())
    messages = list(seller.mailbox.read(refs(seller)))
    assert [it.raw for it in messages] == [mail.as_bytes()] * 3
    assert methods(seller).count("messages.get") == 3


def test_a_message_deleted_between_list_and_read_is_left_out(seller: Seller) -> None:
    gone, stays = seller.receive(NOTICE), seller.receive("opt_out/en_com.eml")
    listed = refs(seller)
    seller.google.user(EMAIL).delete_message(gone)
    assert [it.id for it in seller.mailbox.read(listed)] == [stays]


def test_a_message_that_has_moved_to_another_thread_is_read_by_itself(seller: Seller) -> None:
    ids = [seller.receive(NOTICE) for _ in range(3)]
    moved = seller.receive("opt_out/en_com.eml")
    thread = next(ref.thread_id for ref in refs(seller) if ref.id == ids[0])
    asked = [MessageRef(message_id, thread) for message_id in (*ids, moved)]
    assert {it.id for it in seller.mailbox.read(asked)} == {*ids, moved}


def test_a_message_that_comes_without_its_content_is_no_empty_mail(seller: Seller) -> None:
    message_id, other = seller.receive(NOTICE), seller.receive(NOTICE)
    seller.google.world.mailboxes[EMAIL].messages[message_id].raw = b""
    failed: dict[str, GmailError] = {}
    (message,) = seller.mailbox.read([MessageRef(it, it) for it in (message_id, other)], failed)
    assert (message.id, failed[message_id].problem.cause) == (other, Cause.ANSWER_CUT)
    with pytest.raises(TransientError):
        list(seller.mailbox.read([MessageRef(message_id, message_id)]))


@pytest.mark.parametrize(
    ("stated", "year"),
    [(10**18, 2026), (10**30, 2026), (-(10**30), 1970), (-1, 1970), (4_000_000_000_000, 2026)],
)
def test_a_time_that_there_cannot_be_is_replaced(seller: Seller, stated: int, year: int) -> None:
    message_id = seller.receive(NOTICE)
    seller.google.world.mailboxes[EMAIL].messages[message_id].received_ms = stated
    (message,) = seller.mailbox.read([MessageRef(message_id, message_id)])
    assert message.received_at.year == year


@pytest.mark.parametrize(("number", "method"), [(3, "messages.modify"), (12, "messages.batchModify")])
def test_labels_change_in_the_cheapest_way(seller: Seller, number: int, method: str) -> None:
    ids = [seller.receive(NOTICE) for _ in range(number)]
    seller.mailbox.change(ids, Change(add=frozenset({"STARRED"}), remove=frozenset({"INBOX"})))
    assert all(seller.labels(it) == {"STARRED", "UNREAD"} for it in ids)
    assert set(methods(seller)) == {method}


def test_more_than_a_thousand_messages_change_by_thousands(seller: Seller) -> None:
    ids = [seller.google.deliver(EMAIL, b"Subject: x\r\n\r\n") for _ in range(1001)]
    seller.mailbox.change(ids, Change(add=frozenset({"STARRED"})))
    assert methods(seller) == ["messages.batchModify"] * 2


def test_changing_a_message_that_is_gone_is_no_error(seller: Seller) -> None:
    gone = seller.receive(NOTICE)
    seller.google.user(EMAIL).delete_message(gone)
    seller.mailbox.change([gone], Change(add=frozenset({"STARRED"})))


def test_counting_a_label_that_is_gone_asks_for_repair(seller: Seller) -> None:
    with pytest.raises(LabelGoneError):
        seller.mailbox.count("Label_999")


def test_changing_to_a_label_that_is_gone_asks_for_repair(seller: Seller) -> None:
    with pytest.raises(LabelGoneError):
        seller.mailbox.change([seller.receive(NOTICE)], Change(add=frozenset({"Label_999"})))


def test_a_label_that_is_there_already_is_no_error(seller: Seller) -> None:
    wanted = Label(id="", name="Notices", list_visibility="labelShow", message_visibility="show")
    assert seller.mailbox.create_label(wanted) == seller.mailbox.create_label(wanted)


@pytest.mark.parametrize(
    "fault",
    [
        Fault(status=500),
        Fault(status=503),
        Fault(status=429, reason="rateLimitExceeded"),
        Fault(status=403, reason="userRateLimitExceeded"),
        Fault(cut="before"),
        Fault(cut="body"),
        Fault(garble="half"),
        Fault(garble="not_json"),
    ],
    ids=lambda fault: f"{fault.status or ''}{fault.cut}{fault.garble}",
)
def test_what_fails_in_passing_is_tried_again_and_not_for_ever(seller: Seller, fault: Fault) -> None:
    seller.google.fault = lambda number, _method, _email: fault if number % 3 else None
    assert seller.mailbox.address() == EMAIL
    tries: list[str] = []
    seller.google.fault = always(fault, tries)
    with pytest.raises(TransientError):
        seller.mailbox.address()
    assert len(tries) == (MAX_TRIES_FOR_QUOTA if fault.status in {403, 429} else MAX_TRIES)


def test_quota_that_another_program_has_spent_is_waited_for(seller: Seller) -> None:
    """As refused in Google's newer words, which state no time."""
    seller.mailbox.filters()
    started = seller.clock.now()
    refused = Fault(
        status=403, reason="rateLimitExceeded", message="Quota exceeded for quota metric 'Queries'"
    )

    def fault(*_: object) -> Fault | None:
        return refused if seller.clock.now() < started + timedelta(seconds=30) else None

    seller.google.fault = fault
    assert seller.mailbox.address() == EMAIL


def test_a_stated_time_is_heeded_by_all_threads(seller: Seller) -> None:
    for _ in range(20):
        seller.google.deliver(EMAIL, sample(NOTICE))
    listed = [MessageRef(ref.id, ref.id) for ref in refs(seller)]
    refused_at: list[float] = []
    early: list[float] = []

    def fault(*_: object) -> Fault | None:
        now = seller.clock.monotonic()
        if not refused_at:
            refused_at.append(now)
            return Fault(status=429, reason="rateLimitExceeded", retry_after=40)
        early.extend([now] if now < refused_at[0] + 40 else [])
        return None

    seller.google.fault = fault
    assert len(list(seller.mailbox.read(listed))) == 20
    # Those that were under way at that moment could not know.
    assert len(early) < FIRST_IN_FLIGHT


def test_a_stated_time_beyond_a_passs_patience_ends_it_and_is_heeded_by_the_next(seller: Seller) -> None:
    seller.mailbox.filters()
    seller.google.fault = lambda *_: Fault(status=429, reason="rateLimitExceeded", retry_after=3600)
    with pytest.raises(TransientError):
        seller.mailbox.address()
    asked = len(methods(seller))
    with pytest.raises(TransientError, match="to wait until 2026-11-23, 11:0"):
        seller.mailbox.address()
    assert len(methods(seller)) == asked
    seller.google.fault = None
    seller.later(hours=1)
    assert seller.mailbox.address() == EMAIL


def test_a_closed_mailbox_stops_whoever_still_uses_it(seller: Seller) -> None:
    seller.receive(NOTICE)
    listed = refs(seller)
    seller.mailbox.close()
    with pytest.raises(StoppedError):
        seller.mailbox.address()
    with pytest.raises(StoppedError):
        list(seller.mailbox.read(listed))


def test_a_stated_time_is_waited_for(seller: Seller) -> None:
    seller.mailbox.filters()
    faults = iter([Fault(status=403, reason="rateLimitExceeded", retry_after=40)])
    seller.google.fault = lambda *_: next(faults, None)
    seller.mailbox.address()
    assert (seller.clock.now() - seller.account.connected_at).total_seconds() >= 40


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (Fault(status=400, reason="invalidArgument", message="Invalid query"), GmailError),
        (Fault(status=403, reason="insufficientPermissions"), SignInAgainError),
        (Fault(status=404, reason="notFound"), GoneError),
    ],
)
def test_what_fails_for_good_is_not_tried_again(seller: Seller, fault: Fault, error: type[Exception]) -> None:
    seller.mailbox.filters()
    tries: list[str] = []
    seller.google.fault = always(fault, tries)
    with pytest.raises(error):
        seller.mailbox.address()
    assert tries.count("getProfile") == 1


def test_a_switched_off_api_is_told_with_the_way_to_switch_it_on(seller: Seller) -> None:
    seller.google.world.api_enabled = False
    with pytest.raises(GmailError, match="enable it"):
        seller.mailbox.address()


def test_an_expired_access_token_is_renewed_unseen(seller: Seller) -> None:
    seller.mailbox.address()
    seller.google.user(EMAIL).expire_access_tokens()
    assert seller.mailbox.address() == EMAIL


def test_a_revoked_sign_in_is_tried_once_and_never_again(seller: Seller) -> None:
    for _ in range(8):
        seller.receive(NOTICE)
    listed = [MessageRef(ref.id, ref.id) for ref in refs(seller)]
    seller.google.user(EMAIL).revoke()
    asked: list[str] = []
    seller.google.fault = lambda _number, method, _email: asked.append(method)
    with pytest.raises(SignInAgainError):
        list(seller.mailbox.read(listed))
    with pytest.raises(SignInAgainError):
        seller.mailbox.address()
    assert asked.count("oauth.token") == 1


def test_a_stop_ends_the_wait_for_another_try(seller: Seller) -> None:
    seller.mailbox.address()
    seller.google.fault = lambda *_: Fault(status=503, before=seller.clock.stop)
    with pytest.raises(StoppedError):
        seller.mailbox.address()


def test_too_many_requests_at_once_are_learned_from(seller: Seller) -> None:
    for _ in range(40):
        seller.google.deliver(EMAIL, sample(NOTICE))
    listed = [MessageRef(ref.id, ref.id) for ref in refs(seller)]
    seller.google.quota.concurrency = 1
    assert len(list(seller.mailbox.read(listed))) == 40


def test_all_traffic_goes_to_the_root_that_was_set(seller: Seller) -> None:
    seller.mailbox.address()
    assert methods(seller) == ["getProfile"]


def test_a_mailbox_keeps_no_connection_for_every_thread_that_ever_called_it(seller: Seller) -> None:
    """Passes of many accounts share their threads, so that in time each of them has called each mailbox."""
    before = len(seller.google._server._open)
    for _ in range(20):
        thread = threading.Thread(target=seller.mailbox.address)
        thread.start()
        thread.join()
    assert len(seller.google._server._open) - before <= 2, "one to Gmail, one to the token service"


# --- one message, for somebody who waits


def test_one_message_is_read_at_the_price_of_one_and_a_missing_one_is_none(seller: Seller) -> None:
    message_id = seller.receive(NOTICE)
    before = seller.mailbox.quota.spent
    message = seller.mailbox.read_one(message_id, patience=30)
    assert message is not None
    assert message.raw == sample(NOTICE)
    assert seller.mailbox.quota.spent - before == 20
    assert seller.mailbox.read_one("123abc", patience=30) is None


def test_nobody_waits_for_a_quota_that_is_spent(seller: Seller) -> None:
    message_id = seller.receive(NOTICE)
    seller.mailbox.quota.allowance = 30
    assert seller.mailbox.read_one(message_id, patience=30) is not None
    with pytest.raises(TransientError) as spent:
        seller.mailbox.read_one(message_id, patience=30)
    assert spent.value.problem.cause is Cause.SPEED_LIMIT


def test_nobody_waits_longer_than_his_patience(seller: Seller) -> None:
    message_id = seller.receive(NOTICE)
    with pytest.raises(TransientError) as late:
        seller.mailbox.read_one(message_id, patience=0)
    assert late.value.problem.cause is Cause.UNREACHABLE
