"""Take the notice out of a forwarded mail: an attached mail first, else the lines quoted in the text."""

from dataclasses import dataclass

from worker.notices.amazon import AMAZON_DOMAINS, TYPE_HEADER
from worker.notices.authenticity import Sender, sender_of
from worker.notices.content import Content, content_of, pages_of
from worker.notices.header_lines import find_block
from worker.notices.headers import Head, decode_words, read_head
from worker.notices.mime import Part, parts
from worker.notices.page import Page, read_html, read_plain


@dataclass(frozen=True, slots=True)
class Forwarded:
    """A mail of Amazon's inside another mail. head, types: only where it was attached whole."""

    sender: Sender
    content: Content
    head: Head | None = None
    types: tuple[str, ...] = ()


def forwarded_in(found: list[Part]) -> list[Forwarded]:
    """Return the mails of Amazon's that this mail forwards: all attached ones, or the one in its text."""
    attached = [_attached(part.data()) for part in found if part.kind == "message/rfc822"]
    ours = [each for each in attached if each.sender.domain in AMAZON_DOMAINS]
    if ours:
        return ours
    inline = _inline([part for part in found if not part.attached and part.kind.startswith("text/")])
    return [inline] if inline else []


def _attached(raw: bytes) -> Forwarded:
    head = read_head(raw)
    types = tuple(decode_words(value).strip() for value in head.all(TYPE_HEADER.lower()))
    content = content_of(head.first("subject"), pages_of(parts(raw, head), quoted=False))
    return Forwarded(sender_of(head), content, head, types)


def _inline(found: list[Part]) -> Forwarded | None:
    # HTML first: the alias stands in a link there, which plain text may have lost.
    for part in sorted(found, key=lambda each: each.kind != "text/html"):
        read = read_html if part.kind == "text/html" else read_plain
        page = read(part.text(), quoted=True)
        lines = page.text.splitlines()
        block = find_block(lines)
        if block is None:
            continue
        local, _, domain = block.sender.rpartition("@")
        if domain not in AMAZON_DOMAINS:
            return None
        rest = Page("\n".join(lines[block.end :]), page.links)
        return Forwarded(Sender(f"{local}@{domain}", domain), content_of(block.subject, [rest]))
    return None
