"""Secrets that somebody has written into a file, so that no command line holds them."""

import codecs
import re
from typing import BinaryIO

from worker.errors import UsageError

_MARKS = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}


def first_line(file: BinaryIO, *, what: str) -> str:
    """Return the first line, as its byte-order mark says, which Windows' editors and PowerShell write; else as UTF-8.

    what: the secret, as in "passphrase". Raises UsageError.
    """
    data = file.read()
    encoding = next((it for mark, it in _MARKS.items() if data.startswith(mark)), "utf-8")
    try:
        return re.split(r"[\r\n]", data.decode(encoding), maxsplit=1)[0]
    except UnicodeDecodeError as error:
        raise UsageError("The {what} file is no text; save it as UTF-8.", what=what) from error
