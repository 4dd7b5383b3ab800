"""Messages, threads and history, through the real client."""

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from google_client import SELLER, SETTINGS, ids, mail, service_for, sign_in
from googleapiclient.errors import HttpError

from oauth_web.demo.sandbox import Sandbox, VirtualClock


def refused(request: Any) -> tuple[int, str, str]:
    """Run a request that must fail; return status, reason and message."""
    with pytest.raises(HttpError) as caught:
        request.execute()
    error = json.loads(caught.value.content)["error"]
    return caught.value.status_code, error["errors"][0]["reason"], caught.value.reason


def test_a_raw_message_comes_back_byte_for_byte(sandbox: Sandbox, gmail: Any) -> None:
    raw = b"From: a@example.org\nSubject: \xff\xfe\n\nbare \x00 newlines\r\rand \x80 bytes"
    message_id = sandbox.deliver(SELLER, raw)
    reply = gmail.messages().get(userId="me", id=message_id, format="raw").execute()
    assert base64.urlsafe_b64decode(reply["raw"]) == raw
    assert reply["sizeEstimate"] == len(raw)


def test_the_full_format_is_a_tree_of_parts_with_attachments_apart(sandbox: Sandbox, gmail: Any) -> None:
    raw = (
        b"From: a@example.org\r\nSubject: =?utf-8?q?caf=C3=A9?=\r\n"
        b"Content-Type: multipart/mixed; boundary=b\r\n\r\n"
        b"--b\r\nContent-Type: text/plain\r\n\r\nhi & bye\r\n"
        b"--b\r\nContent-Type: application/pdf\r\nContent-Disposition: attachment; filename=a.pdf\r\n"
        b"Content-Transfer-Encoding: base64\r\n\r\nUERG\r\n--b--\r\n"
    )
    message_id = sandbox.deliver(SELLER, raw)
    reply = gmail.messages().get(userId="me", id=message_id).execute()
    payload = reply["payload"]
    assert {"name": "Subject", "value": "café"} in payload["headers"]
    assert [part["partId"] for part in payload["parts"]] == ["0", "1"]
    assert base64.urlsafe_b64decode(payload["parts"][0]["body"]["data"]) == b"hi & bye"
    assert reply["snippet"] == "hi &amp; bye"
    body = payload["parts"][1]["body"]
    assert "data" not in body
    attachment = (
        gmail.messages()
        .attachments()
        .get(userId="me", messageId=message_id, id=body["attachmentId"])
        .execute()
    )
    assert base64.urlsafe_b64decode(attachment["data"]) == b"PDF"
    assert ids(gmail.messages().list(userId="me", q="has:attachment filename:pdf").execute()) == [message_id]


def test_fields_cut_a_reply_down(sandbox: Sandbox, gmail: Any) -> None:
    message_id = sandbox.deliver(SELLER, mail())
    messages = gmail.messages()
    assert messages.get(userId="me", id=message_id, fields="id").execute() == {"id": message_id}
    fields = "nextPageToken,messages/id"
    assert messages.list(userId="me", fields=fields).execute() == {"messages": [{"id": message_id}]}
    payload = messages.get(userId="me", id=message_id, fields="payload(body/size,headers(name))").execute()[
        "payload"
    ]
    assert payload["headers"][0] == {"name": "From"}
    assert refused(messages.list(userId="me", fields="messages(id"))[0] == 400


def test_pages_tell_every_message_once_newest_first(
    sandbox: Sandbox, gmail: Any, clock: VirtualClock
) -> None:
    delivered = [
        sandbox.deliver(SELLER, mail(f"No {n}"), received_at=clock.now() - timedelta(minutes=n))
        for n in range(7)
    ]
    request = gmail.messages().list(userId="me", maxResults=3)
    pages = []
    while request is not None:
        reply = request.execute()
        pages.append(ids(reply))
        request = gmail.messages().list_next(request, reply)
    assert pages == [delivered[:3], delivered[3:6], delivered[6:]]


def test_a_page_has_500_messages_at_most(sandbox: Sandbox, gmail: Any) -> None:
    for n in range(501):
        sandbox.deliver(SELLER, mail(f"No {n}"))
    assert len(ids(gmail.messages().list(userId="me", maxResults=5000).execute())) == 500
    assert len(ids(gmail.messages().list(userId="me").execute())) == 100


