"""Which files are mail, by their names."""

from pathlib import PurePath

# An .emlx of Apple Mail is a mail between a line with its length and a property list: both are no headers.
_SINGLE = frozenset((".eml", ".emlx"))
_MBOX = frozenset((".mbox", ".mbx"))
_OUTLOOK_DATA = frozenset((".pst", ".ost", ".olm"))
_MAILDIR_FOLDERS = frozenset(("cur", "new"))


def named_like_mail(name: PurePath) -> bool:
    """Whether a file in a folder is taken for mail: also what cannot be read, since somebody has to know of it."""
    suffix = name.suffix.lower()
    if suffix == ".gz":
        return not PurePath(name.stem).suffix or named_like_mail(name.with_suffix(""))
    return suffix in _SINGLE | _MBOX | _OUTLOOK_DATA | {".msg", ".zip"} or _in_maildir(name)


def holds_outlook_data(name: PurePath) -> bool:
    """Whether this is a file in which Outlook keeps all its mail."""
    return name.suffix.lower() in _OUTLOOK_DATA


def holds_several(name: PurePath, start: bytes) -> bool:
    """Whether to split this file. In a mail that is a file of its own no line is protected: it could forge another."""
    several = name.suffix.lower() in _MBOX
    return several or (not holds_one(name) and start.startswith(b"From "))


def holds_one(name: PurePath) -> bool:
    """Whether its name says that a file is one mail."""
    return name.suffix.lower() in _SINGLE or _in_maildir(name)


def _in_maildir(name: PurePath) -> bool:
    return name.parent.name in _MAILDIR_FOLDERS
