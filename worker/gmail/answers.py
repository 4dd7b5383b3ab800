"""What is wrong with an answer of Gmail's."""

from collections.abc import Iterator
from contextlib import contextmanager

from worker.errors import GmailError, TransientError
from worker.problems import Cause


@contextmanager
def understood() -> Iterator[None]:
    """Raise TransientError where an answer has another shape than Gmail documents."""
    try:
        yield
    except (LookupError, TypeError, AttributeError, ValueError) as error:
        raise TransientError(Cause.ANSWER_CUT) from error


def concerns_one(error: GmailError) -> bool:
    """Return whether an error may come from the message that was asked for, while others can be read."""
    return error.problem.cause in (Cause.GMAIL_FAILED, Cause.ANSWER_CUT, Cause.NOT_GMAIL, Cause.REFUSED)