def test_spam_and_trash_are_left_out_unless_asked_for(sandbox: Sandbox, gmail: Any) -> None:
    spam = sandbox.deliver(SELLER, mail("one"), spam=True)
    trashed = sandbox.deliver(SELLER, mail("two"))
    sandbox.user(SELLER).trash(trashed)
    messages = gmail.messages()
    assert ids(messages.list(userId="me").execute()) == []
    assert ids(messages.list(userId="me", q="one").execute()) == []
    assert ids(messages.list(userId="me", q="in:spam").execute()) == [spam]
    assert ids(messages.list(userId="me", labelIds=["TRASH"]).execute()) == [trashed]
    assert set(ids(messages.list(userId="me", includeSpamTrash=True).execute())) == {spam, trashed}


def test_a_lagging_index_hides_new_mail_from_searches_and_not_from_lists_by_label(
    sandbox: Sandbox, gmail: Any, clock: VirtualClock
) -> None:
    sandbox.world.index_lag = 3600
    message_id = sandbox.deliver(SELLER, mail())
    assert ids(gmail.messages().list(userId="me", labelIds=["INBOX"]).execute()) == [message_id]
    assert ids(gmail.messages().list(userId="me", q="hello").execute()) == []
    clock.advance(3601)
    assert ids(gmail.messages().list(userId="me", q="hello").execute()) == [message_id]


def test_labels_go_on_and_off_one_message_or_many(sandbox: Sandbox, gmail: Any) -> None:
    first, second = sandbox.deliver(SELLER, mail("a")), sandbox.deliver(SELLER, mail("b"))
    label = sandbox.user(SELLER).create_label("Work")
    body = {"addLabelIds": [label], "removeLabelIds": ["INBOX"]}
    gmail.messages().modify(userId="me", id=first, body=body).execute()
    assert gmail.messages().batchModify(userId="me", body={"ids": [second, "gone"], **body}).execute() == ""
    assert sandbox.mailbox(SELLER) == {first: ["UNREAD", "Work"], second: ["UNREAD", "Work"]}


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"addLabelIds": ["Label_99"]}, "Invalid label: Label_99"),
        ({"addLabelIds": ["SENT"]}, "Invalid label: SENT"),
        (
            {"addLabelIds": ["INBOX"], "removeLabelIds": ["INBOX"]},
            "Cannot both add and remove the same label",
        ),
        ({}, "No label add or removes specified"),
        ({"labels": []}, 'Unknown name "labels"'),
        ({"addLabelIds": "INBOX"}, "Invalid value at 'addLabelIds'"),
    ],
)
def test_a_change_that_makes_no_sense_is_refused(sandbox: Sandbox, gmail: Any, body: Any, words: str) -> None:
    message_id = sandbox.deliver(SELLER, mail())
    status, reason, message = refused(gmail.messages().modify(userId="me", id=message_id, body=body))
    assert (status, reason) == (400, "invalidArgument")
    assert words in message


def test_a_batch_change_takes_a_thousand_ids_at_most(gmail: Any) -> None:
    body = {"ids": ["x"] * 1001, "addLabelIds": ["STARRED"]}
    assert refused(gmail.messages().batchModify(userId="me", body=body))[2].startswith("Too many message ids")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"labelIds": ["Label_99"]}, "Invalid label: Label_99"),
        ({"pageToken": "nonsense"}, "Invalid pageToken"),
        ({"q": "after:soon"}, "Invalid query"),
    ],
)
def test_a_list_that_makes_no_sense_is_refused(gmail: Any, arguments: Any, words: str) -> None:
    status, _, message = refused(gmail.messages().list(userId="me", **arguments))
    assert status == 400
    assert words in message


def test_what_is_gone_is_404(sandbox: Sandbox, gmail: Any) -> None:
    message_id = sandbox.deliver(SELLER, mail())
    sandbox.user(SELLER).delete_message(message_id)
    expected = (404, "notFound", "Requested entity was not found.")
    assert refused(gmail.messages().get(userId="me", id=message_id)) == expected
    assert refused(gmail.threads().get(userId="me", id=message_id)) == expected
    assert refused(gmail.labels().get(userId="me", id="Label_99")) == expected
    assert refused(gmail.settings().filters().get(userId="me", id="x")) == expected


def test_deleting_for_good_needs_a_scope_that_is_never_granted(sandbox: Sandbox, gmail: Any) -> None:
    message_id = sandbox.deliver(SELLER, mail())
    status, reason, _ = refused(gmail.messages().delete(userId="me", id=message_id))
    assert (status, reason) == (403, "insufficientPermissions")


def test_a_call_without_its_scope_is_refused(sandbox: Sandbox) -> None:
    with service_for(sandbox, sign_in(sandbox, untick=(SETTINGS,))) as gmail:
        gmail.settings().filters().list(userId="me").execute()  # reading them needs no more than gmail.modify
        body = {"criteria": {"query": "x"}, "action": {"addLabelIds": ["STARRED"]}}
        status, reason, _ = refused(gmail.settings().filters().create(userId="me", body=body))
    assert (status, reason) == (403, "insufficientPermissions")


