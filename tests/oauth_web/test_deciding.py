"""Review: what an owner decides about doubtful mail, and how it is taken back."""

import re
from datetime import timedelta
from pathlib import Path

import pytest
from browsing import post
from clocks import FakeClock
from flask.testing import FlaskClient
from people import OWNER

from oauth_web.pages.review import PER_GROUP, PER_PAGE, forwarder_of
from worker.app import App
from worker.block_list.review import ReviewItem, ReviewQuery, State
from worker.notices.doubts import Doubt, Reason
from worker.notices.judge import judge
from worker.notices.model import Suspect

FORWARDED = Reason(Doubt.FORWARDED_BY_STRANGER, "bob@example.net")
SAMPLES = Path(__file__).parent.parent / "samples"


def suspect(engine: App, clock: FakeClock, number: int, **changes: object) -> ReviewItem:
    values: dict[str, object] = {
        "account": OWNER,
        "gmail_id": f"{number:x}",
        "message_id": f"{number}@example.net",
        "received_at": clock.now(),
        "reason": FORWARDED,
        "subject": f"Subject {number}",
        "sender": "Amazon <x@amazon.it>",
        "address": f"buyer{number:010d}@marketplace.amazon.it",
    }
    item = ReviewItem(**values | changes)  # type: ignore[arg-type]
    engine.review.add([item])
    return item


@pytest.mark.usefixtures("account")
def test_a_suspect_is_blocked_with_its_mail_as_evidence(
    owner: FlaskClient, engine: App, clock: FakeClock
) -> None:
    item = suspect(engine, clock, 1)
    suspect(engine, clock, 2)
    assert "Subject 1" in owner.get("/review").text
    assert post(owner, "/review", action=f"block {item.id}").status_code == 303
    block = engine.block_list.get(str(item.address))
    assert block is not None
    assert (block.reason, block.evidence[0].message_id) == ("opted_out", item.message_id)
    assert [it.gmail_id for it in engine.review.items()] == ["2"]


def test_several_suspects_are_decided_about_at_once(
    owner: FlaskClient, engine: App, clock: FakeClock
) -> None:
    items = [suspect(engine, clock, number) for number in range(3)]
    nameless = suspect(engine, clock, 3, address=None)
    answer = post(owner, "/review", action="block", item=[it.id for it in (*items, nameless)])
    assert answer.status_code == 303
    assert len(engine.block_list) == 3
    assert "3 blocked; 1 name no buyer" in owner.get("/review").text
    post(owner, "/review", action="dismiss", item=[nameless.id])
    assert engine.review.items() == []
    assert len(engine.block_list) == 3


def test_the_owners_word_outweighs_an_earlier_unblocking(
    owner: FlaskClient, engine: App, clock: FakeClock
) -> None:
    item = suspect(engine, clock, 1)
    clock.advance(60)
    engine.block_list.block([str(item.address)], by="test")
    engine.block_list.unblock(str(item.address), by="test")
    post(owner, "/review", action="block", item=[item.id])
    assert engine.block_list.get(str(item.address)) is not None


def test_a_forwarder_is_trusted(owner: FlaskClient, engine: App, account: str, clock: FakeClock) -> None:
    item = suspect(engine, clock, 1)
    assert "Trust bob@example.net" in owner.get("/review").text
    post(owner, "/review", action=f"trust {item.id}")
    assert engine.accounts.get(account).trusted == ("bob@example.net",)
    assert engine.review.items() == [item]


def test_a_redirector_is_trusted_as_such(
    owner: FlaskClient, engine: App, account: str, clock: FakeClock
) -> None:
    reason = Reason(Doubt.REDIRECTED, "sellers@company.example")
    item = suspect(engine, clock, 1, reason=reason)
    page = owner.get("/review").text
    assert "It was redirected by sellers@company.example" in page
    assert "Trust sellers@company.example" in page
    post(owner, "/review", action=f"trust {item.id}")
    trusting = engine.accounts.get(account)
    assert (trusting.trusted, trusting.redirectors) == ((), ("sellers@company.example",))


