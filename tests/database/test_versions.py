"""Every version opens the databases of all earlier ones."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from every_table import DATABASES, KEY, check, check_sealed, check_session

from worker.block_list.block_list import BlockList
from worker.database import DATABASE, open_database
from worker.database.schema import TABLES, VERSION
from worker.database.sqlite_file import has_current_schema
from worker.sealing import Sealer

VERSIONS = sorted(path.name for path in DATABASES.iterdir())


@pytest.fixture(params=VERSIONS)
def data_dir(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A data directory as that version has left it."""
    shutil.copyfile(DATABASES / request.param / DATABASE, tmp_path / DATABASE)
    return tmp_path


def test_everything_that_a_version_stored_is_read(data_dir: Path) -> None:
    with closing(open_database(data_dir)) as database:
        database.engine.check()
        check(database)
        check_sealed(database, Sealer(KEY))
        check_session(database, Sealer(KEY))


def test_what_a_version_stored_can_be_changed(data_dir: Path) -> None:
    with closing(open_database(data_dir)) as database:
        for block in list(BlockList(database).blocks()):
            assert BlockList(database).unblock(block.key, by="test")
        assert BlockList(database).undo_import(BlockList(database).imports()[0].id, by="test") == 1
    with closing(open_database(data_dir)) as database:
        assert len(BlockList(database)) == 0
        assert database.documents("counts").all() == []
        assert len(database.documents("unblocked")) == 4


def test_every_table_of_this_version_has_something_in_its_file(tmp_path: Path) -> None:
    shutil.copyfile(DATABASES / str(VERSION) / DATABASE, tmp_path / DATABASE)
    with closing(open_database(tmp_path)) as database:
        assert database.tables() == set(TABLES)


def test_tables_and_indexes_change_only_with_a_new_version() -> None:
    path = DATABASES / str(VERSION) / DATABASE
    with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro&immutable=1", uri=True)) as connection:
        assert has_current_schema(connection), (
            f"Count VERSION on in schema.py, have databases of version {VERSION} taken over when they are opened, "
            "and make the files of the new version by tests/every_table.py."
        )
