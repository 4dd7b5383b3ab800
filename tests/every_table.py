"""A data directory with something in every table, and how the program reads it.

``PYTHONPATH=. .venv/bin/python tests/every_table.py`` writes it as files of this version's formats, for the tests of
this version and all later ones. Files that are there already are left alone.
"""

import tempfile
from contextlib import closing
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from oauth_web.access.owners import Owners
from oauth_web.access.pending import Pending
from oauth_web.access.sessions import OWNER, Sessions
from worker.block_list.block_list import BlockList
from worker.block_list.model import Sighting
from worker.block_list.review import Review, ReviewItem
from worker.database import DATABASE, Database, close_for_good, format_time, open_database
from worker.database.schema import VERSION
from worker.gate.record import GateRecord, Refused
from worker.gate.settings import GateSettings, StoredGate
from worker.gmail.credentials import Grant
from worker.mailbox_pass.judged import JudgedIds
from worker.mailbox_pass.unreadable import Unreadable
from worker.notices.doubts import Doubt, Reason
from worker.notifications import Destinations, Notification, Queue
from worker.operation import backup_file
from worker.operation.alerts import LOOKS, Alerts
from worker.operation.backup import backup
from worker.operation.health import Problem
from worker.owner.accounts import Accounts
from worker.owner.preferences import Preferences, change_preferences, read_preferences
from worker.owner.tokens import Tokens
from worker.problems import Cause, MailboxProblem
from worker.publish import Copies, Copy
from worker.sealing import Sealer, open_sealer
from worker.webhook import Announcements, Message, Webhook

DATABASES = Path(__file__).parent / "database" / "versions"  # a folder for each version
BACKUPS = Path(__file__).parent / "backups" / "earlier"
PASSPHRASE = "staple of invented words"
KEY = "aW52ZW50ZWQgZm9yIHRoZSB0ZXN0cyBvZiBmb3JtYXQ="

NOW = datetime(2026, 11, 26, 10, 0, tzinfo=UTC)
EMAIL = "seller@gmail.example"
GRANT = Grant("1//refresh-token", "client-id", "client-secret", "https://oauth2.example/token")
PREFERENCES = Preferences(expire_after_days=365, sync_interval=120)
PROBLEM = MailboxProblem(Cause.UNREACHABLE, {"why": "no route"})
WAITING = Message(id="1", type="problem.began", at="2026-11-26T10:00:00Z", data={"kind": "disk"})
NEWS = Notification(id="1", title="A problem", text="The disk is full.", at="2026-11-26T10:00:00Z")
GATE = GateSettings(
    upstream="smtp.example.com", upstream_port=465, upstream_user="shop", upstream_password="invented"
)
COPY = Copy(path="/srv/blocks.csv", format="csv", filters={"reason": "manual"}, written_at=NOW, blocks=1)
REASON = Reason(Doubt.LOOKALIKE_ADDRESS)

NOTICED, BY_HAND, IMPORTED, UNBLOCKED = (f"buyer{number:010d}@marketplace.amazon.it" for number in range(4))
ORDER, ORDER_ALONE = "406-1234508-7654301", "406-2345619-8765412"
SUSPECT = ReviewItem(
    account=EMAIL,
    gmail_id="1a",
    message_id="suspect@mail.example",
    received_at=NOW,
    reason=REASON,
    subject="Your message to a buyer could not be delivered",
    sender="Amazon <donotreply@arnazon.example>",
)


def fill(database: Database, sealer: Sealer) -> None:
    """Put something into every table."""
    _fill_list(database)
    accounts = Accounts(database, sealer)
    accounts.connect(EMAIL, GRANT, now=NOW)
    accounts.update(
        EMAIL, problem=PROBLEM, state="problem", last_good_pass=NOW, notice_days=(date(2026, 11, 25),)
    )
    Owners(database).claim(EMAIL)
    Tokens(database).create("listmonk", now=NOW)
    change_preferences(database, lambda _: PREFERENCES)
    StoredGate(database, sealer).save(GATE)
    Destinations(database, sealer).add_mailbox(EMAIL)
    Queue(database).put(NEWS)
    database.documents("summaries").put({"2026-11-23": {"until": format_time(NOW)}})
    Copies(database).add(COPY)
    gate = GateRecord(database)
    gate.refused(NOTICED, NOW)
    gate.flush()
    webhook = Webhook(database, sealer)
    webhook.set("https://hooks.example/optouts")
    hook = webhook.existing()
    webhook.update(hook, hook.failed("It did not answer.", NOW))
    Announcements(database).add(WAITING)
    Sessions(database, sealer, lambda: NOW).put("browser", {OWNER: EMAIL}, new=True)
    waiting = Pending(database, lambda: NOW, kind="import", lifetime=timedelta(minutes=30), limit=5)
    waiting.add("preview", {"source": "optouts.csv"}, session_id="browser")
    JudgedIds(database, EMAIL).add(["1a"], NOW)
    database.documents("unresolved").put({f"{EMAIL} {ORDER_ALONE}": {"tries": 1, "next_try": NOW}})
    Unreadable(database, EMAIL).failed(["3c"], NOW, alone=False)
    alerts = Alerts(database, Announcements(database))
    for _ in range(LOOKS):
        alerts.look([Problem("disk", "", "The disk is nearly full.")], NOW)


