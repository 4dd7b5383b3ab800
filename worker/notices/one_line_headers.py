"""Headers of a forwarded mail in a single line.

Yahoo's text without HTML runs all of them together; Outlook for Mac and Yandex write only when and by whom it
was sent: ``On 10/09/2026, 02:04, "Ann" <ann@example.org> wrote:``
"""

import re

from worker.notices.addresses import only_address
from worker.notices.header_lines import NAMES, Block, block_of

# One line names all addressees; a name and a date are short. A forwarded notice begins on the first screen.
_LONGEST = 2_000
_SHORT = 300
_LINES = 200
_RULE = re.compile(r"[\s>]{0,10}-{4,10} [^-:]{2,60} -{4,10} (?=\S)")
_BY_LENGTH = sorted((name for column in NAMES for name in column), key=len, reverse=True)
_NAME = re.compile(rf"({'|'.join(map(re.escape, _BY_LENGTH))})\s?[:：]")  # noqa: RUF001 - a wide colon
_COLUMNS = tuple(map(frozenset, NAMES))
# From, To, Date, Subject. Whoever chooses his name as he likes can add one of them, but not take one away.
_YAHOO = (0, 3, 1, 2)

_LINK = re.compile(r"<mailto:[^<>]*>", re.IGNORECASE)
_DIGIT = re.compile(r"\d")
_QUOTED = re.compile(r'"([^"]*)"\s*$')
_WROTE = re.compile(r"([^<>@()]*)[<(]{1,2}([^<>()\s]+)[>)]{1,2}([^<>@]{0,60})[:：]")  # noqa: RUF001 - a wide colon


def find_line(lines: list[str], *, introduced: bool) -> Block | None:
    """Return the first line that is a block by itself.

    introduced: whether a line may do that says only when and by whom the mail was sent, as above a reply.
    """
    for number, line in enumerate(lines[:_LINES]):
        found = _run_together(line, number) if _RULE.match(line) else None
        if found is None and introduced and line.rstrip().endswith((":", "：")):  # noqa: RUF001 - a wide colon
            found = _introduction(line.strip("\ufeff \t>"), number)
        if found is not None:
            return found
    return None


def _run_together(line: str, number: int) -> Block | None:
    """The block in a line such as "---- Forwarded message ---- From: Ann <a@b.example>To: ...Sent: ...Subject: ..."."""
    found = list(_NAME.finditer(line[:_LONGEST]))
    if len(found) != len(_YAHOO) or not all(
        name[1] in _COLUMNS[column] for name, column in zip(found, _YAHOO, strict=True)
    ):
        return None
    ends = [*(name.start() for name in found[1:]), len(line)]
    texts = [line[name.end() : end].strip() for name, end in zip(found, ends, strict=True)]
    values = dict(zip(("from", "to", "date", "subject"), texts, strict=True))
    return block_of(values, texts, number, number + 1)


def _introduction(line: str, number: int) -> Block | None:
    found = _WROTE.fullmatch(_LINK.sub("", line[:_SHORT]))
    if found is None or not only_address(found[2]) or not _DIGIT.search(found[1] + found[3]):
        return None
    quoted = _QUOTED.search(found[1])
    name = quoted[1] if quoted else found[1].rpartition(",")[2].strip()
    return Block(found[2].lower(), name, "", number, number + 1)
