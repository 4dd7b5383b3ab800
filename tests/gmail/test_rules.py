"""Labels and filters heal themselves, and what the user made is left alone."""

from dataclasses import replace

import pytest
from sellers import EMAIL, EXPECTED, PERSONAL_ADDRESS, Seller

from oauth_web.demo.sandbox import Sandbox
from oauth_web.demo.sandbox.users import User
from worker.errors import GmailError
from worker.gmail.model import Filter
from worker.gmail.rules import CreateFilter, CreateLabel, DeleteFilter, Rules, Step, plan
from worker.gmail.wanted import LABELS, MAX_QUERY, queries, wanted_filters

NOTICE = "opt_out/it_specimen_shape.eml"
OPT_OUTS, QUEUE, REVIEW = "Amazon opt-outs", "Amazon opt-outs/Queue", "Amazon opt-outs/Review"


@pytest.fixture
def user(google: Sandbox) -> User:
    return google.user(EMAIL)


@pytest.fixture
def ready(seller: Seller) -> Seller:
    """A seller whose rules are in place, an hour later: the next pass looks at them again."""
    seller.run_pass()
    seller.later(hours=1, seconds=1)
    return seller


def catches_new_mail(seller: Seller) -> bool:
    notice = seller.receive(NOTICE)
    return any("Queue" in label for label in seller.labels(notice)) and "INBOX" not in seller.labels(notice)


def test_rules_that_are_in_order_are_left_alone(ready: Seller, user: User) -> None:
    before = user.filters()
    assert ready.run_pass().steps == ()
    assert user.filters() == before


def test_a_renamed_label_is_used_under_its_new_name(ready: Seller, user: User) -> None:
    user.rename_label(OPT_OUTS, "Buyers who want no mail")
    assert ready.run_pass().steps == ()
    notice = ready.receive(NOTICE)
    ready.run_pass()
    assert "Buyers who want no mail" in ready.labels(notice)
    assert OPT_OUTS not in ready.google.labels(EMAIL)


def test_a_recoloured_and_shown_label_is_left_as_the_user_likes_it(ready: Seller, user: User) -> None:
    user.recolour_label(OPT_OUTS, "#ffffff", "#fb4c2f")
    user.show_label(QUEUE, in_label_list="labelShow", in_message_list="show")
    assert ready.run_pass().steps == ()


@pytest.mark.parametrize("name", [OPT_OUTS, QUEUE, REVIEW])
def test_a_deleted_label_comes_back_with_its_filters(ready: Seller, user: User, name: str) -> None:
    user.delete_label(name)
    steps = ready.run_pass().steps
    assert [type(step) for step in steps if not isinstance(step, CreateFilter | DeleteFilter)] == [
        CreateLabel
    ]
    assert ready.google.labels(EMAIL) == {OPT_OUTS, QUEUE, REVIEW}
    assert catches_new_mail(ready)
    ready.later(hours=1, seconds=1)
    assert ready.run_pass().steps == ()


def test_a_deleted_filter_comes_back_and_what_slipped_past_is_found(ready: Seller, user: User) -> None:
    for rule in user.filters():
        user.delete_filter(str(rule["id"]))
    missed = ready.receive(NOTICE)
    assert ready.labels(missed) == {"INBOX", "UNREAD"}
    report = ready.run_pass()
    assert report.opt_outs == 1
    assert ready.labels(missed) == {OPT_OUTS, "UNREAD"}
    assert catches_new_mail(ready)


def test_a_label_of_that_name_in_another_spelling_is_taken_as_ours(seller: Seller, user: User) -> None:
    user.create_label("AMAZON OPT-OUTS")
    seller.run_pass()
    notice = seller.receive(NOTICE)
    seller.run_pass()
    assert "AMAZON OPT-OUTS" in seller.labels(notice)


def test_the_users_own_filters_stay_even_those_that_set_our_label(ready: Seller, user: User) -> None:
    own = user.create_filter({"from": "boss@example.com"}, {"addLabelIds": [user.label_id(OPT_OUTS)]})
    assert ready.run_pass().steps == ()
    assert own in {rule["id"] for rule in user.filters()}


def test_filters_that_are_there_already_are_taken_over(ready: Seller, user: User) -> None:
    """As after the loss of an account: nothing is made twice."""
    before = {str(rule["id"]) for rule in user.filters()}
    ready.accounts.update(EMAIL, labels={}, filter_ids=())
    ready.restart()
    assert ready.run_pass().steps == ()
    assert set(ready.account.filter_ids) == before


