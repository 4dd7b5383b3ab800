"""Documents whose content is not what the program wrote."""

from collections.abc import Iterator
from contextlib import contextmanager

from worker.errors import DamagedFileError, UsageError


@contextmanager
def reading(what: str) -> Iterator[None]:
    """Raise DamagedFileError where a stored document turns out to have another shape. what: as in "the webhook"."""
    try:
        yield
    except (ValueError, LookupError, TypeError, AttributeError, UsageError) as error:
        raise DamagedFileError(
            f"What is stored about {what} is damaged. Bring back the last daily copy: buyerblock restore --latest"
        ) from error
