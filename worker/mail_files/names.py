"""Recognise mail files by their names."""

from pathlib import PurePath

# An .emlx of Apple Mail is a mail after a line with its length and before a property list: neither looks like headers.
_SINGLE = frozenset((".eml", ".emlx"))
_MBOX = frozenset((".mbox", ".mbx"))
_OUTLOOK_DATA = frozenset((".pst", ".ost", ".olm"))
_MAILDIR_FOLDERS = frozenset(("cur", "new"))


def named_like_mail(name: PurePath) -> bool:
    """Whether a file in a folder is read as mail. True also for mail that we cannot read, so that it is reported."""
    suffix = name.suffix.lower()
    if suffix == ".gz":
        return not PurePath(name.stem).suffix or named_like_mail(name.with_suffix(""))
    return suffix in _SINGLE | _MBOX | _OUTLOOK_DATA | {".msg", ".zip"} or _in_maildir(name)


def holds_outlook_data(name: PurePath) -> bool:
    """Whether this is a data file of Outlook."""
    return name.suffix.lower() in _OUTLOOK_DATA


def holds_several(name: PurePath, start: bytes) -> bool:
    """Whether to read this file as an mbox. Not for a single mail: its text may contain "From " lines, even forged."""
    return name.suffix.lower() in _MBOX or (not holds_one(name) and start.startswith(b"From "))


def holds_one(name: PurePath) -> bool:
    """Whether a file is a single mail by its name."""
    return name.suffix.lower() in _SINGLE or _in_maildir(name)


def _in_maildir(name: PurePath) -> bool:
    return name.parent.name in _MAILDIR_FOLDERS
