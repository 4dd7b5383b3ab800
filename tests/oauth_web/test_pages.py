"""Home, the list, stories, blocking by hand, downloads."""

import re
from dataclasses import replace
from datetime import timedelta

import orjson
import pytest
from browsing import post
from clocks import FakeClock
from flask.testing import FlaskClient
from people import OWNER

from oauth_web.texts.words import mail_in_gmail, number
from worker.app import App
from worker.block_list.model import Sighting
from worker.mailbox_pass.progress import STALE_AFTER, Progress, stored
from worker.problems import Cause, MailboxProblem


def opt_out(number: int, engine: App, clock: FakeClock, **changes: object) -> str:
    address = f"buyer{number:010d}@marketplace.amazon.it"
    values: dict[str, object] = {
        "account": OWNER,
        "message_id": f"{number}@eu-west-1.amazonses.com",
        "received_at": clock.now() - timedelta(hours=number),
        "address": address,
        "order_id": f"406-{number:07d}-7654321",
        "marketplace": "amazon.it",
    }
    engine.block_list.record([Sighting(**values | changes)])  # type: ignore[arg-type]
    return address


def shown(client: FlaskClient, path: str) -> list[str]:
    """Return the buyers of a page of the list, in its order."""
    return re.findall(r"/block\?key=([\w-]+)", client.get(path).text)


def test_home_says_when_the_account_was_and_will_be_checked(
    owner: FlaskClient, engine: App, account: str, clock: FakeClock
) -> None:
    assert "about to start" in owner.get("/").text
    engine.accounts.update(
        account, last_pass=clock.now() - timedelta(seconds=40), next_pass=clock.now() + timedelta(seconds=20)
    )
    assert "Checked 40 seconds ago, next in 20 seconds." in owner.get("/").text
    clock.advance(3600)
    assert "Checked 1 hour ago, next in a moment." in owner.get("/live").text


def test_home_shows_what_needs_the_seller_first(owner: FlaskClient, engine: App, account: str) -> None:
    engine.accounts.connect("aaa@gmail.com", engine.accounts.grant(account), now=engine.clock.now())
    engine.accounts.update(account, state="sign_in_again", problem=MailboxProblem(Cause.SIGN_IN_ENDED))
    page = owner.get("/").text
    assert page.index(account) < page.index("aaa@gmail.com")
    assert "Google has ended the sign-in" in page
    assert f"/sign-in?account={account.replace('@', '%40')}" in page or f"/sign-in?account={account}" in page


def test_home_says_in_one_sentence_how_things_stand(
    owner: FlaskClient, engine: App, account: str, clock: FakeClock
) -> None:
    assert "The first check is about to start." in owner.get("/").text
    well = {"last_pass": clock.now(), "last_good_pass": clock.now()}
    engine.accounts.update(account, **well)
    clock.advance(20)
    assert "All is well. Checked 20 seconds ago." in owner.get("/").text
    failed = MailboxProblem(Cause.GMAIL_FAILED, {"status": "503"}, tried_again=True)
    engine.accounts.update(account, state="problem", problem=failed, last_pass=clock.now())
    assert "A check did not succeed. It is tried again by itself." in owner.get("/").text
    engine.accounts.update(account, state="sign_in_again", problem=MailboxProblem(Cause.SIGN_IN_ENDED))
    assert "One thing needs you." in owner.get("/").text


def test_a_page_without_mailboxes_offers_to_connect_one(owner: FlaskClient) -> None:
    page = owner.get("/").text
    assert "No mailbox is connected yet." in page
    assert ">Connect a mailbox</a>" in page
    assert "another" not in page
    assert '<ul class="accounts">' not in page


