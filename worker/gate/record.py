"""The record of the gate: recipients by outcome, and the latest refused ones. Nothing of any mail.

Counts are stored every few seconds, so that no mail waits for the disk. A killed gate loses the last seconds.
"""

import threading
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any, Literal, get_args

from worker.database import Database, checked, format_time, listed, parse_time
from worker.errors import StorageError

# Of a recipient. marked: blocked, but sent because the mail is critical or a reply; it also counts as sent. not_taken:
# the real server refused it or could not be reached.
Outcome = Literal["sent", "refused", "marked", "not_taken"]
OUTCOMES: tuple[Outcome, ...] = get_args(Outcome)

MAX_REFUSED = 100
_KEY = "record"


@dataclass(frozen=True, slots=True)
class Refused:
    """A refused recipient, as its canonical key."""

    recipient: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """counts: recipients by outcome. lately: newest first. problem: one sentence, "" for none."""

    counts: Mapping[str, int] = field(default_factory=dict)
    lately: tuple[Refused, ...] = ()
    problem: str = ""


class GateRecord:
    """The record, shared by the processes that run or show a gate. Thread-safe."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._documents = database.documents("gate")
        self._lock = threading.Lock()
        self._counts: Counter[str] = Counter()
        self._lately: list[Refused] = []
        self._problem: str | None = None  # None: unchanged

    def read(self) -> Record:
        """Return the stored record. Raises StorageError."""
        document = self._documents.find(_KEY)
        return Record() if document is None else to_record(document)

    def count(self, outcome: Outcome, number: int = 1) -> None:
        with self._lock:
            self._counts[outcome] += number

    def refused(self, recipient: str, at: datetime) -> None:
        with self._lock:
            self._counts["refused"] += 1
            self._lately.insert(0, Refused(recipient, at))
            del self._lately[MAX_REFUSED:]

    def problem(self, sentence: str) -> None:
        """Set the problem that the owner sees; "" for none."""
        with self._lock:
            self._problem = sentence

    def flush(self) -> None:
        """Store the changes. Raises StorageError; the next call then stores them."""
        with self._lock:
            counts, lately, problem = self._counts, self._lately, self._problem
            self._counts, self._lately, self._problem = Counter(), [], None
        if not counts and not lately and problem is None:
            return
        try:
            self._store(counts, lately, problem)
        except StorageError:
            self._put_back(counts, lately, problem)
            raise

    def _put_back(self, counts: Counter[str], lately: list[Refused], problem: str | None) -> None:
        with self._lock:
            self._counts += counts
            self._lately = [*self._lately, *lately][:MAX_REFUSED]
            self._problem = problem if self._problem is None else self._problem

    def _store(self, counts: Counter[str], lately: list[Refused], problem: str | None) -> None:
        with self._database.together():
            before = self.read()
            after = Record(
                counts=dict(counts + Counter(before.counts)),
                lately=(*lately, *before.lately)[:MAX_REFUSED],
                problem=before.problem if problem is None else problem,
            )
            if after != before:
                self._documents.put({_KEY: _as_document(after)})


def _as_document(record: Record) -> dict[str, Any]:
    lately = [[it.recipient, format_time(it.at)] for it in record.lately]
    return asdict(record) | {"lately": lately}


def to_record(document: Mapping[str, Any]) -> Record:
    lately = tuple(
        checked(Refused(recipient, parse_time(at))) for recipient, at in listed(document["lately"])
    )
    return checked(Record(counts=document["counts"], lately=lately, problem=document["problem"]))
