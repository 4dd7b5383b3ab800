"""Connections to PostgreSQL, shared by the threads of a process and by all sellers, and its errors as ours.

Nothing is kept in a session, so that PgBouncer may be used in its transaction mode.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, TypeVar

import psycopg
from psycopg import errors
from psycopg.pq import TransactionStatus
from psycopg.types.string import TextLoader
from psycopg_pool import ConnectionPool, PoolTimeout

from worker.errors import BusyError, DamagedFileError, StorageError
from worker.sentences import Sentence

Connection = psycopg.Connection[tuple[Any, ...]]

LOCKS = 0x42424C4B  # "BBLK": the first number of our advisory locks; the second is that of a tenant
_PATIENCE = 10.0  # seconds to wait for another writer, or for a connection
# Seconds of a try to connect, with pauses that grow; the next call begins a new one.
_CONNECT = 3.0
_BUSY = (errors.QueryCanceled, errors.LockNotAvailable, errors.DeadlockDetected, errors.TooManyConnections)
_DAMAGED = (
    errors.DataCorrupted,
    errors.IndexCorrupted,
    errors.UndefinedTable,
    errors.UndefinedColumn,
    errors.DataError,
)
_REASONS: dict[type[psycopg.Error], Sentence] = {
    errors.DiskFull: Sentence("The disk is full; free some space, then try again"),
    errors.ReadOnlySqlTransaction: Sentence(
        "It may not be written to; name the primary server in BUYERBLOCK_DATABASE_URL, then try again"
    ),
    errors.InsufficientPrivilege: Sentence(
        "Its user may not do this; make it the owner of the database, then try again"
    ),
}

_T = TypeVar("_T")


class Pool:
    """As many connections as are needed at once, up to a number; more wait. patience: seconds that a call may wait."""

    def __init__(self, url: str, *, connections: int = 16, patience: float = _PATIENCE) -> None:
        self.patience = patience
        self._pool = ConnectionPool(
            url,
            kwargs={"autocommit": True, "prepare_threshold": None},
            min_size=1,
            max_size=connections,
            timeout=patience,
            reconnect_timeout=_CONNECT,
            configure=_configure,
            open=True,
        )

    def start(self, work: Callable[[Connection], _T]) -> tuple[Connection, _T]:
        """Start work on a connection, once more on another where that one was lost; return both. ``give`` it back.

        work: safe to be done twice. Raises StorageError, BusyError, DamagedFileError.
        """
        try:
            try:
                return self._started(work)
            except psycopg.OperationalError as error:
                if isinstance(error, PoolTimeout) or not is_lost(error):
                    raise
            self._pool.check()  # after a restart of PostgreSQL all are lost
            return self._started(work)
        except psycopg.Error as error:
            raise translated(error) from error

    def run(self, work: Callable[[Connection], _T]) -> _T:
        """Do some work on a connection; as ``start``."""
        connection, result = self.start(work)
        self.give(connection)
        return result

    def _started(self, work: Callable[[Connection], _T]) -> tuple[Connection, _T]:
        connection = self._pool.getconn()
        try:
            return connection, work(connection)
        except BaseException:
            self.give(connection)
            raise

    def give(self, connection: Connection) -> None:
        """Take a connection back; what it has not committed is undone."""
        if connection.info.transaction_status in (TransactionStatus.INTRANS, TransactionStatus.INERROR):
            with suppress(psycopg.Error):
                connection.execute("ROLLBACK")
        self._pool.putconn(connection)

    def close(self) -> None:
        """Close all connections."""
        self._pool.close()


@contextmanager
def connected(url: str) -> Iterator[Connection]:
    """Connect once, without a pool. Raises StorageError."""
    try:
        with psycopg.connect(url, autocommit=True, prepare_threshold=None, connect_timeout=10) as connection:
            _configure(connection)
            yield connection
    except psycopg.ProgrammingError as error:
        if error.sqlstate is None:  # it may repeat the address, with the password
            raise StorageError(
                "BUYERBLOCK_DATABASE_URL is no address of a PostgreSQL database; write postgresql://user@host/database"
            ) from None
        raise translated(error) from error
    except psycopg.Error as error:
        raise translated(error) from error


def is_lost(error: psycopg.Error) -> bool:
    """Return whether the server went away, or has not come yet."""
    return isinstance(error, errors.AdminShutdown | errors.CrashShutdown | errors.CannotConnectNow) or (
        isinstance(error, psycopg.OperationalError | psycopg.InterfaceError) and error.sqlstate is None
    )


def translated(error: psycopg.Error) -> StorageError:
    """Return our error for one of PostgreSQL's. What was stored, or the password, is never in it."""
    if isinstance(error, _BUSY):
        return busy()
    if is_lost(error):
        return StorageError(
            "PostgreSQL does not answer; check that it runs, that it takes more connections, and what "
            "BUYERBLOCK_DATABASE_URL names, then try again."
        )
    why = error.diag.message_primary or type(error).__name__
    if isinstance(error, _DAMAGED):
        return damaged(why)
    known = next((sentence for kind, sentence in _REASONS.items() if isinstance(error, kind)), None)
    return StorageError("The PostgreSQL database: {why}.", why=known or why)


def busy() -> BusyError:
    """Return the error for a turn that did not come."""
    return BusyError("PostgreSQL is busy: another program has been writing for too long; try again.")


def damaged(why: Sentence | str) -> DamagedFileError:
    """Return the error for what cannot be trusted."""
    return DamagedFileError(
        "The PostgreSQL database is damaged ({why}). Nothing was changed. Bring back the last backup of PostgreSQL.",
        why=why,
    )


def _configure(connection: Connection) -> None:
    connection.adapters.register_loader("json", TextLoader)  # documents are read by us
