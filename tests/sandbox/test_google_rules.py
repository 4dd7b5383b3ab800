"""Labels and filters, through the real client."""

from typing import Any

import pytest
from google_client import SELLER, mail
from googleapiclient.errors import HttpError

from oauth_web.demo.sandbox import Sandbox


def refused(request: Any) -> tuple[int, str, str]:
    """Run a request that must fail; return status, reason and message."""
    with pytest.raises(HttpError) as caught:
        request.execute()
    details: Any = caught.value.error_details
    return caught.value.status_code, details[0]["reason"], caught.value.reason


def create(gmail: Any, criteria: Any, action: Any) -> Any:
    return gmail.settings().filters().create(userId="me", body={"criteria": criteria, "action": action})


COLOR = {"textColor": "#ffffff", "backgroundColor": "#16a766"}


def test_a_label_is_created_counted_changed_and_deleted(sandbox: Sandbox, gmail: Any) -> None:
    labels = gmail.labels()
    made = labels.create(userId="me", body={"name": "Amazon opt-outs/Queue", "color": COLOR}).execute()
    message_id = sandbox.deliver(SELLER, mail(), labels=("INBOX", made["id"]))
    counted = labels.get(userId="me", id=made["id"]).execute()
    assert (counted["messagesTotal"], counted["messagesUnread"], counted["threadsTotal"]) == (1, 0, 1)
    assert "messagesTotal" not in next(
        one for one in labels.list(userId="me").execute()["labels"] if one == made
    )
    changed = labels.patch(userId="me", id=made["id"], body={"labelListVisibility": "labelHide"}).execute()
    assert changed == {**made, "labelListVisibility": "labelHide"}
    updated = labels.update(userId="me", id=made["id"], body={"id": made["id"], "name": "Other"}).execute()
    assert updated["name"] == "Other"
    assert "color" not in updated
    assert labels.delete(userId="me", id=made["id"]).execute() == ""
    assert sandbox.mailbox(SELLER)[message_id] == ["INBOX"]


def test_a_label_in_trash_and_spam_still_counts(sandbox: Sandbox, gmail: Any) -> None:
    label = sandbox.user(SELLER).create_label("Queue")
    sandbox.deliver(SELLER, mail(), labels=("TRASH", label))
    assert gmail.labels().get(userId="me", id=label).execute()["messagesTotal"] == 1
    assert "messages" not in gmail.messages().list(userId="me", labelIds=[label]).execute()


def test_a_name_that_exists_in_any_case_is_a_conflict(gmail: Any) -> None:
    gmail.labels().create(userId="me", body={"name": "Amazon opt-outs"}).execute()
    again = gmail.labels().create(userId="me", body={"name": "AMAZON OPT-OUTS"})
    assert refused(again) == (409, "aborted", "Label name exists or conflicts")


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({}, "Invalid label name"),
        ({"name": " "}, "Invalid label name"),
        ({"name": "x" * 226}, "Invalid label name"),
        ({"name": "a//b"}, "Invalid label name"),
        ({"name": "Inbox"}, "Invalid label name"),
        ({"name": "a", "color": {"textColor": "#ffffff"}}, "both a text color and a background color"),
        ({"name": "a", "color": {**COLOR, "textColor": "#123456"}}, "not on the allowed color palette"),
        ({"name": "a", "labelListVisibility": "hide"}, "Invalid value at 'labelListVisibility'"),
        ({"name": "a", "visible": True}, 'Unknown name "visible"'),
        ({"name": 7}, "Invalid value at 'name'"),
    ],
)
def test_a_label_that_gmail_would_not_take_is_refused(gmail: Any, body: Any, words: str) -> None:
    status, _, message = refused(gmail.labels().create(userId="me", body=body))
    assert status == 400
    assert words in message


def test_system_labels_cannot_be_changed(gmail: Any) -> None:
    assert refused(gmail.labels().delete(userId="me", id="INBOX"))[0] == 400
    assert refused(gmail.labels().patch(userId="me", id="INBOX", body={"name": "x"}))[0] == 400


def test_every_matching_filter_runs_on_new_mail_only(sandbox: Sandbox, gmail: Any) -> None:
    user = sandbox.user(SELLER)
    old = sandbox.deliver(SELLER, mail("notice"))
    work, queue = user.create_label("Work"), user.create_label("Queue")
    create(
        gmail, {"from": "anna@example.org"}, {"addLabelIds": [work], "removeLabelIds": ["INBOX"]}
    ).execute()
    create(gmail, {"subject": "notice"}, {"addLabelIds": [queue]}).execute()
    create(gmail, {"subject": "nothing"}, {"addLabelIds": ["TRASH"]}).execute()
    new = sandbox.deliver(SELLER, mail("notice"))
    assert sandbox.mailbox(SELLER) == {old: ["INBOX", "UNREAD"], new: ["Queue", "UNREAD", "Work"]}


@pytest.mark.parametrize(
    ("criteria", "matches"),
    [
        ({"from": "anna@example.org OR b@example.org"}, True),
        ({"to": "seller"}, True),
        ({"subject": "monthly report"}, True),
        ({"subject": "report monthly extra"}, False),
        ({"query": '{from:nobody "see below"}'}, True),
        ({"query": "below", "negatedQuery": "monthly"}, False),
        ({"query": "below", "negatedQuery": "yearly"}, True),
        ({"query": "below", "hasAttachment": True}, False),
        ({"size": 10, "sizeComparison": "larger"}, True),
        ({"size": 10, "sizeComparison": "smaller"}, False),
        ({"from": "anna", "subject": "weekly"}, False),
    ],
)
def test_a_filter_asks_for_all_its_criteria(
    sandbox: Sandbox, gmail: Any, criteria: Any, matches: bool
) -> None:
    create(gmail, criteria, {"addLabelIds": ["STARRED"]}).execute()
    message_id = sandbox.deliver(SELLER, mail("Monthly report", "See below."))
    assert ("STARRED" in sandbox.mailbox(SELLER)[message_id]) is matches


