"""On which days notices come to an account, and whether they have stopped coming. Pure.

Days are counted, not notices: one mailing to many buyers brings a hundred notices in an hour.
"""

from collections.abc import Iterable
from datetime import date, timedelta
from itertools import pairwise

KEPT = 30  # days with notices
MIN_DAYS = 8  # of them before anything can be said
# Where notices come by chance, a silence of six times the usual one comes by chance once in ten years or so.
UNUSUAL = 6
MIN_SILENCE = timedelta(days=7)  # a holiday is no reason for a warning


def latest(known: Iterable[date], new: Iterable[date]) -> tuple[date, ...]:
    """Return the latest days with notices, the oldest first."""
    return tuple(sorted({*known, *new})[-KEPT:])


def have_stopped(days: tuple[date, ...], today: date) -> bool:
    """Return whether notices have been missing for much longer than is usual. days: as ``latest`` returns them."""
    if len(days) < MIN_DAYS:
        return False
    gaps = [later - earlier for earlier, later in pairwise(days)]
    usual = sum(gaps, timedelta()) / len(gaps)
    return today - days[-1] > max(MIN_SILENCE, UNUSUAL * usual)
