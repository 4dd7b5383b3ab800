"""Passes over a mailbox at the stand-in for Google, through Google's own client."""

from sellers import EMAIL, EXPECTED, Seller

from worker.accounts import EVER
from worker.gmail.rules import CreateFilter, CreateLabel
from worker.gmail.wanted import LABELS

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
    seller.accounts.update(EMAIL, search_from=EVER)
    seller.run_pass()
    assert seller.google.mailbox(EMAIL) == mailbox
    assert seller.export() == export
