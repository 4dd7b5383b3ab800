"""Undoing removes what is ours and nothing else, whatever came in between, and puts notices back if asked."""

from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

import pytest
from sellers import EMAIL, sample

from oauth_web.demo.sandbox import Fault, Sandbox
from worker.app import App
from worker.errors import GmailError, SignInAgainError
from worker.problems import Cause

NOTICE = "opt_out/it_specimen_shape.eml"
OPT_OUTS, QUEUE = "Amazon opt-outs", "Amazon opt-outs/Queue"


def left_over(google: Sandbox) -> tuple[set[str], int]:
    return google.labels(EMAIL), len(google.user(EMAIL).filters())


def test_what_the_user_made_stays(app: App, google: Sandbox) -> None:
    user = google.user(EMAIL)
    own = user.create_filter({"from": "boss@example.com"}, {"addLabelIds": [user.create_label("Work")]})
    app.passes.run(EMAIL)
    app.disconnect(EMAIL, undo=True)
    assert google.labels(EMAIL) == {"Work"}
    assert [rule["id"] for rule in user.filters()] == [own]


def test_notices_of_the_last_days_go_back_into_the_inbox_under_a_renamed_label_too(
    app: App, google: Sandbox
) -> None:
    """Those that were there before the first pass, which a search has tidied, like those that a filter has."""
    now = app.clock.now()
    old = google.deliver(EMAIL, sample(NOTICE), received_at=now - timedelta(days=9))
    tidied = google.deliver(EMAIL, sample(NOTICE), received_at=now - timedelta(days=2))
    app.passes.run(EMAIL)
    filtered = google.deliver(EMAIL, sample(NOTICE), received_at=now - timedelta(days=1))
    app.passes.run(EMAIL)
    google.user(EMAIL).rename_label(OPT_OUTS, "Buyers who want no mail")
    app.disconnect(EMAIL, undo=True, days_back=7)
    inbox = {it for it, labels in google.mailbox(EMAIL).items() if "INBOX" in labels}
    assert inbox == {tidied, filtered}
    assert old not in inbox
    assert left_over(google) == (set(), 0)


@pytest.mark.parametrize("broken_at", range(16))
def test_an_undoing_that_broke_off_is_finished_by_another(app: App, google: Sandbox, broken_at: int) -> None:
    notice = google.deliver(EMAIL, sample(NOTICE))
    app.passes.run(EMAIL)
    calls: list[str] = []

    def fault(_number: int, method: str, _email: str) -> Fault | None:
        calls.append(method)
        return Fault(status=400, reason="failedPrecondition") if len(calls) == broken_at + 1 else None

    google.fault = fault
    with suppress(GmailError):
        app.disconnect(EMAIL, undo=True, days_back=7)
    google.fault = None
    if app.accounts.all():
        app.disconnect(EMAIL, undo=True, days_back=7)
    assert "INBOX" in google.mailbox(EMAIL)[notice]
    assert left_over(google) == (set(), 0)


def test_what_a_broken_first_pass_has_made_is_removed_too(app: App, google: Sandbox) -> None:
    made: list[str] = []

    def fault(_number: int, method: str, _email: str) -> Fault | None:
        made.append(method)
        return Fault(status=400) if made.count("settings.filters.create") > 2 else None

    google.fault = fault
    with pytest.raises(GmailError):
        app.passes.run(EMAIL)
    google.fault = None
    assert len(google.user(EMAIL).filters()) == 2
    app.disconnect(EMAIL, undo=True)
    assert left_over(google) == (set(), 0)


def test_a_pass_under_way_does_not_put_right_what_is_being_removed(app: App, google: Sandbox) -> None:
    """Another process runs it, so that it cannot be ended from here."""
    google.deliver(EMAIL, sample(NOTICE))
    app.passes.run(EMAIL)
    google.deliver(EMAIL, sample("opt_out/en_com.eml"))

    def fault(_number: int, method: str, _email: str) -> Fault | None:
        if method != "messages.modify":
            return None
        google.fault = None
        app.accounts.update(EMAIL, undoing=True)
        return Fault(before=lambda: google.user(EMAIL).delete_label(QUEUE))

    google.fault = fault
    with pytest.raises(GmailError, match="being removed"):
        app.passes.run(EMAIL)
    assert QUEUE not in google.labels(EMAIL)


