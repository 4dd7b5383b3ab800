import pytest
from clocks import START

from worker.gmail.model import Change, Message
from worker.mailbox_pass.filing import filing
from worker.notices.doubts import Doubt, Reason
from worker.notices.model import Kind, OptOut, Suspect, Unrelated, Verdict

LABELS = {"opt-outs": "L1", "queue": "L2", "review": "L3"}
OPT_OUT = OptOut(order_id="111-1111111-1111111")
SUSPECT = Suspect(reason=Reason(Doubt.NOT_CHECKED))
UNRELATED = Unrelated(Kind.OTHER)


def change(add: str = "", remove: str = "") -> Change:
    return Change(add=frozenset(add.split()), remove=frozenset(remove.split()))


@pytest.mark.parametrize(
    ("verdict", "labels", "expected"),
    [
        (OPT_OUT, "L1 L2 UNREAD", change(remove="L2")),
        (OPT_OUT, "L2 INBOX", change(add="L1", remove="L2 INBOX")),
        (OPT_OUT, "L1 L2 INBOX", change(remove="L2 INBOX")),
        (OPT_OUT, "L2 L3 INBOX", change(add="L1", remove="L2 L3 INBOX")),
        (SUSPECT, "L1 L2", change(add="L3 INBOX", remove="L1 L2")),
        (SUSPECT, "L2 INBOX", change(add="L3", remove="L2")),
        (SUSPECT, "L2", change(add="L3", remove="L2")),
        (UNRELATED, "L1 L2", change(add="INBOX", remove="L1 L2")),
        (UNRELATED, "L2 INBOX", change(remove="L2")),
        (UNRELATED, "L2", change(remove="L2")),
    ],
)
def test_a_message_is_filed_by_its_verdict_and_where_it_lies(
    verdict: Verdict, labels: str, expected: Change
) -> None:
    message = Message(id="m", label_ids=frozenset(labels.split()), received_at=START, raw=b"")
    assert filing(verdict, message, LABELS) == expected


@pytest.mark.parametrize(
    ("verdict", "labels", "expected"),
    [
        (OPT_OUT, "L1 L2 UNREAD", change(remove="L2 UNREAD")),
        (OPT_OUT, "L1 L2", change(remove="L2")),
        (SUSPECT, "L1 L2", change(add="L3 INBOX UNREAD", remove="L1 L2")),
        (SUSPECT, "L2 INBOX", change(add="L3", remove="L2")),
        (UNRELATED, "L1 L2", change(add="INBOX UNREAD", remove="L1 L2")),
        (UNRELATED, "L2 INBOX UNREAD", change(remove="L2")),
    ],
)
def test_only_opt_outs_are_marked_as_read(verdict: Verdict, labels: str, expected: Change) -> None:
    message = Message(id="m", label_ids=frozenset(labels.split()), received_at=START, raw=b"")
    assert filing(verdict, message, LABELS, mark_read=True) == expected


@pytest.mark.parametrize("verdict", [OPT_OUT, SUSPECT, UNRELATED])
@pytest.mark.parametrize("labels", ["L2", "L1 L2", "L2 INBOX", "L1 L2 INBOX", "L2 L3", "L1 L2 L3 STARRED"])
def test_filing_a_filed_message_again_changes_nothing_but_the_queue(verdict: Verdict, labels: str) -> None:
    before = frozenset(labels.split())
    first = filing(verdict, Message(id="m", label_ids=before, received_at=START, raw=b""), LABELS)
    after = before - first.remove | first.add
    again = filing(verdict, Message(id="m", label_ids=after | {"L2"}, received_at=START, raw=b""), LABELS)
    assert (after | {"L2"}) - again.remove | again.add == after
