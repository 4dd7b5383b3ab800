"""Numbers that visitors type into forms."""

from oauth_web.texts import text
from worker import parsing
from worker.errors import UsageError


def whole_number(given: str, least: int, most: int, *, sentence: str) -> int:
    """Return the number; raise UsageError with the sentence of this name, filled with least and most, for another."""
    if (number := parsing.whole_number(given, least, most)) is None:
        raise UsageError(text(sentence, least=least, most=most))
    return number
