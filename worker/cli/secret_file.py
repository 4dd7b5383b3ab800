"""Read a secret from a file, so that it is not on the command line."""

import codecs
import re
from typing import BinaryIO

from worker.errors import UsageError

_MARKS = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}


def first_line(file: BinaryIO, *, what: str) -> str:
    """Return the first line. The encoding is that of the byte-order mark (Windows writes one), else UTF-8.

    what: the kind of secret, such as "passphrase". Raises UsageError.
    """
    data = file.read()
    encoding = next((it for mark, it in _MARKS.items() if data.startswith(mark)), "utf-8")
    try:
        return re.split(r"[\r\n]", data.decode(encoding), maxsplit=1)[0]
    except UnicodeDecodeError as error:
        raise UsageError("The {what} file is no text; save it as UTF-8.", what=what) from error
