"""Take the notice out of a forwarded mail: an attached mail first, else the lines quoted in the text."""

from dataclasses import dataclass

from worker.notices.amazon import AMAZON_DOMAINS, TYPE_HEADER
from worker.notices.authenticity import Sender, sender_of
from worker.notices.content import PAGE_LIMIT, Content, content_of, page_of, pages_of
from worker.notices.header_lines import find_block
from worker.notices.headers import Head, decode_words, read_head
from worker.notices.mime import Part, parts
from worker.notices.page import Page


@dataclass(frozen=True, slots=True)
class Forwarded:
    """A mail of Amazon's inside another mail.

    head, types: only where it was attached whole. again: somebody else had forwarded it before.
    """

    sender: Sender
    content: Content
    head: Head | None = None
    types: tuple[str, ...] = ()
    again: bool = False


def forwarded_in(found: list[Part]) -> list[Forwarded]:
    """Return the mails of Amazon's that this mail forwards: all attached ones, or the one in its text."""
    attached = [part for part in found if part.kind == "message/rfc822"]
    ours = [mail for part in attached[:PAGE_LIMIT] if (mail := _attached(part.data())) is not None]
    if ours:
        return ours
    inline = _inline([part for part in found if part.kind.startswith("text/") and not part.attached])
    return [inline] if inline else []


def _attached(raw: bytes) -> Forwarded | None:
    head = read_head(raw)
    sender = sender_of(head)
    if sender.domain not in AMAZON_DOMAINS:
        return None
    types = tuple(decode_words(value).strip() for value in head.all(TYPE_HEADER.lower()))
    content = content_of(head.first("subject"), pages_of(parts(raw, head), quoted=False))
    return Forwarded(sender, content, head, types)


def _inline(found: list[Part]) -> Forwarded | None:
    pages: list[Page] = []
    sender, subject, again = None, "", False
    # HTML first: the alias stands in a link there, which plain text may have lost.
    for part in sorted(found[:PAGE_LIMIT], key=lambda each: each.kind != "text/html"):
        page = page_of(part, quoted=True)
        lines = page.text.splitlines()
        block = find_block(lines)
        if block is not None and block.sender.rpartition("@")[2] not in AMAZON_DOMAINS:
            again, block = True, find_block(lines, block.end)
        if block is None or block.sender.rpartition("@")[2] not in AMAZON_DOMAINS:
            continue
        sender, subject = sender or block.sender, subject or block.subject
        pages.append(Page("\n".join(lines[block.end :]), page.links))
    if sender is None:
        return None
    return Forwarded(Sender(sender, sender.rpartition("@")[2]), content_of(subject, pages), again=again)
