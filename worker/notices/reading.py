"""The text of a mail for a person to read, as untrusted plain text."""

import unicodedata
from collections.abc import Iterator
from itertools import islice

from worker.notices.content import PAGE_LIMIT, pages_of
from worker.notices.headers import read_head
from worker.notices.mime import Part, parts

MAX_TEXT = 8000  # characters; a notice has 1,500


def text_of(raw: bytes) -> str:
    """Return the text of a mail with quotations and attached mails, cut at MAX_TEXT with an ellipsis."""
    pages = dict.fromkeys(_cleaned(text) for text in _texts(list(parts(raw, read_head(raw)))))
    text = "\n\n".join(filter(None, pages))
    return text if len(text) <= MAX_TEXT else f"{text[:MAX_TEXT]}…"


def _texts(found: list[Part]) -> Iterator[str]:
    yield from (page.text for page in pages_of(found, quoted=True))
    for part in islice((it for it in found if it.kind == "message/rfc822"), PAGE_LIMIT):
        raw = part.data()
        yield from (page.text for page in pages_of(parts(raw, read_head(raw)), quoted=True))


def _cleaned(text: str) -> str:
    """Remove empty lines, and invisible and text direction characters."""
    lines = (" ".join("".join(map(_visible, line)).split()) for line in text.splitlines())
    return "\n".join(line for line in lines if line)


def _visible(character: str) -> str:
    return {"Cf": "", "Cc": " "}.get(unicodedata.category(character), character)
