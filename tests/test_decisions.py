"""What a person decides on the review list also happens to the mail itself."""

from typing import Literal

import pytest
from sellers import EMAIL, sample

from oauth_web.demo.sandbox import Sandbox
from worker.app import App
from worker.block_list.review import ReviewItem
from worker.mailbox_pass.decisions import Decision, file_decided
from worker.notices.doubts import Doubt, Reason

FORWARD = "suspect/forward_by_stranger.eml"


@pytest.fixture
def item(app: App, google: Sandbox) -> ReviewItem:
    """A forwarded notice that waits for a decision, since nobody trusts its forwarder."""
    google.deliver(EMAIL, sample(FORWARD))
    app.passes.run(EMAIL)
    (item,) = app.review.items()
    return item


def labels(google: Sandbox, item: ReviewItem) -> set[str]:
    return set(google.mailbox(EMAIL)[item.gmail_id])


def test_mail_that_was_blocked_is_filed_like_a_notice(app: App, google: Sandbox, item: ReviewItem) -> None:
    app.review.decide([item.id], "blocked")
    file_decided(app.accounts, app.passes, app.review, [item], "blocked")
    assert labels(google, item) == {"Amazon opt-outs", "UNREAD"}


def test_mail_that_was_dismissed_loses_the_review_label_only(
    app: App, google: Sandbox, item: ReviewItem
) -> None:
    app.review.decide([item.id], "dismissed")
    file_decided(app.accounts, app.passes, app.review, [item], "dismissed")
    assert labels(google, item) == {"INBOX", "UNREAD"}


def test_mail_of_somebody_trusted_now_is_judged_again_and_leaves_the_review_list(
    app: App, google: Sandbox, item: ReviewItem
) -> None:
    app.accounts.update(EMAIL, trusted=(item.reason.address,))
    app.passes.recheck_rules(EMAIL)
    file_decided(app.accounts, app.passes, app.review, [item], "again")
    assert app.passes.run(EMAIL).opt_outs == 1
    assert app.review.items() == []
    assert len(app.block_list) == 1
    assert labels(google, item) == {"Amazon opt-outs", "UNREAD"}


@pytest.mark.parametrize("name", ["redirected_by_group", "redirected_by_group_no_type"])
def test_mail_by_way_of_a_group_waits_until_the_group_is_trusted(
    app: App, google: Sandbox, name: str
) -> None:
    google.deliver(EMAIL, sample(f"suspect/{name}.eml"))
    app.passes.run(EMAIL)
    (waiting,) = app.review.items()
    assert waiting.reason == Reason(Doubt.REDIRECTED, "sellers@company.example")
    app.accounts.update(EMAIL, redirectors=(waiting.reason.address,))
    app.passes.recheck_rules(EMAIL)
    file_decided(app.accounts, app.passes, app.review, [waiting], "again")
    assert app.passes.run(EMAIL).opt_outs == 1
    assert (app.review.items(), len(app.block_list)) == ([], 1)


def test_a_decision_stands_although_google_does_not_answer(
    app: App, google: Sandbox, item: ReviewItem
) -> None:
    google.user(EMAIL).revoke()
    app.review.decide([item.id], "dismissed")
    file_decided(app.accounts, app.passes, app.review, [item], "dismissed")
    assert app.review.items() == []


def test_what_is_taken_back_lies_where_it_lay_before(app: App, google: Sandbox, item: ReviewItem) -> None:
    before = labels(google, item)
    decided: tuple[tuple[Literal["dismissed", "blocked"], Decision], ...] = (
        ("dismissed", "not dismissed"),
        ("blocked", "not blocked"),
    )
    for done, back in decided:
        app.review.decide([item.id], done)
        file_decided(app.accounts, app.passes, app.review, [item], done)
        assert labels(google, item) != before
        app.review.decide([item.id], "waiting")
        file_decided(app.accounts, app.passes, app.review, [item], back)
        assert labels(google, item) == before


def test_mail_that_is_taken_back_is_unread_again_where_notices_are_marked_as_read(
    app: App, google: Sandbox, item: ReviewItem
) -> None:
    app.accounts.update(EMAIL, mark_read=True)
    before = labels(google, item)
    app.review.decide([item.id], "blocked")
    file_decided(app.accounts, app.passes, app.review, [item], "blocked")
    assert labels(google, item) == {"Amazon opt-outs"}
    app.review.decide([item.id], "waiting")
    file_decided(app.accounts, app.passes, app.review, [item], "not blocked")
    assert labels(google, item) == before


def test_a_decision_that_was_taken_back_meanwhile_is_not_filed(
    app: App, google: Sandbox, item: ReviewItem
) -> None:
    before = labels(google, item)
    file_decided(app.accounts, app.passes, app.review, [item], "dismissed")
    assert labels(google, item) == before