@pytest.mark.usefixtures("account")
def test_nobody_is_trusted_for_what_a_forgery_says(owner: FlaskClient, engine: App, clock: FakeClock) -> None:
    item = suspect(engine, clock, 1, reason=Reason(Doubt.DMARC_FAILED))
    assert "Trust" not in owner.get("/review").text
    assert post(owner, "/review", action=f"trust {item.id}").status_code == 400
    assert engine.accounts.get(OWNER).trusted == ()


def test_the_forwarder_stands_in_the_judges_own_words(engine: App, clock: FakeClock) -> None:
    verdict = judge((SAMPLES / "suspect" / "forward_by_stranger.eml").read_bytes(), trusted=frozenset())
    assert isinstance(verdict, Suspect)
    assert "@" in forwarder_of(suspect(engine, clock, 1, reason=verdict.reason))


@pytest.mark.parametrize("fields", [{"action": "block"}, {"action": "block", "item": "x"}, {"item": "x"}])
def test_a_decision_about_nothing_is_refused(owner: FlaskClient, fields: dict[str, str]) -> None:
    assert post(owner, "/review", **fields).status_code == 400


def test_an_unknown_decision_is_refused(owner: FlaskClient, engine: App, clock: FakeClock) -> None:
    item = suspect(engine, clock, 1)
    assert post(owner, "/review", action="delete", item=item.id).status_code == 400
    assert engine.review.items() == [item]


def test_what_strangers_wrote_in_a_suspect_is_shown_as_text(
    owner: FlaskClient, engine: App, clock: FakeClock
) -> None:
    bad = '"><script>alert(1)</script>'
    suspect(engine, clock, 1, subject=bad, sender=bad, message_id=f"{bad}@x")
    page = owner.get("/review").text
    assert "<script>alert" not in page
    assert page.count("&lt;script&gt;alert(1)") >= 2


def undo(browser: FlaskClient) -> str:
    """Press the button of the note, and return the page after it."""
    note = browser.get("/review").text.split('role="status"')[1].split("</form>")[0]
    action = note.split('action="')[1].split('"')[0]
    hidden = re.findall(r'name="(\w+)" value="([^"]*)"', note)
    assert browser.post(action, data=dict(hidden)).status_code == 303
    return browser.get("/review").text


@pytest.mark.parametrize("action", ["dismiss", "block"])
def test_a_decision_is_listed_and_undone(
    owner: FlaskClient, engine: App, clock: FakeClock, action: str
) -> None:
    items = [suspect(engine, clock, number) for number in range(3)]
    engine.block_list.block([str(items[0].address)], by="test")
    post(owner, "/review", action=action, item=[it.id for it in items])
    assert len(engine.block_list) == (3 if action == "block" else 1)
    state: State = "blocked" if action == "block" else "dismissed"
    assert len(engine.review.items(ReviewQuery(state=state))) == 3
    assert "3 mails wait again." in undo(owner)
    assert "No mail is found here." in owner.get(f"/review?state={state}").text
    assert len(engine.review) == 3
    assert [it.blocked for it in engine.block_list.check(str(it.address) for it in items)] == [
        True,
        False,
        False,
    ]


def test_ticked_mails_of_those_dismissed_wait_again(
    owner: FlaskClient, engine: App, clock: FakeClock
) -> None:
    items = [suspect(engine, clock, number) for number in range(3)]
    post(owner, "/review", action="dismiss", item=[it.id for it in items])
    answer = post(owner, "/review?state=dismissed", action="restore", item=[it.id for it in items[:2]])
    assert answer.headers["Location"] == "/review?state=dismissed"
    assert [it.id for it in engine.review.items(ReviewQuery(state="dismissed"))] == [items[2].id]
    assert post(owner, "/review", action="dismiss", item=items[2].id).status_code == 400, (
        "it is decided about"
    )
    assert post(owner, "/review", action="restore", item=items[0].id).status_code == 400, "it waits already"


