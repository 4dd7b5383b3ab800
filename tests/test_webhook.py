"""The webhook: in order, at least once, for a day, and then not lost."""

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from cryptography.fernet import Fernet
from filelock import FileLock

from worker.block_list.block_list import BlockList
from worker.errors import BusyError, DamagedFileError, UsageError
from worker.sealing import Sealer, UnsealError
from worker.webhook import Webhook, deliver_due, standing, try_out
from worker.webhook.cli import webhook as command
from worker.webhook.message import Message, headers
from worker.webhook.outbox import EVENTS_AT_ONCE

URL = "https://shop.example/hook"
ALIAS = "w0455ph9mvtwg42@marketplace.amazon.it"
ORDER = "406-5322013-9383523"
START = datetime(2026, 11, 23, 10, tzinfo=UTC)
KEY = Fernet.generate_key().decode()


def alias(number: int) -> str:
    return f"buyer{number:05}@marketplace.amazon.it"


class Receiver:
    """The other side. It takes messages unless a test says otherwise, and remembers all that came."""

    def __init__(self) -> None:
        self.problem = ""
        self.tries = 0
        self.taken: list[dict[str, Any]] = []
        self.ids: list[str] = []
        self.urls: list[str] = []
        self.meanwhile: Callable[[], object] = lambda: None

    def __call__(self, url: str, headers: Mapping[str, str], body: bytes, *, allow_private: bool) -> str:
        assert not allow_private
        self.tries += 1
        self.meanwhile()
        if not self.problem:
            self.urls.append(url)
            self.ids.append(headers["webhook-id"])
            self.taken.append(json.loads(body))
        return self.problem

    @property
    def events(self) -> list[tuple[str, str]]:
        found = [event for message in self.taken for event in message["data"].get("events", [])]
        return [(event["type"], event["key"]) for event in found]


class Now:
    def __init__(self) -> None:
        self.moment = START

    def __call__(self) -> datetime:
        return self.moment

    def pass_by(self, **span: float) -> None:
        self.moment += timedelta(**span)


@pytest.fixture
def now() -> Now:
    return Now()


@pytest.fixture
def receiver() -> Receiver:
    return Receiver()


@pytest.fixture
def block_list(tmp_path: Path, now: Now) -> BlockList:
    return BlockList(tmp_path, now=now)


@pytest.fixture
def webhook(tmp_path: Path, block_list: BlockList) -> Webhook:
    webhook = Webhook(tmp_path, Sealer(KEY))
    webhook.set(URL, block_list=block_list)
    return webhook


@pytest.fixture
def deliver(webhook: Webhook, block_list: BlockList, now: Now, receiver: Receiver) -> Callable[[], int]:
    return lambda: deliver_due(webhook, block_list, now=now, send=receiver)


def test_blocks_and_unblocks_are_told_in_order(
    deliver: Callable[[], int], block_list: BlockList, receiver: Receiver
) -> None:
    block_list.block([ALIAS, ORDER], note="asked", by="test")
    block_list.unblock(ALIAS, by="test")
    block_list.block([ALIAS, alias(1)], by="test")
    assert deliver() == 1
    assert receiver.events == [
        ("blocked", ALIAS),
        ("blocked", ORDER),
        ("unblocked", ALIAS),
        ("blocked", ALIAS),
        ("blocked", alias(1)),
    ]
    message = receiver.taken[0]
    assert message["type"] == "blocks.changed"
    first = message["data"]["events"][0]
    assert first["at"] == message["timestamp"] == "2026-11-23T10:00:00Z"
    assert (first["block"]["address"], first["block"]["note"]) == (ALIAS, "asked")
    assert len({event["id"] for event in message["data"]["events"]}) == 5


def test_what_was_told_is_not_told_again(
    deliver: Callable[[], int], block_list: BlockList, receiver: Receiver
) -> None:
    block_list.block([ALIAS], by="test")
    assert [deliver(), deliver()] == [1, 0]
    block_list.block([alias(1)], by="test")
    assert [deliver(), deliver()] == [1, 0]
    assert receiver.events == [("blocked", ALIAS), ("blocked", alias(1))]


