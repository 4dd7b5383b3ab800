"""The webhook as it is set, kept and signed."""

from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner
from receiving import ALIAS, KEY, START, URL, Receiver, alias

from worker.block_list.block_list import BlockList
from worker.cli.webhook import webhook as command
from worker.database import Database, open_database
from worker.errors import UsageError
from worker.sealing import Sealer, UnsealError
from worker.webhook import Webhook, send_test
from worker.webhook.message import headers


def test_another_address_gets_what_the_old_one_did_not_take(
    deliver: Callable[[], int], webhook: Webhook, block_list: BlockList, receiver: Receiver
) -> None:
    block_list.block([ALIAS], by="test")
    receiver.problem = "status 404"
    deliver()
    webhook.set("https://other.example/")
    receiver.problem = ""
    assert deliver() == 1
    assert receiver.urls == ["https://other.example/"]
    assert receiver.events == [("blocked", ALIAS)]


def test_an_address_set_while_a_message_is_under_way_is_kept(
    deliver: Callable[[], int], webhook: Webhook, block_list: BlockList, receiver: Receiver
) -> None:
    block_list.block([alias(number) for number in range(150)], by="test")
    receiver.meanwhile = lambda: webhook.set("https://other.example/")
    deliver()
    receiver.meanwhile = lambda: None
    hook = webhook.get()
    assert hook is not None
    assert hook.url == "https://other.example/"
    deliver()
    assert receiver.urls == [URL, "https://other.example/", "https://other.example/"]


def test_the_signature_is_that_of_the_specification() -> None:
    signed = headers(
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        b'{"test": 2432232314}',
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        now=datetime.fromtimestamp(1614265330, UTC),
    )
    assert signed["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    assert signed["webhook-timestamp"] == "1614265330"


def test_the_database_does_not_hold_the_secret(database: Database) -> None:
    secret = Webhook(database, Sealer(KEY)).set(URL)
    content = str(database.documents("webhook").all())
    assert URL in content
    assert secret.removeprefix("whsec_") not in content
    hook = Webhook(database, Sealer(KEY)).get()
    assert hook is not None
    assert hook.secret == secret
    assert secret not in repr(hook)


def test_a_webhook_that_cannot_be_read_can_be_removed(webhook: Webhook, database: Database) -> None:
    with pytest.raises(UnsealError):
        Webhook(database, Sealer("another key")).get()
    database.documents("webhook").update({"position": 7})
    assert webhook.get() is None
    assert database.set_aside() == {"webhook": 1}
    webhook.set(URL)
    assert webhook.remove()
    assert webhook.get() is None
    assert not webhook.remove()


def test_a_test_message_tells_nothing(
    webhook: Webhook, receiver: Receiver, deliver: Callable[[], int], block_list: BlockList
) -> None:
    assert send_test(webhook, now=START, send=receiver) == ""
    assert receiver.taken == [{"type": "test", "timestamp": "2026-11-23T10:00:00Z", "data": {}}]
    receiver.problem = "status 500"
    assert send_test(webhook, now=START, send=receiver) == "status 500"
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
    with closing(open_database(tmp_path / "new")) as database:
        webhook = Webhook(database, Sealer((tmp_path / "new" / "secret.key").read_text()))
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