def test_a_switched_off_api_says_so(sandbox: Sandbox, gmail: Any) -> None:
    sandbox.world.api_enabled = False
    assert refused(gmail.labels().list(userId="me"))[:2] == (403, "accessNotConfigured")


def test_another_users_mailbox_is_closed(sandbox: Sandbox, gmail: Any) -> None:
    sandbox.add_user("second@example.com")
    assert refused(gmail.labels().list(userId="second@example.com"))[0] == 403


def test_conversations_join_by_references_or_by_sender_and_subject(sandbox: Sandbox, gmail: Any) -> None:
    first = sandbox.deliver(SELLER, mail("Plan", Message_ID="<1@x>"))
    reply = sandbox.deliver(SELLER, mail("Re: Plan", sender="b@example.org", In_Reply_To="<1@x>"))
    again = sandbox.deliver(SELLER, mail("plan"))
    other = sandbox.deliver(SELLER, mail("Plan", sender="c@example.org"))
    renamed = sandbox.deliver(SELLER, mail("New plan", sender="d@example.org", References="<1@x>"))
    thread = gmail.threads().get(userId="me", id=first, format="minimal").execute()
    assert [message["id"] for message in thread["messages"]] == [first, reply, again]
    listed = gmail.threads().list(userId="me", q="in:inbox").execute()["threads"]
    assert [one["id"] for one in listed] == [renamed, other, first]
    page = gmail.threads().list(userId="me", maxResults=2).execute()
    rest = gmail.threads().list(userId="me", maxResults=2, pageToken=page["nextPageToken"]).execute()
    assert [one["id"] for one in (*page["threads"], *rest["threads"])] == [renamed, other, first]


def test_history_tells_labels_of_filters_with_the_arrival(sandbox: Sandbox, gmail: Any) -> None:
    start = gmail.getProfile(userId="me").execute()["historyId"]
    label = sandbox.user(SELLER).create_label("Work")
    sandbox.user(SELLER).create_filter({"subject": "hello"}, {"addLabelIds": [label]})
    message_id = sandbox.deliver(SELLER, mail())
    sandbox.user(SELLER).mark_read(message_id)
    changes = gmail.history().list(userId="me", startHistoryId=start).execute()["history"]
    assert changes[0]["messagesAdded"][0]["message"]["labelIds"] == ["INBOX", label, "UNREAD"]
    assert changes[1]["labelsRemoved"][0]["labelIds"] == ["UNREAD"]
    only = gmail.history().list(userId="me", startHistoryId=start, historyTypes=["labelAdded"]).execute()
    assert "history" not in only


def test_history_that_is_too_old_is_404(sandbox: Sandbox, gmail: Any) -> None:
    start = gmail.getProfile(userId="me").execute()["historyId"]
    sandbox.deliver(SELLER, mail())
    sandbox.user(SELLER).forget_history()
    assert refused(gmail.history().list(userId="me", startHistoryId=start))[0] == 404


def test_mail_keeps_the_time_at_which_it_came(sandbox: Sandbox, gmail: Any) -> None:
    moment = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    message_id = sandbox.deliver(SELLER, mail(), received_at=moment)
    reply = gmail.messages().get(userId="me", id=message_id, format="minimal").execute()
    assert int(reply["internalDate"]) == moment.timestamp() * 1000


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\x00" * 100,
        b"Content-Type: multipart/mixed\r\n\r\nx",
        b"Content-Type: text/plain; charset=no\r\n\r\n\xff",
    ],
)
def test_mail_that_is_not_mime_is_kept_and_readable(sandbox: Sandbox, gmail: Any, raw: bytes) -> None:
    message_id = sandbox.deliver(SELLER, raw)
    reply = gmail.messages().get(userId="me", id=message_id, format="full").execute()
    assert reply["payload"]["mimeType"]


def test_mail_nested_beyond_the_parser_is_kept(sandbox: Sandbox, gmail: Any) -> None:
    raw = b"Subject: deep\r\n" + b"".join(
        f"Content-Type: multipart/mixed; boundary=b{n}\r\n\r\n--b{n}\r\n".encode() for n in range(1500)
    )
    message_id = sandbox.deliver(SELLER, raw)
    reply = gmail.messages().get(userId="me", id=message_id, format="full").execute()
    assert reply["payload"]["headers"][0] == {"name": "Subject", "value": "deep"}
