"""Page numbers from addresses that anybody may have typed."""


def page_number(text: str) -> int:
    """Return the number of a page, the first for what is no number."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 9 else 1
