"""The log: one line per event, a sentence with fields, without secrets and without buyers.

``log.info("A pass ended.", extra=fields(account=email, judged=3))`` gives on a terminal
``2026-11-23T10:00:00.000Z INFO A pass ended. account=seller@gmail.com judged=3``, and as JSON one object with
``time``, ``level``, ``message``, ``logger`` and the fields.

Secrets are removed from every line and traceback. Aliases, order IDs and texts of people (:data:`WRITTEN_BY_PEOPLE`)
are removed from every line above debug level.
"""

import json
import logging
import os
import sys
from collections.abc import Iterable, Mapping
from dataclasses import fields as dataclass_fields
from datetime import UTC, datetime
from io import TextIOWrapper
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Any, TextIO

from worker.events import context_fields, fields
from worker.files import at_work
from worker.operation.redaction import without_buyers, without_secrets
from worker.operation.repeats import Repeats
from worker.settings import Settings

WRITTEN_BY_PEOPLE = frozenset({"subject", "sender", "note", "body"})
OURS = ("worker", "oauth_web")
MAX_BYTES = 1_000_000  # of each of the three log files

_log = logging.getLogger(__name__)


def set_up(
    *,
    as_json: bool = False,
    verbose: bool = False,
    secrets: Iterable[str | None] = (),
    stream: TextIO | None = None,
    file: Path | None = None,
) -> None:
    """Send the log to a stream, standard error by default, or to a file; may be called again.

    The file has mode 0600; when it is full, it becomes ``file.1``, and ``file.1`` becomes ``file.2``. verbose: also our
    own debug lines. Never those of libraries: they contain requests. secrets: texts to hide everywhere. Raises
    StorageError if the file cannot be written.
    """
    hidden = tuple(it for it in secrets if it)
    handler = _rotating(file) if file else logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonLines(hidden) if as_json else Lines(hidden))
    handler.addFilter(_is_ours_or_a_warning)
    handler.addFilter(Repeats())
    root = logging.getLogger()
    for former in [it for it in root.handlers if isinstance(it.formatter, Lines)]:
        root.removeHandler(former)
        former.close()
    root.addHandler(handler)
    root.setLevel(logging.WARNING)
    for name in OURS:
        logging.getLogger(name).setLevel(logging.DEBUG if verbose else logging.INFO)
    # It warns about its file cache at every start; we load the packaged discovery document.
    logging.getLogger("googleapiclient.discovery_cache").setLevel(logging.ERROR)


def log_settings(settings: Settings, version: str) -> None:
    """Log the settings at the start. A secret is only "set" or "not set"."""
    shown: dict[str, object] = {"version": version, "python": sys.version.split()[0], "system": sys.platform}
    for it in dataclass_fields(settings):
        value = getattr(settings, it.name)
        shown[it.name] = value if it.repr else ("set" if value else "not set")
    _log.info("buyerblock starts with these settings.", extra=fields(**shown))


def _rotating(file: Path) -> logging.Handler:
    with at_work("write", file):
        return _PrivateFile(
            file, maxBytes=MAX_BYTES, backupCount=2, encoding="utf-8", errors="backslashreplace"
        )


class _PrivateFile(RotatingFileHandler):
    def _open(self) -> TextIOWrapper:
        descriptor = os.open(self.baseFilename, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        return os.fdopen(descriptor, "a", encoding=self.encoding, errors=self.errors)


def _is_ours_or_a_warning(record: logging.LogRecord) -> bool:
    # Some libraries set their own level, so the level of the root logger has no effect on them.
    return record.levelno >= logging.WARNING or record.name.partition(".")[0] in OURS


class Lines(logging.Formatter):
    """Formats a record as one line for people."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        super().__init__()
        self._secrets = tuple(secrets)

    def format(self, record: logging.LogRecord) -> str:
        shown = self._shown(record)
        parts = [shown.pop("time"), shown.pop("level"), shown.pop("message")]
        del shown["logger"]
        parts += [f"{name}={_word(value)}" for name, value in shown.items()]
        return " ".join(map(_one_line, parts))

    def _shown(self, record: logging.LogRecord) -> dict[str, Any]:
        """Return the fields of the line by name, without secrets."""
        shown: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")[:-6] + "Z",
            "level": record.levelname,
            "message": self._clean(record.getMessage(), record.levelno),
            "logger": record.name,
        }
        given: Mapping[str, object] = context_fields() | getattr(record, "fields", {})
        for name, value in given.items():
            hidden = name in WRITTEN_BY_PEOPLE and record.levelno > logging.DEBUG
            plain = value is None or isinstance(value, bool | int | float)
            shown[name] = (
                "[hidden]" if hidden else value if plain else self._clean(str(value), record.levelno)
            )
        if record.exc_info:
            shown["traceback"] = self._clean(self.formatException(record.exc_info), record.levelno)
        return shown

    def _clean(self, text: str, level: int) -> str:
        text = without_secrets(text, self._secrets)
        return without_buyers(text) if level > logging.DEBUG else text


class JsonLines(Lines):
    """Formats a record as one JSON object."""

    def format(self, record: logging.LogRecord) -> str:
        return json.dumps(self._shown(record), ensure_ascii=False)


def _word(value: object) -> str:
    text = str(value)
    return json.dumps(text, ensure_ascii=False) if not text or set(text) & set(' "=') else text


def _one_line(text: str) -> str:
    # A sender's name may contain a line break; it must not fake a log line.
    return "".join(it if it.isprintable() else it.encode("unicode_escape").decode() for it in text)
