"""Find the notice in a forwarded mail: an attached mail first, else the lines quoted in the text."""

import re
from dataclasses import dataclass, replace
from itertools import islice

from worker.notices.amazon import AMAZON_DOMAINS, OPT_OUT_TYPE, TYPE_HEADER
from worker.notices.authenticity import Sender, sender_of
from worker.notices.content import PAGE_LIMIT, Content, content_of, page_of, pages_of
from worker.notices.doubts import Doubt, Reason
from worker.notices.first_check import first_check
from worker.notices.header_lines import Block, find_block
from worker.notices.headers import Head, decode_words, read_head
from worker.notices.mime import Part, parts
from worker.notices.page import Page, introduces_other_mail

_AGAIN = Reason(Doubt.FORWARDED_AGAIN)

_BRACKETED = re.compile(
    r"<(?:mailto:)?([^<>\s@:]{1,64}@[^<>\s@?]{1,255})(?:\?[^<>\s]{0,255})?>", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Forwarded:
    """A mail of Amazon's inside another mail.

    sender: without address where only a name is left.
    head, types: only where it was attached whole. reason: why it may still not be Amazon's.
    """

    sender: Sender
    content: Content
    head: Head | None = None
    types: tuple[str, ...] = ()
    reason: Reason | None = None

    @property
    def may_be_notice(self) -> bool:
        """Whether it may be a notice: by its type, or because it mentions unsolicited messages at all."""
        return OPT_OUT_TYPE in self.types or self.content.mentions_opting_out


def forwarded_in(found: list[Part], forwarder: str) -> list[Forwarded]:
    """Return the mails of Amazon's that this mail forwards: all attached ones, or the one in its text.

    forwarder: the address of who sent this mail.
    """
    attached = [part for part in found if part.kind == "message/rfc822"]
    ours = [mail for part in attached[:PAGE_LIMIT] if (mail := _attached(part.data())) is not None]
    texts = [part for part in found if part.kind.startswith("text/") and not part.attached][:PAGE_LIMIT]
    if not ours:
        inline = _inline(texts, forwarder)
        return [inline] if inline else []
    # A stranger's mail is forwarded together with its attachments.
    return [replace(mail, reason=_AGAIN) for mail in ours] if any(map(_is_not_amazons, texts)) else ours


def passed_on(found: list[Part]) -> list[Page]:
    """Return all text that a mail passes on: its own, what it quotes, and attached mails that are not Amazon's."""
    pages = pages_of(found, quoted=True)
    waiting = [part for part in found if part.kind == "message/rfc822"]
    for part in islice(waiting, PAGE_LIMIT):
        raw = part.data()
        head = read_head(raw)
        if sender_of(head).domain not in AMAZON_DOMAINS:
            inner = list(parts(raw, head))
            waiting += [each for each in inner if each.kind == "message/rfc822"]
            pages += [Page(decode_words(head.first("subject"))), *pages_of(inner, quoted=True)]
    return pages


def _attached(raw: bytes) -> Forwarded | None:
    head = read_head(raw)
    sender = sender_of(head)
    if sender.domain not in AMAZON_DOMAINS:
        return None
    types = tuple(decode_words(value).strip().upper() for value in head.all(TYPE_HEADER))
    content = content_of(head.first("subject"), pages_of(parts(raw, head), quoted=False))
    doubt = first_check(head, sender.domain)
    return Forwarded(sender, content, head, types, Reason(doubt) if doubt else None)


def _is_not_amazons(text: Part) -> bool:
    """Whether the header lines in this text are those of a mail that is not Amazon's."""
    block = find_block(page_of(text, quoted=True).text.splitlines())
    return block is not None and not _is_amazons(block)


def _inline(found: list[Part], forwarder: str) -> Forwarded | None:
    pages: list[Page] = []
    first: Block | None = None
    again = False
    # HTML first: the alias stands in a link there, which plain text may have lost.
    for part in sorted(found, key=lambda each: each.kind != "text/html"):
        page = page_of(part, quoted=True)
        lines = page.text.splitlines()
        block = find_block(lines)
        if block is not None and not _is_amazons(block):
            again, block = True, find_block(lines, block.end)
        if block is not None and _is_amazons(block):
            first = first or block
            again = again or any(
                _names_another(line, forwarder) or introduces_other_mail(line)
                for line in lines[: block.start]
            )
            pages.append(Page("\n".join(lines[block.end :]), page.links))
    if first is None:
        return None
    sender = Sender(first.sender, first.sender.rpartition("@")[2], first.name)
    return Forwarded(sender, content_of(first.subject, pages), reason=_AGAIN if again else None)


def _names_another(line: str, forwarder: str) -> bool:
    """Whether this line may name somebody else who forwarded the notice, in any language: "Xxx Ann <a@b.example>".

    Gmail and Outlook write links of signatures as "a@b.example <a@b.example>", with "mailto:" perhaps.
    """
    return any(
        found[1].lower() != forwarder
        and found[1].lower().rpartition("@")[2] not in AMAZON_DOMAINS
        and found[1] not in line[max(0, found.start() - 330) : found.start()]
        for found in _BRACKETED.finditer(line)
    )


def _is_amazons(block: Block) -> bool:
    if block.sender:
        return block.sender.rpartition("@")[2] in AMAZON_DOMAINS
    return "@" not in block.name and "amazon" in block.name.casefold()
