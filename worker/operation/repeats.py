"""Log a repeated error once an hour, with a count: an error in every pass must not fill the disk."""

import logging
import math
import re
import threading
from collections import OrderedDict
from datetime import timedelta
from traceback import walk_tb

SHOWN_EVERY = timedelta(hours=1).total_seconds()
MAX_KNOWN = 200  # different errors; the least recently seen one is dropped

_Key = tuple[object, ...]


class Repeats(logging.Filter):
    """Leaves out a warning or an error that was shown less than an hour ago.

    When it is shown again, its field ``repeated`` is the number of times it was left out.
    """

    def __init__(self) -> None:
        super().__init__()
        self._known: OrderedDict[_Key, tuple[float, int]] = OrderedDict()  # when shown; left out since
        self._lock = threading.Lock()

    def filter(self, record: logging.LogRecord) -> bool:
        if record.levelno < logging.WARNING:
            return True
        key = _key(record)
        with self._lock:
            shown_at, left_out = self._known.pop(key, (-math.inf, 0))
            is_repeated = 0 <= record.created - shown_at < SHOWN_EVERY
            self._known[key] = (shown_at, left_out + 1) if is_repeated else (record.created, 0)
            if len(self._known) > MAX_KNOWN:
                self._known.popitem(last=False)
        if left_out and not is_repeated:
            record.fields = {**getattr(record, "fields", {}), "repeated": left_out}
        return not is_repeated


def _key(record: logging.LogRecord) -> _Key:
    """Return the key of an error, without numbers and without an exception's text: those may change each time."""
    account = getattr(record, "fields", {}).get("account")
    if record.exc_info and record.exc_info[0]:
        kind, _, trace = record.exc_info
        places = [(frame.f_code.co_filename, line) for frame, line in walk_tb(trace)]
        return record.name, record.msg, account, kind, *places[-1:]
    return record.name, record.msg, account, re.sub(r"\d+", "", str(record.args))