def test_what_was_there_before_is_not_told(
    tmp_path: Path, block_list: BlockList, now: Now, receiver: Receiver
) -> None:
    block_list.block([ALIAS], by="test")
    webhook = Webhook(tmp_path, Sealer(KEY))
    webhook.set(URL, block_list=block_list)
    assert deliver_due(webhook, block_list, now=now, send=receiver) == 0
    block_list.unblock(ALIAS, by="test")
    assert deliver_due(webhook, block_list, now=now, send=receiver) == 1
    assert receiver.events == [("unblocked", ALIAS)]


def test_without_a_webhook_nothing_is_sent(
    tmp_path: Path, block_list: BlockList, now: Now, receiver: Receiver
) -> None:
    block_list.block([ALIAS], by="test")
    assert deliver_due(Webhook(tmp_path, Sealer(KEY)), block_list, now=now, send=receiver) == 0
    assert receiver.tries == 0


def test_an_order_that_finds_its_buyer_is_not_told_as_unblocked(
    deliver: Callable[[], int], block_list: BlockList, receiver: Receiver
) -> None:
    block_list.block([ORDER], by="test")
    deliver()
    block_list.resolve(ORDER, ALIAS, by="test")
    deliver()
    assert receiver.events == [("blocked", ORDER), ("blocked", ALIAS)]
    assert receiver.taken[1]["data"]["events"][0]["block"]["orders"] == [ORDER]


def test_an_import_that_is_taken_back_is_told_as_unblocked(
    deliver: Callable[[], int], block_list: BlockList, receiver: Receiver
) -> None:
    made = block_list.apply_import(block_list.preview_import(ALIAS.encode()), by="test")
    block_list.undo_import(made.id, by="test")
    deliver()
    assert receiver.events == [("unblocked", ALIAS)]  # blocked for a moment that is over


def test_a_change_that_blocks_nobody_new_is_not_told_but_done_with(
    deliver: Callable[[], int], webhook: Webhook, block_list: BlockList, receiver: Receiver
) -> None:
    block_list.block([ALIAS], by="test")
    deliver()
    block_list.block([ALIAS], note="a better note", by="test")
    assert deliver() == 0
    assert receiver.tries == 1
    assert webhook.existing().place == standing(block_list)


def test_many_changes_go_in_messages_of_bounded_size(
    deliver: Callable[[], int], block_list: BlockList, receiver: Receiver
) -> None:
    keys = [alias(number) for number in range(EVENTS_AT_ONCE * 2 + 50)]
    block_list.block(keys, by="test")
    assert deliver() == 3
    assert [len(message["data"]["events"]) for message in receiver.taken] == [100, 100, 50]
    assert receiver.events == [("blocked", key) for key in keys]
    assert deliver() == 0


def test_a_failure_in_the_middle_goes_on_there(
    deliver: Callable[[], int], block_list: BlockList, receiver: Receiver, now: Now
) -> None:
    def fail_at_the_second() -> None:
        receiver.problem = "status 500" if receiver.tries == 2 else ""

    keys = [alias(number) for number in range(250)]
    block_list.block(keys, by="test")
    receiver.meanwhile = fail_at_the_second
    assert deliver() == 1
    assert deliver() == 0  # not due yet
    now.pass_by(seconds=5)
    block_list.unblock(keys[0], by="test")
    assert deliver() == 2
    assert receiver.events == [*(("blocked", key) for key in keys), ("unblocked", keys[0])]


