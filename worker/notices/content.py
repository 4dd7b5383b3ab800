"""What a mail says, apart from how it is packed."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice

from worker.notices.aliases import aliases_in_links, aliases_in_text
from worker.notices.headers import decode_words
from worker.notices.mime import Part
from worker.notices.page import Page, read_html, read_plain
from worker.notices.sentences import (
    Sentence,
    failures,
    fold,
    hints_at_opting_out,
    known_subject,
    reasons,
    sentences,
)
from worker.notices.wording import Wording

# Mail programs put a picture between texts, hostile mail a thousand pages.
PAGE_LIMIT = 10

_LOOKS_LIKE_HTML = re.compile(r"\s{0,100}<(?:!doctype html|html|head|body|div|table|p)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Content:
    """A notice's subject, its folded text, and the buyers it names.

    said: the known sentences in it, quoted ones apart. wording: the row by which both halves are said.
    """

    subject: str
    text: str
    aliases: tuple[str, ...]
    said: tuple[Sentence, ...]
    wording: Wording | None

    @property
    def titled(self) -> bool:
        """Whether the subject is that of a notice."""
        return known_subject(self.subject) is not None

    @property
    def leads(self) -> bool:
        """Whether a sentence stands where notices have it: at the very beginning, behind a greeting at most.

        Copies of sellers' messages once had the sender of notices. They open with words of
        Amazon's, and only then comes what the seller wrote, which may be anything.
        """
        return any(each.start < 160 for each in self.said)

    @property
    def other_failure(self) -> bool:
        """Whether it tells of a message that was not delivered, for another reason than an opt-out."""
        return not self.wording and bool(failures(self.text)) and not hints_at_opting_out(self.text)


def content_of(subject: str, pages: Iterable[Page]) -> Content:
    """Put together what the pages of one mail say. subject: as it stands in the header."""
    pages = list(pages)
    whole = "\n\n".join(page.text for page in pages)
    text = fold(whole)
    found = [
        alias for page in pages for alias in (*aliases_in_links(page.links), *aliases_in_text(page.text))
    ]
    subject = decode_words(subject)
    said = tuple(each for each in sentences(text) if not each.in_quotes)
    return Content(subject, text, tuple(dict.fromkeys(found)), said, _wording(subject, text, said))


def _wording(subject: str, text: str, said: tuple[Sentence, ...]) -> Wording | None:
    if said and said[0].wording.proven:
        return said[0].wording
    # The subject says "not delivered" as well as the text does.
    title = known_subject(subject)
    if title is not None and any(reason.language == title.language for reason in reasons(text)):
        return title
    return said[0].wording if said else None


def pages_of(parts: Iterable[Part], *, quoted: bool) -> list[Page]:
    """Read the parts that a mail program shows as the text of the mail."""
    shown = (part for part in parts if part.kind.startswith("text/") and not part.attached)
    return [page_of(part, quoted=quoted) for part in islice(shown, PAGE_LIMIT)]


def page_of(part: Part, *, quoted: bool) -> Page:
    """Read a text part; HTML is recognised where nothing calls it so."""
    text = part.text()
    if part.kind == "text/html" or _LOOKS_LIKE_HTML.match(text):
        return read_html(text, quoted=quoted)
    return read_plain(text, quoted=quoted)