def test_signing_in_again_keeps_a_mailbox_whose_undoing_failed(app: App, google: Sandbox) -> None:
    app.passes.run(EMAIL)
    google.fault = lambda *_: Fault(status=400)
    with pytest.raises(GmailError):
        app.disconnect(EMAIL, undo=True)
    google.fault = None
    with pytest.raises(GmailError, match="sign in again to keep it"):
        app.passes.run(EMAIL)
    app.connect(app.accounts.grant(EMAIL))
    app.passes.run(EMAIL)
    assert QUEUE in google.labels(EMAIL)


def test_a_mailbox_whose_undoing_google_no_longer_allows_can_be_got_rid_of_all_the_same(
    app: App, google: Sandbox
) -> None:
    app.passes.run(EMAIL)

    def fault(_number: int, method: str, _email: str) -> Fault | None:
        if method == "labels.delete":
            google.fault = None
            google.user(EMAIL).revoke()
        return None

    google.fault = fault
    for _ in range(2):
        with pytest.raises(SignInAgainError, match="Or disconnect it without removing"):
            app.disconnect(EMAIL, undo=True)
    app.disconnect(EMAIL)
    assert app.accounts.all() == []


def test_a_pass_after_a_new_sign_in_never_has_the_old_permission(app: App) -> None:
    """Whichever thread asks for the mailbox in the middle of the sign-in."""
    app.passes.run(EMAIL)
    new = replace(app.accounts.grant(EMAIL), lifetime=3600)
    forget, permissions = app.passes.forget, []

    def watched(email: str) -> None:
        forget(email)
        permissions.append(app.accounts.grant(email))

    app.passes.forget = watched  # type: ignore[method-assign]
    app.connect(new)
    assert permissions == [new]


def test_a_label_that_was_there_before_is_used_and_kept(app: App, google: Sandbox) -> None:
    google.user(EMAIL).create_label(OPT_OUTS)
    app.passes.run(EMAIL)
    notice = google.deliver(EMAIL, sample(NOTICE), received_at=app.clock.now())
    app.passes.run(EMAIL)
    assert OPT_OUTS in google.mailbox(EMAIL)[notice]
    app.disconnect(EMAIL, undo=True)
    assert left_over(google) == ({OPT_OUTS}, 0)


def another_program(google: Sandbox) -> None:
    """Leave the rules that another installation has made in this mailbox."""
    user = google.user(EMAIL)
    queue = user.create_label(QUEUE)
    user.create_filter(
        {"query": "{to:seller+optouts-aaaabbbb@gmail.com}"}, {"addLabelIds": [queue], "removeLabelIds": []}
    )


def test_two_programs_on_one_mailbox_say_so(app: App, google: Sandbox) -> None:
    another_program(google)
    app.passes.run(EMAIL)
    account = app.accounts.get(EMAIL)
    assert account.problem is not None
    assert account.problem.cause is Cause.ANOTHER_PROGRAM
    assert "seller+optouts-aaaabbbb@gmail.com" in str(account.problem)
    before = google.units(EMAIL)
    app.passes.run(EMAIL)
    assert google.units(EMAIL) - before == 1, "it is looked for again after an hour, not in each pass"


def test_undoing_one_of_two_programs_leaves_the_rules_of_the_other(app: App, google: Sandbox) -> None:
    app.passes.run(EMAIL)
    another = {"query": "{to:seller+optouts-aaaabbbb@gmail.com}"}
    user = google.user(EMAIL)
    queue = app.accounts.get(EMAIL).labels["queue"]
    other = user.create_filter(another, {"addLabelIds": [queue], "removeLabelIds": []})
    own = app.accounts.get(EMAIL).personal_address
    app.disconnect(EMAIL, undo=True)
    left = {rule["id"]: str(rule) for rule in user.filters()}
    assert other in left
    assert not any(own in it for it in left.values())
    assert QUEUE in google.labels(EMAIL)