def test_a_message_that_was_taken_but_not_noted_is_told_again_alike(
    webhook: Webhook,
    block_list: BlockList,
    receiver: Receiver,
    now: Now,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def killed(*_: object) -> bool:
        raise KeyboardInterrupt

    block_list.block([ALIAS], by="test")
    with monkeypatch.context() as patch:
        patch.setattr(Webhook, "update", killed)
        with pytest.raises(KeyboardInterrupt):
            deliver_due(webhook, block_list, now=now, send=receiver)
    now.pass_by(hours=1)
    deliver_due(webhook, block_list, now=now, send=receiver)
    assert receiver.taken[0] == receiver.taken[1]
    assert receiver.ids[0] == receiver.ids[1]


def test_a_message_that_has_grown_since_has_another_id(
    deliver: Callable[[], int], webhook: Webhook, block_list: BlockList, receiver: Receiver, now: Now
) -> None:
    before = webhook.get()
    block_list.block([ALIAS], by="test")
    deliver()
    after = webhook.get()
    assert before is not None
    assert after is not None
    webhook.update(after, before)  # as if the answer had been lost
    block_list.block([alias(1)], by="test")
    now.pass_by(minutes=1)
    deliver()
    assert receiver.ids[0] != receiver.ids[1]
    assert receiver.taken[0]["data"]["events"][0]["id"] == receiver.taken[1]["data"]["events"][0]["id"]


def test_failures_are_tried_again_ever_later_for_a_day_and_then_paused(
    deliver: Callable[[], int], webhook: Webhook, block_list: BlockList, receiver: Receiver, now: Now
) -> None:
    block_list.block([ALIAS], by="test")
    receiver.problem = "shop.example answered with status 500."
    moments = []
    for _ in range(3 * 24 * 60):
        tries = receiver.tries
        deliver()
        if receiver.tries > tries:
            moments.append((now.moment - START).total_seconds())
        now.pass_by(minutes=1)
    waits = [later - earlier for earlier, later in pairwise(moments)]
    assert waits[:4] == [60, 60, 60, 60]  # 5, 10, 20, 40 seconds, and a look once a minute
    assert waits == sorted(waits)
    assert waits[-1] == 3600
    assert 24 * 3600 <= moments[-1] <= 25 * 3600
    hook = webhook.get()
    assert hook is not None
    assert (hook.paused, hook.problem) == (True, receiver.problem)


def test_a_paused_webhook_goes_on_where_it_stopped(
    deliver: Callable[[], int], webhook: Webhook, block_list: BlockList, receiver: Receiver, now: Now
) -> None:
    block_list.block([ALIAS], by="test")
    receiver.problem = "status 500"
    deliver()
    now.pass_by(days=1)
    deliver()
    receiver.problem = ""
    now.pass_by(days=30)
    block_list.block([alias(1)], by="test")
    assert deliver() == 0
    webhook.resume()
    assert deliver() == 1
    assert receiver.events == [("blocked", ALIAS), ("blocked", alias(1))]
    hook = webhook.get()
    assert hook is not None
    assert (hook.failures, hook.problem, hook.paused) == (0, "", False)


def test_another_address_gets_what_the_old_one_did_not_take(
    deliver: Callable[[], int], webhook: Webhook, block_list: BlockList, receiver: Receiver
) -> None:
    block_list.block([ALIAS], by="test")
    receiver.problem = "status 404"
    deliver()
    webhook.set("https://other.example/", block_list=block_list)
    receiver.problem = ""
    assert deliver() == 1
    assert receiver.urls == ["https://other.example/"]
    assert receiver.events == [("blocked", ALIAS)]


def test_an_address_set_while_a_message_is_under_way_is_kept(
    deliver: Callable[[], int], webhook: Webhook, block_list: BlockList, receiver: Receiver
) -> None:
    block_list.block([alias(number) for number in range(150)], by="test")
    receiver.meanwhile = lambda: webhook.set("https://other.example/", block_list=block_list)
    deliver()
    receiver.meanwhile = lambda: None
    hook = webhook.get()
    assert hook is not None
    assert hook.url == "https://other.example/"
    deliver()
    assert receiver.urls == [URL, "https://other.example/", "https://other.example/"]


def test_a_restored_list_is_told_as_replaced(
    deliver: Callable[[], int], block_list: BlockList, receiver: Receiver, tmp_path: Path
) -> None:
    block_list.block([ALIAS], by="test")
    backup = tmp_path / "backup"
    backup.write_bytes(b"".join(block_list.backup()))
    for number in range(2):
        block_list.block([alias(number)], by="test")
        block_list.restore(backup)
        deliver()
        assert [message["type"] for message in receiver.taken] == ["blocks.replaced"]
        receiver.taken.clear()
        assert deliver() == 0
        block_list.block([alias(10 + number)], by="test")
        deliver()
        assert receiver.events == [("blocked", alias(10 + number))]
        receiver.taken.clear()


def test_a_trail_with_a_gap_is_told_as_replaced(
    deliver: Callable[[], int],
    webhook: Webhook,
    block_list: BlockList,
    receiver: Receiver,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for number in range(3):
        block_list.block([alias(number)], by="test")
    lines = list(block_list.audit())
    for left in ([lines[0], lines[2]], lines[:2], lines[1:], []):
        hook = webhook.get()
        assert hook is not None
        with monkeypatch.context() as patch:
            patch.setattr(BlockList, "audit", lambda _, left=left: iter(left))
            deliver()
        assert receiver.taken[-1]["type"] == "blocks.replaced"
        told = webhook.get()
        assert told is not None
        assert told.place == standing(block_list)
        webhook.update(told, hook)


def test_changes_of_before_a_compaction_are_told(tmp_path: Path, now: Now, receiver: Receiver) -> None:
    block_list = BlockList(tmp_path, now=now, compact_at=500)
    webhook = Webhook(tmp_path, Sealer(KEY))
    webhook.set(URL, block_list=block_list)
    keys = [alias(number) for number in range(30)]
    for key in keys:
        block_list.block([key], by="test")
    deliver_due(webhook, BlockList(tmp_path), now=now, send=receiver)
    assert receiver.events == [("blocked", key) for key in keys]


def test_the_signature_is_that_of_the_specification() -> None:
    signed = headers(
        Message("msg_p5jXN8AQM9LWM0D4loKWxJek", b'{"test": 2432232314}'),
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        now=datetime.fromtimestamp(1614265330, UTC),
    )
    assert signed["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    assert signed["webhook-timestamp"] == "1614265330"


def test_the_file_does_not_hold_the_secret(tmp_path: Path, block_list: BlockList) -> None:
    secret = Webhook(tmp_path, Sealer(KEY)).set(URL, block_list=block_list)
    content = (tmp_path / "webhook.json").read_text()
    assert secret.removeprefix("whsec_") not in content
    hook = Webhook(tmp_path, Sealer(KEY)).get()
    assert hook is not None
    assert hook.secret == secret
    assert secret not in repr(hook)


def test_a_webhook_that_cannot_be_read_can_be_removed(
    webhook: Webhook, tmp_path: Path, block_list: BlockList
) -> None:
    with pytest.raises(UnsealError):
        Webhook(tmp_path, Sealer("another key")).get()
    (tmp_path / "webhook.json").write_text("{")
    with pytest.raises(DamagedFileError):
        webhook.set(URL, block_list=block_list)
    assert webhook.remove()
    assert webhook.get() is None
    assert not webhook.remove()


def test_a_test_message_tells_nothing(
    webhook: Webhook, receiver: Receiver, deliver: Callable[[], int], block_list: BlockList
) -> None:
    assert try_out(webhook, now=START, send=receiver) == ""
    assert receiver.taken == [{"type": "test", "timestamp": "2026-11-23T10:00:00Z", "data": {}}]
    receiver.problem = "status 500"
    assert try_out(webhook, now=START, send=receiver) == "status 500"
    block_list.block([ALIAS], by="test")
    receiver.problem = ""
    assert deliver() == 1


def test_the_commands_set_show_and_remove(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BUYERBLOCK_DATA_DIR", str(tmp_path / "new"))

    def call(*arguments: str) -> str:
        result = CliRunner().invoke(command, arguments, catch_exceptions=False)
        assert result.exit_code == 0
        return result.stdout

    assert call("set", URL).startswith("whsec_")
    assert call("show").strip() == URL
    webhook = Webhook(tmp_path / "new", Sealer((tmp_path / "new" / "secret.key").read_text()))
    hook = webhook.existing()
    webhook.update(hook, hook.failed("shop.example answered with status 500.", START))
    shown = call("show")
    assert "Failed 1 times in a row: shop.example answered with status 500." in shown
    assert "Next try at 2026-11-23 10:00:05 UTC." in shown
    call("resume")
    assert call("show").strip() == URL
    assert call("remove").strip() == "The webhook is removed."
    assert call("remove").strip() == "There was no webhook."
    for name in ("show", "resume", "test"):
        with pytest.raises(UsageError, match="There is no webhook"):
            call(name)


def test_a_state_file_held_by_another_process_is_waited_for(
    webhook: Webhook, tmp_path: Path, block_list: BlockList, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("worker.webhook.hook._LOCK_SECONDS", 0.01)
    with FileLock(tmp_path / "webhook.lock"), pytest.raises(BusyError):
        webhook.set(URL, block_list=block_list)
