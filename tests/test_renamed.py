"""A mailbox whose address was changed is the same account: nothing of it is made twice, and nothing is left behind."""

from pathlib import Path

import pytest
from sellers import EMAIL, sample

from oauth_web.demo.sandbox import Sandbox
from signing_in import sign_in
from worker.app import App
from worker.errors import UsageError

NEW = "new.name@gmail.com"
NOTICE = "opt_out/it_specimen_shape.eml"
NO_BUYER = "opt_out/it_order_only.eml"
SUSPECT = "suspect/guess_de.eml"


def rename(app: App, google: Sandbox, folder: Path) -> None:
    google.user(EMAIL).change_address(NEW)
    app.connect(sign_in(google, folder, NEW))


def test_a_sign_in_under_a_new_address_is_the_account_of_before(
    app: App, google: Sandbox, tmp_path: Path
) -> None:
    app.passes.run(EMAIL)
    before, filters, labels = app.accounts.get(EMAIL), google.user(EMAIL).filters(), google.labels(EMAIL)
    rename(app, google, tmp_path)
    (account,) = app.accounts.all()
    assert (account.email, account.formerly) == (NEW, (EMAIL,))
    assert (account.personal_address, account.filter_ids) == (before.personal_address, before.filter_ids)
    google.deliver(NEW, sample(NOTICE))
    assert app.passes.run(NEW).opt_outs == 1
    assert google.user(NEW).filters() == filters
    assert google.labels(NEW) == labels
    app.disconnect(NEW, undo=True)
    assert (google.labels(NEW), google.user(NEW).filters()) == (set(), [])


def test_what_was_kept_under_the_old_address_is_found_under_the_new_one(
    app: App, google: Sandbox, tmp_path: Path
) -> None:
    mail = google.deliver(EMAIL, sample(SUSPECT))
    google.deliver(EMAIL, sample(NO_BUYER))
    app.passes.run(EMAIL)
    rename(app, google, tmp_path)
    (item,) = app.review.items()
    assert (item.account, item.gmail_id) == (NEW, mail)
    assert app.review.decide([item.id], "dismissed")
    assert app.passes.run(NEW).judged == 0, "it was judged already"
    keys = [str(it.doc_id) for it in app.database.documents("judged").walk()]
    assert len(keys) == 2
    assert all(key.startswith(f"{NEW} ") for key in keys)
    with pytest.raises(UsageError):
        app.accounts.get(EMAIL)


def test_the_order_of_a_notice_to_the_old_address_is_searched_for_under_the_new_one(
    app: App, google: Sandbox, tmp_path: Path
) -> None:
    google.deliver(EMAIL, sample(NO_BUYER))
    app.passes.run(EMAIL)
    rename(app, google, tmp_path)
    (block,) = app.block_list.unresolved()
    (order,) = block.orders
    before = [call.method for call in google.calls(NEW)].count("messages.list")
    app.clock.pause(7200)
    app.passes.run(NEW)
    tries = {str(it.doc_id): it["tries"] for it in app.database.documents("unresolved").walk()}
    assert [call.method for call in google.calls(NEW)].count("messages.list") > before
    assert tries == {f"{NEW} {order}": 2}


def test_another_mailbox_is_another_account(app: App, google: Sandbox, tmp_path: Path) -> None:
    """Even one with a copy of our filters."""
    app.passes.run(EMAIL)
    other = google.add_user(NEW)
    for rule in google.user(EMAIL).filters():
        other.create_filter(rule["criteria"], {"removeLabelIds": ["INBOX"]})  # type: ignore[arg-type]
    app.connect(sign_in(google, tmp_path, NEW))
    assert {it.email for it in app.accounts.all()} == {EMAIL, NEW}
