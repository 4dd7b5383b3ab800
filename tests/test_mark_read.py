"""Notices are marked as read where their owner wants it, by filters, searches and passes alike."""

import pytest
from sellers import EMAIL, Seller, sample

from oauth_web.demo.sandbox import Sandbox
from worker.app import App
from worker.mailbox_pass.decisions import file_decided

NOTICE = "opt_out/it_specimen_shape.eml"
NO_TYPE = "opt_out/it_no_type_header.eml"
IN_UNKNOWN_WORDS = "opt_out/nl_unknown_wording_with_type.eml"
NOT_AMAZON = "suspect/forged_dmarc_fail.eml"
NO_NOTICE = "unrelated/copy_of_sellers_message.eml"


@pytest.mark.parametrize("mark_read", [False, True])
@pytest.mark.parametrize("name", [NOTICE, NO_TYPE, IN_UNKNOWN_WORDS])
@pytest.mark.parametrize("earlier", [False, True], ids=["filtered", "searched for"])
def test_a_notice_is_marked_as_read_only_if_its_owner_wants_it(
    seller: Seller, name: str, *, mark_read: bool, earlier: bool
) -> None:
    seller.accounts.update(EMAIL, mark_read=mark_read)
    early = [seller.receive(name)] if earlier else []
    seller.run_pass()
    notices = early or [seller.receive(name)]
    seller.run_pass()
    assert len(seller.block_list) == 1
    assert all(("UNREAD" in seller.labels(it)) is not mark_read for it in notices)


def test_mail_that_turns_out_to_be_no_notice_is_unread_in_the_inbox(seller: Seller) -> None:
    seller.accounts.update(EMAIL, mark_read=True)
    seller.run_pass()
    mails = [seller.receive(NOT_AMAZON), seller.receive(NO_NOTICE)]
    seller.run_pass()
    assert all({"INBOX", "UNREAD"} <= seller.labels(it) for it in mails)


def test_the_filters_follow_the_setting_and_none_is_left_behind(seller: Seller, google: Sandbox) -> None:
    def marking() -> set[bool]:
        rules = [rule["action"] for rule in google.user(EMAIL).filters()]
        return {"UNREAD" in it["removeLabelIds"] for it in rules if it.get("removeLabelIds")}  # type: ignore[index, attr-defined]

    seller.run_pass()
    number = len(google.user(EMAIL).filters())
    for mark_read in (True, False):
        seller.accounts.update(EMAIL, mark_read=mark_read)
        seller.sync.recheck_rules()
        seller.run_pass()
        assert marking() == {mark_read}
        assert len(google.user(EMAIL).filters()) == number


def test_a_preview_says_what_a_pass_does(seller: Seller) -> None:
    seller.accounts.update(EMAIL, mark_read=True)
    message_id = seller.receive(IN_UNKNOWN_WORDS)
    ((_, change),) = seller.sync.preview().filings
    assert "UNREAD" in change.remove
    seller.run_pass()
    assert "UNREAD" not in seller.labels(message_id)


@pytest.mark.parametrize("mark_read", [False, True])
def test_mail_that_a_person_blocks_by_is_marked_alike(app: App, google: Sandbox, *, mark_read: bool) -> None:
    app.accounts.update(EMAIL, mark_read=mark_read)
    app.passes.run(EMAIL)
    message_id = google.deliver(EMAIL, sample("suspect/guess_de.eml"))
    app.passes.run(EMAIL)
    waiting = app.review.items()
    app.review.decide([it.id for it in waiting], "blocked")
    file_decided(app.accounts, app.passes, app.review, waiting, "blocked")
    assert ("UNREAD" in google.mailbox(EMAIL)[message_id]) is not mark_read


def test_undoing_removes_filters_of_either_setting(app: App, google: Sandbox) -> None:
    app.passes.run(EMAIL)
    app.accounts.update(EMAIL, mark_read=True, filter_ids=())
    app.disconnect(EMAIL, undo=True)
    assert google.user(EMAIL).filters() == []
