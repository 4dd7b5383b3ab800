"""Find the notice in a forwarded mail: as an attached mail, else quoted in the text."""

from dataclasses import dataclass, replace
from itertools import islice

from worker.notices.addresses import only_address
from worker.notices.amazon import AMAZON_DOMAINS, OPT_OUT_TYPE, TYPE_HEADER
from worker.notices.authenticity import Sender, sender_of
from worker.notices.content import PAGE_LIMIT, Content, content_of, page_of, pages_of
from worker.notices.doubts import Doubt, Reason
from worker.notices.first_check import first_check
from worker.notices.header_lines import Block, find_block
from worker.notices.headers import Head, decode_words, read_head
from worker.notices.lines_above import may_name_other_sender
from worker.notices.mime import Part, parts
from worker.notices.one_line_headers import find_one_line_block
from worker.notices.page import Page
from worker.notices.sentences import contains_known_subject, is_reply

_FORWARDED_AGAIN = Reason(Doubt.FORWARDED_AGAIN)
_OTHER_MAIL_ABOVE = Reason(Doubt.OTHER_MAIL_ABOVE)


@dataclass(frozen=True, slots=True)
class Forwarded:
    """A mail of Amazon inside another mail.

    sender: without an address if only a name is left. head, types: only of an attached mail. reason: why it may not be
    from Amazon.
    """

    sender: Sender
    content: Content
    head: Head | None = None
    types: tuple[str, ...] = ()
    reason: Reason | None = None

    @property
    def may_be_notice(self) -> bool:
        """Whether it may be a notice: by its type, or because it mentions unsolicited messages."""
        return OPT_OUT_TYPE in self.types or self.content.mentions_opting_out


def forwarded_in(found: list[Part], forwarder: str, subject: str) -> list[Forwarded]:
    """Return the forwarded mails of Amazon: all attached ones, else the one in the text.

    forwarder: the address of the forwarding mail's sender. subject: its decoded subject.
    """
    attached = [part for part in found if part.kind == "message/rfc822"]
    ours = [mail for part in attached[:PAGE_LIMIT] if (mail := _attached(part.data())) is not None]
    texts = [part for part in found if part.kind.startswith("text/") and not part.attached][:PAGE_LIMIT]
    if not ours:
        # Outlook for Mac writes the same line above a forward as above a reply: only the subject shows the difference.
        introduced = contains_known_subject(subject) and not is_reply(subject)
        inline = _inline(texts, forwarder, introduced=introduced)
        return [inline] if inline else []
    # The text may be a stranger's mail that was forwarded together with its attachments.
    doubts = [doubt for text in texts if (doubt := _doubt_about_text(text, forwarder))]
    return [replace(mail, reason=doubts[0]) for mail in ours] if doubts else ours


def all_pages(found: list[Part]) -> list[Page]:
    """Return all text of a mail, with quotations and with attached mails that are not from Amazon."""
    pages = pages_of(found, quoted=True)
    pending = [part for part in found if part.kind == "message/rfc822"]
    for part in islice(pending, PAGE_LIMIT):
        raw = part.data()
        head = read_head(raw)
        if sender_of(head).domain not in AMAZON_DOMAINS:
            inner = list(parts(raw, head))
            pending += [each for each in inner if each.kind == "message/rfc822"]
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


def _doubt_about_text(text: Part, forwarder: str) -> Reason | None:
    """Return a doubt if the text, beside an attached mail of Amazon, may be another forwarded mail."""
    lines = page_of(text, quoted=True).text.splitlines()
    block = _first_block(lines, introduced=False)
    if block is not None and not _is_from_amazon(block):
        return _FORWARDED_AGAIN
    return (
        _OTHER_MAIL_ABOVE
        if may_name_other_sender(lines[: block.start] if block else lines, forwarder)
        else None
    )


def _inline(found: list[Part], forwarder: str, *, introduced: bool) -> Forwarded | None:
    pages: list[Page] = []
    first: Block | None = None
    reason: Reason | None = None
    # HTML first: it has the alias in a link, which plain text may not have.
    for part in sorted(found, key=lambda each: each.kind != "text/html"):
        page = page_of(part, quoted=True)
        lines = page.text.splitlines()
        block = _first_block(lines, introduced=introduced)
        if block is not None and not _is_from_amazon(block):
            reason, block = _FORWARDED_AGAIN, find_block(lines, block.end)
        if block is not None and _is_from_amazon(block):
            first = first or block
            if may_name_other_sender(lines[: block.start], forwarder):
                reason = reason or _OTHER_MAIL_ABOVE
            pages.append(Page("\n".join(lines[block.end :]), page.links))
    if first is None:
        return None
    sender = Sender(first.sender, first.sender.rpartition("@")[2], first.name)
    return Forwarded(sender, content_of(first.subject, pages), reason=reason)


def _first_block(lines: list[str], *, introduced: bool) -> Block | None:
    block = find_block(lines)
    return find_one_line_block(lines[: block.start if block else None], introduced=introduced) or block


def _is_from_amazon(block: Block) -> bool:
    address = block.sender or only_address(block.name)
    if address:
        return address.rpartition("@")[2] in AMAZON_DOMAINS
    return "@" not in block.name and "amazon" in block.name.casefold()