def test_every_mailbox_is_looked_at_on_request(
    owner: FlaskClient, engine: App, account: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    monkeypatch.setattr(engine.scheduler, "add", asked.append)
    assert post(owner, "/check").location == "/"
    assert asked == [account]
    assert "Every mailbox is being checked." in owner.get("/").text


def test_home_says_when_google_will_end_the_sign_in(
    owner: FlaskClient, engine: App, account: str, clock: FakeClock
) -> None:
    grant = replace(engine.accounts.grant(account), lifetime=604_799)
    engine.accounts.connect(account, grant, now=clock.now() - timedelta(days=6))
    engine.accounts.update(account, last_good_pass=clock.now(), last_pass=clock.now())
    page = owner.get("/").text
    assert f"{account}: Google ends this sign-in on" in page
    assert "Sign in again" in page
    engine.accounts.connect(account, replace(grant, lifetime=None), now=clock.now())
    assert "What needs you" not in owner.get("/").text


def test_home_shows_the_progress_of_a_pass_until_it_is_not_heard_of(
    owner: FlaskClient, engine: App, clock: FakeClock, account: str
) -> None:
    progress = Progress(done=120, total=1500, found=90, left=timedelta(minutes=4, seconds=36))
    engine.accounts.update(account, progress=stored(progress), progress_at=clock.now())
    seen = owner.get("/live").text
    assert "Reading notices: 120 of 1,500, 90 opt-outs found, 4 minutes to go." in seen
    assert '<progress max="1500" value="120"' in seen
    assert "1,380 notices wait" in seen
    clock.advance(STALE_AFTER.total_seconds() + 1)
    assert "<progress" not in owner.get("/live").text, "its process may be dead"


def test_home_counts_the_week_and_draws_it_with_a_table(
    owner: FlaskClient, engine: App, clock: FakeClock
) -> None:
    for index in range(3):
        opt_out(index, engine, clock)
    opt_out(24 * 8, engine, clock, marketplace="amazon.de")
    page = owner.get("/").text
    assert "<strong>4</strong> buyers are blocked" in page
    assert "3 buyers have opted out since Monday." in page
    assert page.count("<rect class=") == 2 + 2  # two bars, two colours explained
    assert '<time datetime="2026-11-23">23 Nov</time></th><td class="number">3</td>' in page


def test_an_import_is_no_opt_out(owner: FlaskClient, engine: App, clock: FakeClock) -> None:
    opt_out(1, engine, clock)
    lines = "\n".join(f"111-{number:07d}-1111111" for number in range(5000))
    engine.block_list.apply_import(engine.block_list.preview_import(lines.encode()), by="test")
    page = owner.get("/").text
    assert "<strong>5,001</strong> buyers are blocked" in page
    assert "1 buyer has opted out since Monday." in page
    assert '<time datetime="2026-11-23">23 Nov</time></th><td class="number">1</td>' in page


def test_marketplaces_without_a_colour_of_their_own_share_one(
    owner: FlaskClient, engine: App, clock: FakeClock
) -> None:
    for index, end in enumerate(["it", "it", "de", "de", "fr", "fr", "es", "es", "nl", "nl", "se"]):
        opt_out(index, engine, clock, marketplace=f"amazon.{end}")
    engine.block_list.block(["111-1111111-1111111"], by="test")
    opt_out(0, engine, clock, message_id="", address=None, order_id="111-1111111-1111111", marketplace=None)
    page = owner.get("/").text
    heads = re.findall(r'<th scope="col" class="number">([^<]+)</th>', page)
    assert sorted(heads[:5]) == ["amazon.de", "amazon.es", "amazon.fr", "amazon.it", "amazon.nl"]
    assert heads[5:] == ["other", "All"]
    assert re.findall(r'class="number">(\d+)</td>', page)[:7] == ["2", "2", "2", "2", "2", "2", "12"]


def test_the_list_is_newest_first_and_sorts(owner: FlaskClient, engine: App, clock: FakeClock) -> None:
    buyers = [opt_out(index, engine, clock).split("@")[0] for index in range(3)]
    assert shown(owner, "/blocks") == buyers
    assert shown(owner, "/blocks?order=up") == buyers[::-1]
    assert shown(owner, "/blocks?sort=key") == buyers[::-1]
    opt_out(9, engine, clock, address=f"{buyers[2]}@marketplace.amazon.it", received_at=clock.now())
    assert shown(owner, "/blocks?sort=notices")[0] == buyers[2]
    assert shown(owner, "/blocks?sort=last_seen&order=up")[-1] == buyers[2]
    assert shown(owner, "/blocks?sort=nonsense") == buyers


def test_the_list_is_paged(owner: FlaskClient, engine: App) -> None:
    engine.block_list.block([f"111-{index:07d}-1111111" for index in range(80)], by="test")
    first, last = shown(owner, "/blocks?page=1"), shown(owner, "/blocks?page=3")
    assert (len(first), len(last)) == (30, 20)
    assert not set(first) & set(last)
    assert shown(owner, "/blocks?page=99") == last
    assert shown(owner, "/blocks?page=-1") == first
    assert "Page 3 of 3" in owner.get("/blocks?page=3").text
    assert "q=111&amp;page=2" in owner.get("/blocks?q=111").text


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("q=BUYER0000000002", ["buyer0000000002"]),
        ("q=406-0000001", ["buyer0000000001"]),
        ("q=amazonses", []),
        ("marketplace=amazon.de", ["buyer0000000002"]),
        ("reason=manual", ["111-1111111-1111111"]),
        ("reason=nonsense&q=buyer", ["buyer0000000001", "buyer0000000002"]),
        ("account=other@gmail.com", ["buyer0000000001"]),
        ("q=vip", ["111-1111111-1111111"]),
    ],
)
def test_the_list_is_searched_and_filtered(
    owner: FlaskClient, engine: App, clock: FakeClock, query: str, found: list[str]
) -> None:
    opt_out(1, engine, clock, account="other@gmail.com")
    opt_out(2, engine, clock, marketplace="amazon.de")
    engine.block_list.block(["111-1111111-1111111"], note="VIP, ask first", by="test")
    assert shown(owner, f"/blocks?{query}") == found
    assert shown(owner, f"/blocks?{query}&part=table") == found
    assert "<html" not in owner.get(f"/blocks?{query}&part=table").text


