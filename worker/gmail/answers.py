"""Unusable answers of Gmail."""

from collections.abc import Iterator
from contextlib import contextmanager

from worker.errors import GmailError, TransientError
from worker.problems import Cause


@contextmanager
def checking_shape() -> Iterator[None]:
    """Raise TransientError if an answer does not have the documented shape."""
    try:
        yield
    except (LookupError, TypeError, AttributeError, ValueError) as error:
        raise TransientError(Cause.ANSWER_CUT) from error


def may_concern_one_message(error: GmailError) -> bool:
    """Return whether an error may be caused by the requested message, so that others can be read."""
    return error.problem.cause in (Cause.GMAIL_FAILED, Cause.ANSWER_CUT, Cause.NOT_GMAIL, Cause.REFUSED)
