"""The system refuses one call after the other: each command ends in a sentence, and did all of its work or none."""

import gzip
import os
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest

from worker.block_list.block_list import BlockList
from worker.database import open_database, opening
from worker.database.sqlite import SQLite
from worker.errors import BuyerblockError
from worker.files import write_atomically
from worker.operation.backup import backup, rotate
from worker.operation.restore import finish_restore, restore

pytestmark = pytest.mark.skipif(os.name != "posix", reason="These calls are what POSIX systems have.")

CALLS = ("open", "fsync", "replace", "link", "stat", "unlink", "mkdir", "scandir", "close")
ON_THE_LIST, ANOTHER, THIRD = (f"111-1111111-{number:07}" for number in range(3))


class Refusals:
    """Refuses the call of this number, once. 0 refuses none."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.number = self.made = 0
        for name in CALLS:
            patch.setattr(os, name, self._refusing(getattr(os, name)))

    def _refusing(self, call: Callable[..., object]) -> Callable[..., object]:
        def made(*arguments: object, **options: object) -> object:
            self.made += 1
            if self.made == self.number:
                raise OSError(28, "No space left on device")
            return call(*arguments, **options)

        return made


@pytest.fixture
def refusals() -> Iterator[Refusals]:
    with pytest.MonkeyPatch.context() as patch:
        # What was not closed holds a lock, which nobody gives back.
        patch.setattr(opening, "SQLite", partial(SQLite, patience=0.5))
        yield Refusals(patch)


def on_the_list(work: Callable[[BlockList], object]) -> Callable[[Path], object]:
    def run(folder: Path) -> None:
        with closing(open_database(folder)) as database:
            work(BlockList(database))

    return run


def imported(blocks: BlockList) -> None:
    blocks.apply_import(blocks.preview_import(f"{ANOTHER}\n{THIRD}\n".encode()), by="test")


COMMANDS: dict[str, Callable[[Path], object]] = {
    "block": on_the_list(lambda it: it.block([ANOTHER], by="test")),
    "unblock": on_the_list(lambda it: it.unblock(ON_THE_LIST, by="test")),
    "import": on_the_list(imported),
    "undo": on_the_list(lambda it: it.undo_import(it.imports()[0].id, by="test")),
    "backup": lambda folder: backup(folder, folder / "saved"),
    "daily copy": lambda folder: rotate(folder, now=datetime(2026, 11, 23, tzinfo=UTC)),
    "restore": lambda folder: restore(folder.parent / "saved", folder),
}


def state(folder: Path) -> object:
    with closing(open_database(folder)) as database:
        keys = {it.key for it in BlockList(database).blocks()}
        return keys, len(database.documents("unblocked")), len(BlockList(database).imports())


def prepared(folder: Path, command: str) -> object:
    folder.mkdir(parents=True)
    on_the_list(lambda it: it.block([ON_THE_LIST], by="test"))(folder)
    write_atomically(folder / "secret.key", b"k" * 43 + b"=")
    if command == "undo":
        on_the_list(imported)(folder)
    if command == "restore":
        backup(folder, folder.parent / "saved")
        on_the_list(lambda it: it.unblock(ON_THE_LIST, by="test"))(folder)
    return state(folder)


@pytest.mark.parametrize("command", COMMANDS)
def test_a_refused_call_is_one_sentence_and_nothing_is_half_done(
    command: str, refusals: Refusals, tmp_path: Path
) -> None:
    number = 0
    while True:
        folder = tmp_path / str(number := number + 1) / "data"
        refusals.number = 0
        before = prepared(folder, command)
        refusals.made, refusals.number = 0, number
        try:
            COMMANDS[command](folder)
            refused = ""
        except BuyerblockError as error:
            refused = str(error)
        over, refusals.number = refusals.made < number, 0
        # What says that it goes on does so at the next start; all else that was refused is not done.
        if finish_restore(folder):
            assert "The restore has begun" in refused
        elif refused:
            assert state(folder) == before, refused
        if over:
            break
    assert number > 5
    assert state(folder) != before or command in ("backup", "daily copy")


@pytest.mark.parametrize(
    "name", ["client_secret.json", "Client_Secret (1).JSON", "client_secret_7-x.apps.json", "CLIENT.json"]
)
def test_a_backup_without_a_passphrase_holds_no_client_file_however_it_is_called(
    tmp_path: Path, name: str
) -> None:
    open_database(tmp_path).close()
    (tmp_path / name).write_text('{"installed": {"client_secret": "GOCSPX-invented"}}', encoding="utf-8")
    backup(tmp_path, tmp_path / "saved")
    _, _, content = (tmp_path / "saved").read_bytes().partition(b"\n")
    assert b"GOCSPX" not in gzip.decompress(content)
    assert b"client" not in gzip.decompress(content).partition(b"\n")[0].lower()