def _fill_list(database: Database) -> None:
    block_list = BlockList(database, now=lambda: NOW)
    notice = Sighting(
        account=EMAIL,
        message_id="notice@mail.example",
        received_at=NOW - timedelta(days=1),
        address=NOTICED,
        order_id=ORDER,
        sent_on=date(2026, 11, 24),
    )
    alone = replace(notice, message_id="alone@mail.example", address=None, order_id=ORDER_ALONE)
    block_list.record([notice, alone])
    block_list.block([BY_HAND, UNBLOCKED], note="asked by telephone", by="test")
    block_list.unblock(UNBLOCKED, by="test")
    block_list.apply_import(block_list.preview_import(IMPORTED.encode()), source="list.txt", by="test")
    review = Review(database)
    review.add([SUSPECT, replace(SUSPECT, gmail_id="2b")])
    review.decide([f"{EMAIL}:2b"], "dismissed")


def check(database: Database) -> None:
    """Read every table by the stores that use it; what was filled in must be there."""
    block_list = BlockList(database)
    blocks = {block.key: block for block in block_list.blocks()}
    assert set(blocks) == {NOTICED, ORDER_ALONE, BY_HAND, IMPORTED}
    assert [it.blocked for it in block_list.check([ORDER, UNBLOCKED])] == [True, False]
    assert blocks[BY_HAND].note == "asked by telephone"
    noticed = block_list.get(ORDER)
    assert noticed is not None
    assert [it.sent_on for it in noticed.evidence] == [date(2026, 11, 24)]
    assert len(block_list) == 4
    assert [(it.source, it.added) for it in block_list.imports()] == [("list.txt", 1)]
    assert [it.what for it in database.events()] == ["record", "block", "unblock", "import"]
    assert Review(database).items() == [SUSPECT]
    assert not Review(database).add([replace(SUSPECT, gmail_id="2b")]), "it was dismissed"
    (account,) = Accounts(database, Sealer("")).all()
    assert (account.email, account.problem, account.notice_days) == (EMAIL, PROBLEM, (date(2026, 11, 25),))
    assert Owners(database).emails() == {EMAIL}
    assert [it.name for it in Tokens(database).all()] == ["listmonk"]
    assert read_preferences(database) == PREFERENCES
    assert WAITING in Announcements(database).waiting()
    assert GateRecord(database).read().lately == (Refused(NOTICED, NOW),)
    [told] = database.documents("destinations").all()
    assert NEWS in Queue(database).waiting(str(told.doc_id), limit=9)
    assert Copies(database).all() in ([COPY], []), "none comes out of a backup"
    assert "1a" in JudgedIds(database, EMAIL)
    assert database.documents("unresolved").find(f"{EMAIL} {ORDER_ALONE}") == {
        "tries": 1,
        "next_try": NOW.isoformat(),
    }
    assert Unreadable(database, EMAIL).waiting(NOW) == {"3c"}
    alerts = Alerts(database, Announcements(database))
    for _ in range(LOOKS):
        alerts.look([Problem("disk", "", "The disk is nearly full.")], NOW)
    assert len(Announcements(database).waiting()) == 2, "the owner knows of the disk already"


def check_sealed(database: Database, sealer: Sealer) -> None:
    """Read what the key of the data directory opens."""
    assert Accounts(database, sealer).grant(EMAIL) == GRANT
    gate = StoredGate(database, sealer).existing()
    assert replace(gate, tool_hash="") == GATE
    hook = Webhook(database, sealer).existing()
    assert (hook.url, hook.failures, hook.position.sequence) == ("https://hooks.example/optouts", 1, 4)


def check_session(database: Database, sealer: Sealer) -> None:
    """Read the session, which no backup holds."""
    assert Sessions(database, sealer, lambda: NOW).get("browser") == {OWNER: EMAIL}


def main() -> None:
    """Write the files of this version's formats."""
    with tempfile.TemporaryDirectory() as folder:
        data_dir = Path(folder)
        with closing(open_database(data_dir)) as database:
            (data_dir / "secret.key").write_text(KEY, encoding="utf-8")
            fill(database, open_sealer(data_dir, None))
        close_for_good(data_dir / DATABASE)  # all of it is in one file then
        kept = DATABASES / str(VERSION) / DATABASE
        if not kept.exists():
            kept.parent.mkdir(parents=True)
            kept.write_bytes((data_dir / DATABASE).read_bytes())
        name = f"version-{backup_file.FORMAT.partition('/')[2]}"
        for path, passphrase in ((f"{name}.backup", None), (f"{name}-sealed.backup", PASSPHRASE)):
            if not (BACKUPS / path).exists():
                backup(data_dir, BACKUPS / path, passphrase, now=NOW)


if __name__ == "__main__":
    main()
