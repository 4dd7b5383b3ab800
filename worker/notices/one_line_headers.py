"""Find the headers of a forwarded mail in one line.

Yahoo's plain text has all headers in one line; Outlook for Mac and Yandex write only time and sender:
``On 10/09/2026, 02:04, "Ann" <ann@example.org> wrote:``
"""

import re

from worker.notices.addresses import only_address
from worker.notices.header_lines import NAMES, Block, block_of

# Characters of a line with all headers, which includes all recipients, and of a line with only time and sender.
_ALL_HEADERS_LIMIT = 2_000
_INTRODUCTION_LIMIT = 300
# A forwarded notice starts near the top.
_LINE_LIMIT = 200
_RULE = re.compile(r"[\s>]{0,10}-{4,10} [^-:]{2,60} -{4,10} (?=\S)")
_BY_LENGTH = sorted((name for column in NAMES for name in column), key=len, reverse=True)
_NAME = re.compile(rf"({'|'.join(map(re.escape, _BY_LENGTH))})\s?[:：]")  # noqa: RUF001 - a wide colon
_COLUMNS = tuple(map(frozenset, NAMES))
# The order of Yahoo: From, To, Date, Subject. A forged display name can add a header, but not remove one.
_YAHOO = (0, 3, 1, 2)

_LINK = re.compile(r"<mailto:[^<>]*>", re.IGNORECASE)
_DIGIT = re.compile(r"\d")
_QUOTED = re.compile(r'"([^"]*)"\s*$')
_WROTE = re.compile(r"([^<>@()]*)[<(]{1,2}([^<>()\s]+)[>)]{1,2}([^<>@]{0,60})[:：]")  # noqa: RUF001 - a wide colon


def find_one_line_block(lines: list[str], *, introduced: bool) -> Block | None:
    """Return the first line that is a complete block.

    introduced: whether a line with only time and sender counts, which programs also write above a reply.
    """
    for number, line in enumerate(lines[:_LINE_LIMIT]):
        found = _all_headers(line, number) if _RULE.match(line) else None
        if found is None and introduced and line.rstrip().endswith((":", "：")):  # noqa: RUF001 - a wide colon
            found = _introduction(line.strip("\ufeff \t>"), number)
        if found is not None:
            return found
    return None


def _all_headers(line: str, number: int) -> Block | None:
    """Return the block in "---- Forwarded message ---- From: Ann <a@b.example>To: ...Sent: ...Subject: ..."."""
    found = list(_NAME.finditer(line[:_ALL_HEADERS_LIMIT]))
    if len(found) != len(_YAHOO) or not all(
        name[1] in _COLUMNS[column] for name, column in zip(found, _YAHOO, strict=True)
    ):
        return None
    ends = [*(name.start() for name in found[1:]), len(line)]
    texts = [line[name.end() : end].strip() for name, end in zip(found, ends, strict=True)]
    values = dict(zip(("from", "to", "date", "subject"), texts, strict=True))
    return block_of(values, texts, number, number + 1)


def _introduction(line: str, number: int) -> Block | None:
    found = _WROTE.fullmatch(_LINK.sub("", line[:_INTRODUCTION_LIMIT]))
    if found is None or not only_address(found[2]) or not _DIGIT.search(found[1] + found[3]):
        return None
    quoted = _QUOTED.search(found[1])
    name = quoted[1] if quoted else found[1].rpartition(",")[2].strip()
    return Block(found[2].lower(), name, "", number, number + 1)