def test_a_story_tells_its_notices_and_links_to_the_mail(owner: FlaskClient, blocked: str) -> None:
    page = owner.get("/block", query_string={"key": blocked}).text
    assert "opted out" in page
    assert "406-1234567-7654321" in page
    assert "rfc822msgid:notice-1%40eu-west-1.amazonses.com" in page
    assert "authuser=seller%40gmail.com" in page
    by_order = owner.get("/block?key=406-1234567-7654321").text
    assert blocked in by_order


def test_a_mail_without_message_id_is_linked_by_gmails_own() -> None:
    assert mail_in_gmail("a@b.c", "18c2f").endswith("?authuser=a%40b.c#all/18c2f")


def test_a_story_of_nobody_is_not_found(owner: FlaskClient) -> None:
    assert owner.get("/block?key=111-1111111-1111111").status_code == 404
    assert owner.get("/block?key=nonsense").status_code == 400


def test_a_buyer_is_blocked_by_hand_and_the_note_undoes_it(owner: FlaskClient, engine: App) -> None:
    answer = post(owner, "/blocks/block", keys=" 111-1111111-1111111 ", note="asked me")
    assert answer.status_code == 303
    block = engine.block_list.get("111-1111111-1111111")
    assert block is not None
    assert (block.reason, block.note) == ("manual", "asked me")
    page = owner.get("/blocks").text
    assert "1 blocked, 0 known already." in page
    assert 'action="/blocks/unblock"' in page
    assert "1 blocked" not in owner.get("/blocks").text
    assert [OWNER in event.by for event in engine.database.events()] == [True]


def test_a_wrong_key_blocks_nobody_not_even_its_neighbours(owner: FlaskClient, engine: App) -> None:
    answer = post(owner, "/blocks/block", keys="111-1111111-1111111\nnonsense")
    assert answer.status_code == 400
    assert "is not a key" in answer.text
    assert post(owner, "/blocks/block", keys=" ").status_code == 400
    assert len(engine.block_list) == 0