def test_spam_stays_where_it_is_and_is_not_forwarded(sandbox: Sandbox, gmail: Any) -> None:
    sandbox.user(SELLER).set_forwarding("tool@example.net")
    action = {"addLabelIds": ["STARRED"], "removeLabelIds": ["INBOX"], "forward": "tool@example.net"}
    create(gmail, {"subject": "hello"}, action).execute()
    spam = sandbox.deliver(SELLER, mail(), spam=True)
    assert sandbox.mailbox(SELLER)[spam] == ["SPAM", "STARRED", "UNREAD"]
    assert sandbox.forwarded("tool@example.net") == []


def test_a_filter_forwards_to_a_verified_address(sandbox: Sandbox, gmail: Any) -> None:
    sandbox.user(SELLER).set_forwarding("tool@example.net", "pending")
    wanted = create(gmail, {"subject": "hello"}, {"forward": "tool@example.net"})
    assert refused(wanted) == (400, "failedPrecondition", "Unrecognized forwarding address")
    sandbox.user(SELLER).set_forwarding("tool@example.net")
    wanted.execute()
    raw = mail()
    sandbox.deliver(SELLER, raw)
    assert sandbox.forwarded("tool@example.net") == [raw]
    listed = gmail.settings().forwardingAddresses().list(userId="me").execute()["forwardingAddresses"]
    assert listed == [{"forwardingEmail": "tool@example.net", "verificationStatus": "accepted"}]


def test_a_filter_whose_label_is_gone_stays_and_does_nothing(sandbox: Sandbox, gmail: Any) -> None:
    label = sandbox.user(SELLER).create_label("Work")
    create(gmail, {"subject": "hello"}, {"addLabelIds": [label]}).execute()
    sandbox.user(SELLER).delete_label("Work")
    message_id = sandbox.deliver(SELLER, mail())
    assert sandbox.mailbox(SELLER)[message_id] == ["INBOX", "UNREAD"]
    assert len(gmail.settings().filters().list(userId="me").execute()["filter"]) == 1


def test_the_list_of_filters_has_no_key_when_it_is_empty(gmail: Any) -> None:
    made = create(gmail, {"subject": "hello"}, {"addLabelIds": ["STARRED"]}).execute()
    filters = gmail.settings().filters()
    assert filters.list(userId="me").execute() == {"filter": [made]}
    assert filters.get(userId="me", id=made["id"]).execute() == made
    filters.delete(userId="me", id=made["id"]).execute()
    assert filters.list(userId="me").execute() == {}


def test_the_same_filter_cannot_be_made_twice(gmail: Any) -> None:
    wanted = create(gmail, {"subject": "hello"}, {"addLabelIds": ["STARRED"]})
    wanted.execute()
    assert refused(wanted)[::2] == (400, "Filter already exists")


@pytest.mark.parametrize(
    ("criteria", "action", "words"),
    [
        ({}, {"addLabelIds": ["STARRED"]}, "criteria must be specified"),
        ({"query": "x"}, {}, "action must be specified"),
        ({"query": "x" * 1470}, {"addLabelIds": ["STARRED"]}, "The specified filter is too long"),
        ({"query": "x"}, {"addLabelIds": ["Label_99"]}, "Invalid label: Label_99"),
        ({"query": "x"}, {"removeLabelIds": ["USER"]}, "Invalid label: USER"),
        ({"query": "after:soon"}, {"addLabelIds": ["STARRED"]}, "Invalid filter criteria"),
        ({"size": 5}, {"addLabelIds": ["STARRED"]}, "size and sizeComparison"),
        ({"body": "x"}, {"addLabelIds": ["STARRED"]}, 'Unknown name "body"'),
    ],
)
def test_a_filter_that_gmail_would_not_take_is_refused(
    gmail: Any, criteria: Any, action: Any, words: str
) -> None:
    status, _, message = refused(create(gmail, criteria, action))
    assert status == 400
    assert words in message


def test_a_filter_adds_one_label_of_the_user_at_most(sandbox: Sandbox, gmail: Any) -> None:
    both = [sandbox.user(SELLER).create_label(name) for name in ("One", "Two")]
    message = refused(create(gmail, {"query": "x"}, {"addLabelIds": both}))[2]
    assert message == "Filters can add at most one user label"


def test_the_thousand_and_first_filter_is_refused_in_one_of_two_ways(sandbox: Sandbox, gmail: Any) -> None:
    user = sandbox.user(SELLER)
    for n in range(1000):
        user.create_filter({"subject": f"number {n}"}, {"addLabelIds": ["STARRED"]})
    wanted = create(gmail, {"subject": "one more"}, {"addLabelIds": ["STARRED"]})
    assert refused(wanted)[::2] == (400, "Too many filters")
    sandbox.world.mailboxes[SELLER].filter_cap_is_bare = True
    with pytest.raises(HttpError) as caught:
        wanted.execute()
    assert (caught.value.status_code, caught.value.content) == (500, b"")


def test_send_as_addresses_are_listed_with_the_primary_first(sandbox: Sandbox, gmail: Any) -> None:
    sandbox.world.mailboxes[SELLER].send_as = (SELLER, "shop@example.com")
    listed = gmail.settings().sendAs().list(userId="me").execute()["sendAs"]
    assert [one["sendAsEmail"] for one in listed] == [SELLER, "shop@example.com"]
    assert "verificationStatus" not in listed[0]
