"""Pages of long lists."""

from worker.parsing import whole_number

PER_PAGE = 50


def page_number(text: str) -> int:
    """Return the page number in an address that anybody may have typed, the first for what is no number."""
    return whole_number(text, 1, 99_999_999) or 1
