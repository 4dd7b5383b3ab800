"""Pages of long lists."""

PER_PAGE = 50


def page_number(text: str) -> int:
    """Return the page number in an address that anybody may have typed, the first for what is no number."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 9 else 1