def test_the_list_is_downloaded_in_every_format(owner: FlaskClient, blocked: str) -> None:
    answer = owner.get("/blocks.json")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="blocks.json"'
    assert answer.content_type == "application/json"
    assert orjson.loads(answer.data)["blocks"][0]["address"] == blocked
    for name in ("csv", "txt", "mailgun", "ndjson"):
        answer = owner.get(f"/export?format={name}")
        assert blocked in answer.text, name
        assert "attachment" in answer.headers["Content-Disposition"]
        assert owner.get("/blocks").text.count(f'format={name}"') == 1
    assert owner.get("/export?format=nonsense").status_code == 400


def test_what_did_not_arrive_is_listed_and_downloaded(
    owner: FlaskClient, engine: App, clock: FakeClock
) -> None:
    for index in range(3):
        opt_out(index, engine, clock, sent_on=clock.now().date())
    opt_out(3, engine, clock, address="buyer0000000000@marketplace.amazon.it")
    page = owner.get("/did-not-arrive").text
    assert "4 messages" in page
    assert page.index("406-0000000-") < page.index("406-0000001-") < page.index("406-0000003-")
    lines = owner.get("/did-not-arrive.csv").text.splitlines()
    assert lines[0] == "order_id,sent_on,notice_received_at,marketplace,address,account"
    assert len(lines) == 5
    assert lines[1].startswith(
        "406-0000000-7654321,2026-11-23,2026-11-23T10:00:00+00:00,amazon.it,buyer0000000000@"
    )
    assert lines[4].startswith("406-0000003-7654321,,")


def test_empty_pages_say_so(owner: FlaskClient) -> None:
    assert "No buyer has opted out so far." in owner.get("/blocks").text
    assert "Nothing matches" in owner.get("/blocks?q=x").text
    assert "Every message has arrived" in owner.get("/did-not-arrive").text
    assert "Nothing waits for you." in owner.get("/review").text
    assert "No opt-outs in the last 16 weeks." in owner.get("/").text


def test_healthz_answers_anybody(stranger: FlaskClient) -> None:
    answer = stranger.get("/healthz")
    assert (answer.status_code, answer.text) == (200, "ok\n")


def test_numbers_have_separators() -> None:
    assert number(1234567) == "1,234,567"


@pytest.mark.parametrize(
    ("path", "fields", "form"),
    [
        ("/review", {"action": "block"}, "/review"),
        ("/settings/tokens", {"scope": "nonsense"}, "/settings/tokens"),
    ],
)
def test_what_a_form_was_refused_leads_back_to_it(
    owner: FlaskClient, account: str, path: str, fields: dict[str, str], form: str
) -> None:
    assert account == OWNER
    answer = post(owner, path, **fields)
    assert answer.status_code == 400
    assert f'<a class="button" href="{form}">' in answer.text


def test_a_page_that_is_not_there_leads_home(owner: FlaskClient) -> None:
    assert '<a class="button" href="/">' in owner.get("/nowhere").text


def test_the_sentences_about_a_notice_stand_apart(owner: FlaskClient, engine: App, clock: FakeClock) -> None:
    address = opt_out(1, engine, clock, sent_on=clock.now().date())
    page = owner.get(f"/block?key={address}").text
    assert re.search(r"order 406-0000001-7654321\.\s+Your message of", page)


@pytest.mark.parametrize(
    ("path", "methods"), [("/sign-out", {"POST", "OPTIONS"}), ("/blocks", {"GET", "HEAD", "OPTIONS"})]
)
def test_a_page_that_cannot_be_used_so_says_how_it_can(
    owner: FlaskClient, path: str, methods: set[str]
) -> None:
    answer = owner.put(path, data={})
    assert (answer.status_code, set(answer.allow)) == (405, methods)
    assert set(owner.options(path).allow) == methods
