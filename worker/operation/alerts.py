"""Report each problem to the owner once: in the log, by the webhook and as notifications.

The table ``problems`` holds the reported problems, so that a restart reports nothing twice. It also counts the looks at
problems that were not reported yet, so that any process may take the next look.
"""

import logging
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from worker.database import Database, checked, format_time, parse_time
from worker.events import fields
from worker.notifications import Queue
from worker.operation.health import Problem
from worker.webhook import Announcements, Message

# A problem is reported after so many looks in a row, one a minute. Looks are counted, not minutes: after a laptop
# wakes up, its last pass is late at the first look, but not at the next.
LOOKS = 5
# A problem that comes back sooner is the same problem: a disk that is full at times is reported once.
MIN_ABSENCE = timedelta(days=1)

log = logging.getLogger(__name__)
_Documents = Mapping[str, Mapping[str, Any]]


class Alerts:
    """The reported problems. Raises StorageError.

    outboxes: they get the messages in the same transaction.
    """

    def __init__(self, database: Database, *outboxes: Announcements | Queue) -> None:
        self._database = database
        self._documents = database.documents("problems")
        self._documents.expect(_expect)
        self._outboxes = outboxes

    def look(self, problems: Iterable[Problem], now: datetime) -> None:
        """Report problems that lasted LOOKS looks, and those gone for MIN_ABSENCE. Call it once a minute."""
        present = {problem.key: problem for problem in problems}
        with self._database.together():
            known = {str(document.doc_id): document for document in self._documents.walk()}
            news = [*self._started(present, known, now), *self._ended(present, known, now)]
            for outbox in self._outboxes:
                outbox.add(*news)
        for it in news:
            _log(it)

    def _started(self, present: Mapping[str, Problem], known: _Documents, now: datetime) -> Iterator[Message]:
        for key, problem in present.items():
            before = known.get(key, {"looks": 0})
            if "looks" in before:
                about = {"kind": problem.kind, "account": problem.account, "sentence": problem.sentence}
                looks = before["looks"] + 1
                counted = {} if looks >= LOOKS else {"looks": looks}
                self._documents.put({key: {"about": about, "gone_since": None, **counted}})
                if not counted:
                    yield _announcement("began", key, about, now)
            elif before["gone_since"]:
                self._documents.put({key: {**before, "gone_since": None}})

    def _ended(self, present: Mapping[str, Problem], known: _Documents, now: datetime) -> Iterator[Message]:
        for key, document in known.items():
            if key in present:
                continue
            if "looks" in document:
                self._documents.delete([key])
            elif document["gone_since"] is None:
                self._documents.put({key: {**document, "gone_since": now}})
            elif now - parse_time(document["gone_since"]) >= MIN_ABSENCE:
                self._documents.delete([key])
                yield _announcement("ended", key, document["about"], now)


def _expect(document: Mapping[str, Any]) -> None:
    about = document["about"]
    checked(Problem(about["kind"], about["account"], about["sentence"]))
    int(document.get("looks", 0))
    if document["gone_since"] is not None:
        parse_time(document["gone_since"])


def _log(news: Message) -> None:
    about = fields(kind=news.data["kind"], account=news.data["account"])
    if news.type == "problem.began":
        log.warning("Problem: %s", news.data["sentence"], extra=about)
    else:
        log.info("No problem any more: %s", news.data["sentence"], extra=about)


def _announcement(what: str, key: str, about: dict[str, str], now: datetime) -> Message:
    at = format_time(now)
    return Message(id=f"problem-{what}-{key}-{at}", type=f"problem.{what}", at=at, data=about)