def test_outdated_filters_are_replaced_without_a_gap(ready: Seller, user: User) -> None:
    """As after an update of the program that knows more wording."""
    label = user.label_id(QUEUE)
    outdated = user.create_filter({"query": '"an older wording"'}, {"addLabelIds": [label]})
    ready.accounts.update(EMAIL, filter_ids=(*ready.account.filter_ids, outdated))
    steps = ready.run_pass().steps
    assert [type(step) for step in steps] == [DeleteFilter]
    assert outdated not in {rule["id"] for rule in user.filters()}


@pytest.mark.parametrize("too_many", [0, 1])
def test_a_mailbox_with_room_for_our_filters_gets_them_and_one_without_gets_a_sentence(
    seller: Seller, user: User, too_many: int
) -> None:
    ours = len(wanted_filters(queries(PERSONAL_ADDRESS), None))
    others = 1000 - ours + too_many
    for number in range(others):
        user.create_filter({"from": f"x{number}@example.com"}, {"addLabelIds": ["STARRED"]})
    if too_many:
        with pytest.raises(GmailError, match="1,000 filters"):
            seller.run_pass()
        assert len(user.filters()) == others
        assert OPT_OUTS not in seller.google.labels(EMAIL)
    else:
        seller.run_pass()
        assert len(user.filters()) == 1000


@pytest.mark.parametrize(("room", "first"), [(2, CreateFilter), (1, DeleteFilter)])
def test_old_filters_go_first_only_where_there_is_no_room_for_both(room: int, first: type[Step]) -> None:
    old, one, two = (
        Filter(query=query, add=frozenset({"queue"}), remove=frozenset()) for query in ("old", "one", "two")
    )
    there = Rules(labels=dict.fromkeys(LABELS, "x"), filters=frozenset({replace(old, id="1")}), room=room)
    steps = plan(there, frozenset({one, two}))
    assert len(steps) == 3
    assert isinstance(steps[0], first)


def test_in_a_full_mailbox_outdated_filters_make_room_for_new_ones(ready: Seller, user: User) -> None:
    there = len(user.filters())
    for number in range(1000 - there):
        user.create_filter({"from": f"x{number}@example.com"}, {"addLabelIds": ["STARRED"]})
    user.set_forwarding("tool@zonmaster.example")
    ready.accounts.update(EMAIL, forward_to="tool@zonmaster.example")
    ready.run_pass()
    assert len(user.filters()) == 1000
    ready.receive(NOTICE)
    assert len(ready.google.forwarded("tool@zonmaster.example")) == 1


def test_no_filter_is_too_long_for_gmail() -> None:
    filters = wanted_filters(queries("a" * 64 + "+optouts-abcdefgh@" + "b" * 60 + ".example"), None)
    assert all(len(it.query or "") <= MAX_QUERY for it in filters)
    assert len(filters) > 2


def test_a_notice_in_any_words_or_under_any_type_is_queued_at_delivery(ready: Seller) -> None:
    names = [name for name in EXPECTED if name.startswith(("suspect/new_", "opt_out/en_co_za"))]
    assert len(names) > 14
    for name in names:
        assert QUEUE in ready.labels(ready.receive(name)), name


def test_two_programs_on_one_mailbox_leave_each_other_alone(ready: Seller) -> None:
    """Two data directories, each with an address for notices of its own."""
    first = set(ready.account.filter_ids)
    ready.accounts.remove(EMAIL)
    ready.accounts.connect(EMAIL, ready.grant, now=ready.clock.now())
    ready.restart()
    ready.run_pass()
    there = {str(rule["id"]) for rule in ready.google.user(EMAIL).filters()}
    assert first <= there
    assert set(ready.account.filter_ids) <= there


def test_notices_are_forwarded_once_the_address_is_verified(ready: Seller, user: User) -> None:
    ready.accounts.update(EMAIL, forward_to="tool@zonmaster.example")
    report = ready.run_pass()
    assert "add tool@zonmaster.example in Gmail" in str(report.advice)
    user.set_forwarding("tool@zonmaster.example", "pending")
    assert ready.run_pass().advice
    user.set_forwarding("tool@zonmaster.example")
    assert ready.run_pass().advice is None
    ready.receive(NOTICE)
    assert len(ready.google.forwarded("tool@zonmaster.example")) == 1


def test_a_forwarding_address_that_is_gone_again_is_told_and_notices_are_still_caught(
    ready: Seller, user: User
) -> None:
    user.set_forwarding("tool@zonmaster.example")
    ready.accounts.update(EMAIL, forward_to="tool@zonmaster.example")
    ready.run_pass()
    user.set_forwarding("tool@zonmaster.example", "pending")
    ready.later(hours=1, seconds=1)
    assert ready.run_pass().advice
    assert catches_new_mail(ready)
