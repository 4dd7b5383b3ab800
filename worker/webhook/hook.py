"""What is remembered of the webhook: where to, how far it was told, and how it stands."""

import base64
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
from filelock import FileLock, Timeout

from worker.block_list.block_list import BlockList
from worker.clock import has_come
from worker.errors import BusyError, DamagedFileError, UsageError
from worker.files import storage_error, write_atomically
from worker.sealing import Sealer
from worker.webhook.target import check_literal, parse_target

FIRST_WAIT = timedelta(seconds=5)
LONGEST_WAIT = timedelta(hours=1)
TRIED_FOR = timedelta(days=1)
# No more fit into a day. They are counted too: a machine may sleep through its day, and wake without a network.
LEAST_TRIES = 30
_LOCK_SECONDS = 10.0
_TIMES = ("failing_since", "next_try")


@dataclass(frozen=True, slots=True)
class Place:
    """How far the changes were told: all transactions up to sequence, and done entries of the one after it.

    lineage: names the list; a restored backup or a rebuilt list has another.
    """

    lineage: str
    sequence: int
    done: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Hook:
    """The webhook.

    secret: starts with ``whsec_``. allow_private: may be in a private network. failures: tries in a row
    that failed. next_try: not before then, None for at once. paused: was tried for a day and waits for a person.
    problem: one sentence about the last failure, "" if all is well.
    """

    url: str
    secret: str = field(repr=False)
    allow_private: bool
    place: Place
    failures: int = 0
    failing_since: datetime | None = None
    next_try: datetime | None = None
    paused: bool = False
    problem: str = ""

    def is_due(self, now: datetime) -> bool:
        """Return whether it may be tried."""
        if self.paused or self.next_try is None:
            return not self.paused
        return has_come(self.next_try, LONGEST_WAIT, now)

    def failed(self, problem: str, now: datetime) -> "Hook":
        """Return it after a failed try: the next one waits twice as long, for a day."""
        since = self.failing_since or now
        wait = min(FIRST_WAIT * 2 ** min(self.failures, 20), LONGEST_WAIT)
        return replace(
            self,
            failures=self.failures + 1,
            failing_since=since,
            next_try=now + wait,
            paused=now - since >= TRIED_FOR and self.failures + 1 >= LEAST_TRIES,
            problem=problem,
        )

    def well(self) -> "Hook":
        """Return it without a trace of failures."""
        return replace(self, failures=0, failing_since=None, next_try=None, paused=False, problem="")


def standing(block_list: BlockList) -> Place:
    """Return the place after the newest change."""
    lineage, _, sequence = block_list.generation.rpartition("-")
    return Place(lineage, int(sequence))


class Webhook:
    """The webhook of a data directory, if it has one; threads and processes may share it.

    Raises StorageError, BusyError when another process holds the file, DamagedFileError, and UnsealError when the
    secret was sealed with another key.
    """

    def __init__(self, directory: Path, sealer: Sealer) -> None:
        self._path = directory / "webhook.json"
        self._lock = directory / "webhook.lock"
        self._sealer = sealer

    def get(self) -> Hook | None:
        """Return it, None if there is none."""
        try:
            return self._hook(orjson.loads(self._path.read_bytes()))
        except FileNotFoundError:
            return None
        except OSError as error:
            raise storage_error("read", self._path, error) from error
        except (ValueError, LookupError, TypeError) as error:
            raise DamagedFileError(
                f"{self._path} is damaged; remove it and set the webhook again."
            ) from error

    def set(self, url: str, *, allow_private: bool = False, block_list: BlockList) -> str:
        """Tell this address of changes from now on; return the secret that signs them.

        Where there is a webhook already, what it was not told yet goes to the new address. Raises UsageError
        for an address that will not do.
        """
        check_literal(parse_target(url), allow_private=allow_private)
        secret = "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()
        now_at = standing(block_list)

        def changed(hook: Hook | None) -> Hook:
            place = hook.place if hook else now_at
            return Hook(url=url, secret=secret, allow_private=allow_private, place=place)

        self._change(changed)
        return secret

    def remove(self) -> bool:
        """Tell nobody any more; return False if nobody was told. This works whatever the file holds."""
        with self._locked():
            found = self._path.exists()
            self._path.unlink(missing_ok=True)
        return found

    def existing(self) -> Hook:
        """Return it. Raises UsageError if there is none."""
        if (hook := self.get()) is None:
            raise UsageError("There is no webhook; set one with “buyerblock webhook set URL”.")
        return hook

    def resume(self) -> None:
        """Try again at once, from where it stopped. Raises UsageError if there is no webhook."""
        self.existing()
        self._change(lambda hook: hook and hook.well())

    def update(self, before: Hook, after: Hook) -> bool:
        """Remember what has become of it, unless a person has changed it meanwhile; return whether it was so."""
        return self._change(lambda hook: after if hook == before else hook) == after

    def _change(self, change: Callable[[Hook | None], Hook | None]) -> Hook | None:
        with self._locked():
            before = self.get()
            after = change(before)
            if after is not None and after != before:
                write_atomically(self._path, orjson.dumps(self._document(after), option=orjson.OPT_INDENT_2))
            return after

    @contextmanager
    def _locked(self) -> Iterator[None]:
        try:
            with FileLock(self._lock, timeout=_LOCK_SECONDS, mode=0o600):
                yield
        except Timeout as error:
            raise BusyError(f"Another program is changing {self._path}; try again.") from error
        except OSError as error:
            raise storage_error("write", self._path, error) from error

    def _document(self, hook: Hook) -> dict[str, Any]:
        return asdict(hook) | {"secret": self._sealer.seal(hook.secret)}

    def _hook(self, document: dict[str, Any]) -> Hook:
        times = {name: document[name] and datetime.fromisoformat(document[name]) for name in _TIMES}
        secret = self._sealer.unseal(document["secret"])
        return Hook(**(document | times | {"secret": secret, "place": Place(**document["place"])}))