def test_all_of_a_group_is_decided_about_at_once_as_it_was_shown(
    owner: FlaskClient, engine: App, clock: FakeClock
) -> None:
    for number in range(60):
        suspect(engine, clock, number, reason=Reason(Doubt.DMARC_FAILED))
    other = suspect(engine, clock, 60)
    page = owner.get("/review").text
    assert page.count("data-row") == PER_GROUP + 1
    assert "Tick all 60" in page
    assert owner.get("/review?group=forged").text.count("data-row") == PER_PAGE
    assert owner.get("/review?group=forged&page=99").text.count("data-row") == 60 - 2 * PER_PAGE
    suspect(engine, clock, 61, reason=Reason(Doubt.DMARC_FAILED))
    assert post(owner, "/review", action="dismiss", of="forged", all="60").status_code == 400, "one more came"
    assert post(owner, "/review", action="dismiss", of="forged", all="61").status_code == 303
    assert engine.review.items() == [other]


def test_all_that_a_search_finds_is_decided_about(owner: FlaskClient, engine: App, clock: FakeClock) -> None:
    for number in range(12):
        suspect(engine, clock, number)
    assert owner.get("/review?q=subject+1").text.count("data-row") == 3
    post(owner, "/review?q=subject+1", action="dismiss", of="forwarded", all="3")
    assert len(engine.review) == 9
    assert "No mail is found here." in owner.get("/review?q=nonsense").text


def test_all_waiting_mail_of_whoever_is_trusted_is_judged_again_and_trust_is_undone(
    owner: FlaskClient, engine: App, account: str, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = suspect(engine, clock, 1), suspect(engine, clock, 2)
    suspect(engine, clock, 3, reason=Reason(Doubt.FORWARDED_BY_STRANGER, "eve@example.net"))
    again: list[str] = []
    monkeypatch.setattr(engine.jobs, "file", lambda items, _: again.extend(sorted(it.id for it in items)))
    engine.accounts.update(account, trusted=("ann@example.net",))
    post(owner, "/review", action=f"trust {first.id}")
    assert again == [first.id, second.id]
    assert engine.accounts.get(account).trusted == ("ann@example.net", "bob@example.net")
    assert "bob@example.net is no longer trusted" in undo(owner)
    assert engine.accounts.get(account).trusted == ("ann@example.net",)


def test_a_mail_that_is_not_on_the_list_has_no_text(owner: FlaskClient) -> None:
    assert owner.get("/review/text?item=nobody@gmail.com:1").status_code == 404


def test_why_a_mail_cannot_be_read_is_a_sentence(owner: FlaskClient, engine: App, clock: FakeClock) -> None:
    item = suspect(engine, clock, 1, account="gone@gmail.com")
    page = owner.get(f"/review/text?item={item.id}").text
    assert "cannot be shown now" in page
    assert "gone@gmail.com is not a connected account" in page


def test_a_silence_is_done_with_until_another_one_begins(
    owner: FlaskClient, engine: App, account: str, clock: FakeClock
) -> None:
    today = clock.now().date()
    days = tuple(today - timedelta(days=9 + number) for number in reversed(range(20)))
    engine.accounts.update(account, notice_days=days, last_good_pass=clock.now())
    assert "No notice has come since" in owner.get("/").text
    assert post(owner, "/silence-heard", account=account).status_code == 303
    assert engine.accounts.get(account).silence_heard == days[-1]
    assert "No notice has come since" not in owner.get("/").text
    assert post(owner, "/silence-heard", account=account, undo="on").status_code == 303
    assert "No notice has come since" in owner.get("/").text


def test_new_words_are_no_problem_any_more_once_decided_about(
    owner: FlaskClient, engine: App, account: str, clock: FakeClock
) -> None:
    engine.accounts.update(account, last_good_pass=clock.now())
    item = suspect(engine, clock, 1, reason=Reason(Doubt.GUESSED_WORDING))
    assert "words that this version does not know" in owner.get("/").text
    post(owner, "/review", action=f"dismiss {item.id}")
    assert "words that this version does not know" not in owner.get("/").text
