"""The database of the commands, and the key to the secrets in it."""

from typing import TYPE_CHECKING

import click

from worker.errors import SettingsError
from worker.settings import Settings, current_settings

if TYPE_CHECKING:
    from worker.database import Database
    from worker.sealing import Sealer


def require_database() -> Settings:
    """Return the settings, if their data directory has a database. Raises SettingsError.

    Another user or a mistyped setting means another folder. A new database there would do harm: ``check`` would find an
    empty list and report every buyer as not blocked.
    """
    from worker.database import exists

    settings = current_settings()
    if not exists(settings.data_dir):
        raise SettingsError(
            "There is no block list in {data_dir}; start buyerblock first, or name the folder that has one "
            "in BUYERBLOCK_DATA_DIR.",
            data_dir=settings.data_dir,
        )
    return settings


def open_for_command(*, new: bool = False) -> "Database":
    """Return the database, which is closed at the end of the command. new: create it if there is none.

    Raises SettingsError, StorageError.
    """
    from worker.database import open_database
    from worker.files import make_private_directory

    settings = current_settings() if new else require_database()
    make_private_directory(settings.data_dir)
    database = open_database(settings.data_dir)
    click.get_current_context().call_on_close(database.close)
    return database


def sealer_for_command() -> "Sealer":
    """Return the sealer of the secrets in the database. Raises StorageError."""
    from worker.sealing import open_sealer

    settings = current_settings()
    return open_sealer(settings.data_dir, settings.secret_key)
