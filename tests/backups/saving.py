"""A data directory with something in every file, and ways to look into one."""

from datetime import UTC, datetime
from pathlib import Path

from worker.accounts import Accounts
from worker.block_list.block_list import BlockList
from worker.block_list.review import Review, ReviewItem
from worker.gmail.credentials import Grant
from worker.notices.doubts import Doubt, Reason
from worker.sealing import open_sealer

NOW = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
EMAIL = "seller@gmail.com"
GRANT = Grant("1//refresh-token", "client-id", "client-secret", "https://oauth2.example/token")
PASSPHRASE = "staple of invented words"


def alias(number: int) -> str:
    """Return the alias of an invented buyer."""
    return f"buyer{number:010d}@marketplace.amazon.it"


def accounts_of(data_dir: Path) -> Accounts:
    """Return the accounts, opened with the key that lies beside them."""
    return Accounts(data_dir, open_sealer(data_dir, None))


def keys(data_dir: Path) -> list[str]:
    """Return the keys of all blocks."""
    return sorted(block.key for block in BlockList(data_dir).blocks())


def content(data_dir: Path) -> dict[str, bytes]:
    """Return every file that is not a lock."""
    files = (path for path in data_dir.rglob("*") if path.is_file() and path.suffix != ".lock")
    return {path.relative_to(data_dir).as_posix(): path.read_bytes() for path in files}


def damage(data_dir: Path) -> None:
    """Make the block list unreadable."""
    for path in data_dir.glob("blocks.*.journal"):
        path.write_bytes(b"garbage\n")


def fill(folder: Path) -> Path:
    """Make a data directory, and return it."""
    folder.mkdir()
    BlockList(folder).block([alias(1), alias(2)], by="test")
    BlockList(folder).unblock(alias(2), by="test")
    accounts_of(folder).connect(EMAIL, GRANT, now=NOW)
    accounts_of(folder).update(EMAIL, last_good_pass=NOW, search_from=None)
    Review(folder).add(
        [
            ReviewItem(
                account=EMAIL,
                gmail_id="1a",
                message_id="m",
                received_at=NOW,
                reason=Reason(Doubt.DMARC_FAILED),
            )
        ]
    )
    (folder / "owners.json").write_bytes(b'{"owners": ["seller@gmail.com"]}')
    (folder / "client_secret.json").write_bytes(b'{"installed": {}}')
    (folder / "client_secret_7.example.com.json").write_bytes(b'{"installed": {}}')
    (folder / "sessions.sealed").write_bytes(b"sessions")
    (folder / "judged").mkdir()
    (folder / "judged" / "seller.json").write_bytes(b"{}")
    return folder
