"""Tell the owner of problems, each once: in the log and by the webhook. The page and ``status`` show those of now.

``told.json`` remembers what was told, so that a restart tells nothing twice. One process writes it: the server.
"""

import logging
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import orjson

from worker.block_list.documents import format_time
from worker.errors import DamagedFileError
from worker.events import fields
from worker.files import storage_error, write_atomically
from worker.operation.health import Problem
from worker.webhook import Announcement, Announcements

# In a row, a minute apart. Looks are counted, not minutes: a laptop that wakes finds its last pass late, and a look
# later it is not.
LOOKS = 5
# What comes back sooner is the same problem still: a disk that is full at times is told of once.
AWAY = timedelta(days=1)

log = logging.getLogger(__name__)


class Telling:
    """What the owner was told. Raises StorageError."""

    def __init__(self, directory: Path, announcements: Announcements) -> None:
        self._path = directory / "told.json"
        self._announcements = announcements
        self._looks: Counter[str] = Counter()

    def look(self, problems: Iterable[Problem], now: datetime) -> None:
        """Tell what is new and has stayed, and what has been over for long enough. To be called once a minute."""
        there = {problem.key: problem for problem in problems}
        self._looks = Counter({key: self._looks[key] + 1 for key in there})
        before = self._read()
        told = {key: dict(it) for key, it in before.items()}
        news = [*self._begun(there, told, now), *_ended(there, told, now)]
        if news:
            # First: told twice is better than never.
            self._announcements.add(*news)
        if told != before:
            write_atomically(self._path, orjson.dumps(told, option=orjson.OPT_INDENT_2))
        for it in news:
            _log(it)

    def _begun(
        self, there: dict[str, Problem], told: dict[str, dict[str, Any]], now: datetime
    ) -> Iterator[Announcement]:
        for key, problem in there.items():
            if key in told:
                told[key]["gone_since"] = None
            elif self._looks[key] >= LOOKS:
                about = {"kind": problem.kind, "account": problem.account, "sentence": problem.sentence}
                told[key] = {**about, "since": format_time(now), "gone_since": None}
                yield _announcement("began", key, about, now)

    def _read(self) -> dict[str, dict[str, Any]]:
        try:
            told: dict[str, dict[str, Any]] = orjson.loads(self._path.read_bytes())
            for it in told.values():
                _ = [it[name] for name in (*_ABOUT, "since", "gone_since")]
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise storage_error("read", self._path, error) from error
        except (ValueError, LookupError, TypeError, AttributeError) as error:
            raise DamagedFileError(
                f"{self._path} is damaged; remove it, and what was told is told once more."
            ) from error
        return told


_ABOUT = ("kind", "account", "sentence")


def _ended(
    there: dict[str, Problem], told: dict[str, dict[str, Any]], now: datetime
) -> Iterator[Announcement]:
    for key in [key for key in told if key not in there]:
        it = told[key]
        if it["gone_since"] is None:
            it["gone_since"] = format_time(now)
        elif now - datetime.fromisoformat(it["gone_since"]) >= AWAY:
            del told[key]
            yield _announcement("ended", key, {name: it[name] for name in _ABOUT}, now)


def _log(news: Announcement) -> None:
    about = fields(kind=news.data["kind"], account=news.data["account"])
    if news.type == "problem.began":
        log.warning("Problem: %s", news.data["sentence"], extra=about)
    else:
        log.info("No problem any more: %s", news.data["sentence"], extra=about)


def _announcement(what: str, key: str, about: dict[str, str], now: datetime) -> Announcement:
    at = format_time(now)
    return Announcement(id=f"problem-{what}-{key}-{at}", type=f"problem.{what}", at=at, data=about)
