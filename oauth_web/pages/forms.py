"""Numbers that visitors type into forms."""

from oauth_web.texts import text
from worker.errors import UsageError


def whole_number(given: str, least: int, most: int, *, sentence: str) -> int:
    """Return the number; raise UsageError with the sentence of this name, filled with least and most, for another."""
    # isdecimal() lets through what int() takes, such as digits of other scripts, and no sign.
    if not given.isdecimal() or len(given) > 9 or not least <= int(given) <= most:
        raise UsageError(text(sentence, least=least, most=most))
    return int(given)
