"""The stored copies: path, format, filters, and the result of the last write."""

import errno
import os
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Literal

from worker.database import Database, stored
from worker.errors import BuyerblockError, UsageError
from worker.files import make_private_directory
from worker.sentences import Sentence

FOLDER = "copies"  # in the data directory, for copies added by the page

Failure = Literal["", "full", "missing", "refused", "other"]
_FAILURES: dict[int, Failure] = {
    errno.ENOSPC: "full",
    errno.EDQUOT: "full",
    errno.ENOENT: "missing",
    errno.ENOTDIR: "missing",
    errno.EACCES: "refused",
    errno.EPERM: "refused",
    errno.EROFS: "refused",
}
_SENTENCES = {
    "full": Sentence("The disk that {path} is on is full; free some space, and the copy is written."),
    "missing": Sentence("The folder of {path} is missing; make it again, or remove this copy."),
    "refused": Sentence(
        "buyerblock may not write {path}; give it permission to write into that folder, or remove this copy."
    ),
    "other": Sentence("{path} cannot be written: {why}"),
}
# No path, no hidden file, no NTFS stream, and no device name of Windows.
_NAME = re.compile(
    r"(?!(?:con|prn|aux|nul|com\d|lpt\d)\.)[a-z0-9][\w -]{0,60}\.[a-z]{3,6}", re.IGNORECASE | re.ASCII
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Copy:
    """A copy. filters: for ``listing.query_of``, all texts.

    version: of the written list, "" if the copy must be written. blocks: their number. modified: the file's mtime in
    seconds. failure, why: kind and details of the failure of the last write.
    """

    path: str
    format: str
    filters: Mapping[str, str] = field(default_factory=dict)
    version: str = ""
    written_at: datetime | None = None
    blocks: int = 0
    modified: float = 0.0
    failure: Failure = ""
    why: str = ""

    @property
    def problem(self) -> Sentence | None:
        """Why the last write failed, None if it succeeded."""
        if not self.failure:
            return None
        return _SENTENCES[self.failure].about(path=self.path, why=Sentence(self.why))

    def with_failure(self, error: BuyerblockError) -> "Copy":
        """Return the copy with this failure of a write."""
        cause = error.__cause__
        number = cause.errno if isinstance(cause, OSError) else None
        why = (cause.strerror or type(cause).__name__) if isinstance(cause, OSError) else str(error)
        return replace(self, failure=_FAILURES.get(number or 0, "other"), why=f"{why.rstrip('.')}.")


_to_copy = partial(stored, Copy)


class Copies:
    """The copies, by path. Raises StorageError."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._documents = database.documents("published")
        self._documents.expect(_to_copy)

    def all(self) -> list[Copy]:
        """Return the copies, sorted by path."""
        return sorted(map(_to_copy, self._documents.walk()), key=lambda it: it.path)

    def add(self, copy: Copy) -> None:
        """Add a copy. Raises UsageError if the file is a copy already."""
        with self._database.together():
            if any(_same(it.path, copy.path) for it in self.all()):
                raise UsageError(
                    "There is a copy at {path} already; remove that one first, or name another file.",
                    path=copy.path,
                )
            self._put(copy)

    def remove(self, path: str) -> bool:
        """Remove a copy, but not its file; return False if it is no copy."""
        with self._database.together():
            known = self._documents.find(path) is not None
            self._documents.delete([path])
        return known

    def update(self, before: Copy, after: Copy) -> None:
        """Store a copy after a write.

        If another process wrote the file meanwhile, its content is unknown, so the copy is marked to be written again.
        """
        with self._database.together():
            document = self._documents.find(before.path)
            if document is None:
                return
            known = _to_copy(document)
            new = after if known == before else replace(known, version="")
            if new != known:
                self._put(new)

    def _put(self, copy: Copy) -> None:
        self._documents.put({copy.path: asdict(copy)})


def copy_path(path: Path, data_dir: Path) -> str:
    """Return the absolute path of a copy. Raises UsageError for a folder, a device, or a file in the data directory."""
    try:
        resolved = path.expanduser().resolve()
    except (OSError, RuntimeError) as error:
        raise UsageError("{path} is no place for a file.", path=path) from error
    if resolved.is_dir():
        raise UsageError("{path} is a folder; name a file in it.", path=resolved)
    if resolved.exists() and not resolved.is_file():
        raise UsageError("{path} is no file that can be replaced; name another one.", path=resolved)
    if resolved.is_relative_to(data_dir.resolve()):
        raise UsageError(
            "{path} is in the data folder of buyerblock itself; name a file in another folder.", path=resolved
        )
    return str(resolved)


def page_copy_path(name: str, data_dir: Path) -> str:
    """Return the path of a copy that the page adds. All these copies are in one folder.

    So users of the page, who may be on another machine, cannot replace other files. Raises UsageError for an invalid
    name, and StorageError.
    """
    if not _NAME.fullmatch(name):
        raise UsageError(
            "{name!r} is no name for a file; take letters, digits and hyphens, and an ending such as .csv.",
            name=name[:80],
        )
    folder = data_dir.resolve() / FOLDER
    make_private_directory(folder)
    return str(folder / name)


def _same(one: str, other: str) -> bool:
    try:
        return os.path.normcase(one) == os.path.normcase(other) or Path(one).samefile(other)
    except OSError:
        return False
