"""A pool of connections to PostgreSQL for all threads and all sellers, and translation of its errors.

Sessions have no state, so that PgBouncer can be used in transaction mode.
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

LOCKS = 0x42424C4B  # "BBLK": the first number of our advisory locks; the second is the tenant's number
_PATIENCE = 10.0  # seconds to wait for another writer, or for a connection
# Seconds to try to connect, with growing pauses; then the next call tries again.
_CONNECT_TIMEOUT = 3.0
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
    """A pool with a maximum of connections; more calls wait. patience: the maximum wait of a call, in seconds."""

    def __init__(self, url: str, *, connections: int = 16, patience: float = _PATIENCE) -> None:
        self.patience = patience
        self._pool = ConnectionPool(
            url,
            kwargs={"autocommit": True, "prepare_threshold": None},
            min_size=1,
            max_size=connections,
            timeout=patience,
            reconnect_timeout=_CONNECT_TIMEOUT,
            configure=_configure,
            open=True,
        )

    def start(self, work: Callable[[Connection], _T]) -> tuple[Connection, _T]:
        """Do some work on a connection; return the connection, to be returned with ``give``, and the result.

        If the connection was lost, the work is retried once, so it must be idempotent. Raises StorageError, BusyError,
        DamagedFileError.
        """
        try:
            try:
                return self._start_once(work)
            except psycopg.OperationalError as error:
                if isinstance(error, PoolTimeout) or not is_lost(error):
                    raise
            self._pool.check()  # after a restart of PostgreSQL all connections are lost
            return self._start_once(work)
        except psycopg.Error as error:
            raise translate_error(error) from error

    def run(self, work: Callable[[Connection], _T]) -> _T:
        """Do some work on a connection and return its result; see ``start``."""
        connection, result = self.start(work)
        self.give(connection)
        return result

    def _start_once(self, work: Callable[[Connection], _T]) -> tuple[Connection, _T]:
        connection = self._pool.getconn()
        try:
            return connection, work(connection)
        except BaseException:
            self.give(connection)
            raise

    def give(self, connection: Connection) -> None:
        """Return a connection to the pool; uncommitted changes are rolled back."""
        if connection.info.transaction_status in (TransactionStatus.INTRANS, TransactionStatus.INERROR):
            with suppress(psycopg.Error):
                connection.execute("ROLLBACK")
        self._pool.putconn(connection)

    def close(self) -> None:
        self._pool.close()


@contextmanager
def connected(url: str) -> Iterator[Connection]:
    """Connect once, without a pool. Raises StorageError."""
    try:
        with psycopg.connect(url, autocommit=True, prepare_threshold=None, connect_timeout=10) as connection:
            _configure(connection)
            yield connection
    except psycopg.ProgrammingError as error:
        if error.sqlstate is None:  # its text may contain the address with the password
            raise StorageError(
                "BUYERBLOCK_DATABASE_URL is no address of a PostgreSQL database; write postgresql://user@host/database"
            ) from None
        raise translate_error(error) from error
    except psycopg.Error as error:
        raise translate_error(error) from error


def is_lost(error: psycopg.Error) -> bool:
    """Return whether the server has stopped, or has not started yet."""
    return isinstance(error, errors.AdminShutdown | errors.CrashShutdown | errors.CannotConnectNow) or (
        isinstance(error, psycopg.OperationalError | psycopg.InterfaceError) and error.sqlstate is None
    )


def translate_error(error: psycopg.Error) -> StorageError:
    """Return our error for a PostgreSQL error. It never contains stored data or the password."""
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
    """Return the error for a lock timeout."""
    return BusyError("PostgreSQL is busy: another program has been writing for too long; try again.")


def damaged(why: Sentence | str) -> DamagedFileError:
    """Return the error for a damaged database."""
    return DamagedFileError(
        "The PostgreSQL database is damaged ({why}). Nothing was changed. Bring back the last backup of PostgreSQL.",
        why=why,
    )


def _configure(connection: Connection) -> None:
    connection.adapters.register_loader("json", TextLoader)  # Documents parses them
