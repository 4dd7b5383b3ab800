"""What a mail says, apart from how it is packed."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice

from worker.notices.aliases import aliases_in_links, aliases_in_text, orders
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
PAGE_LIMIT = 5

# Behind the greeting, the Italian sentence names buyer, order and day before it comes to the known words.
_LEAD = 160
_GREETING = re.compile(r"\b(?:dear|hello|hi) [^:.!?]{1,40}:")
# The end of another sentence, an introduction ("Message:"), an opening quotation mark, the name of a copy.
_OTHER_WORDS = re.compile(r"[.!?](?= )|。|:(?![\d/])|(?<!\w)'|\bcop(?:y|ie|ia)\b|コピー|写し|控え")

_LOOKS_LIKE_HTML = re.compile(r"\s{0,100}<(?:!doctype html|html|head|body|div|table|p)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Content:
    """A mail's decoded subject, its folded text, and the buyers it names.

    said: the known sentences in it, proven ones first. title: the row whose subject it has.
    """

    subject: str
    text: str
    aliases: tuple[str, ...]
    said: tuple[Sentence, ...]
    title: Wording | None

    @property
    def wording(self) -> Wording | None:
        """The row by which both halves are said, one of them by the subject perhaps."""
        return self.said[0].wording if self.said else None

    @property
    def around(self) -> str:
        """The text around the sentences, where the order and the day are named."""
        return " | ".join(self.text[max(0, each.start - 160) : each.end + 200] for each in self.said)

    @property
    def leads(self) -> bool:
        """Whether a sentence stands where notices have it: at the very beginning, behind a greeting at most.

        Copies of sellers' messages once had the sender of notices. They open with words of
        Amazon's, and only then comes what the seller wrote, which may be anything.
        """
        first = min((each.start for each in self.said), default=_LEAD)
        return first < _LEAD and not _OTHER_WORDS.search(_GREETING.sub("", self.text[:first], count=1))

    @property
    def explains(self) -> bool:
        """Whether it gives a notice's reason, in words that are proven, and speaks of a single order or buyer."""
        about_one = len(self.aliases) == 1 or len(orders(self.text)) == 1
        return about_one and bool(reasons(self.text))

    @property
    def speaks_of_opting_out(self) -> bool:
        """Whether it mentions unsolicited messages at all, in words known or not."""
        return hints_at_opting_out(self.text)

    @property
    def other_failure(self) -> bool:
        """Whether it tells of a message that was not delivered, for another reason than an opt-out."""
        return not self.wording and bool(failures(self.text)) and not self.speaks_of_opting_out


def content_of(subject: str, pages: Iterable[Page]) -> Content:
    """Put together what the pages of one mail say. subject: as it stands in the header."""
    pages = list(pages)
    found = [
        alias for page in pages for alias in (*aliases_in_links(page.links), *aliases_in_text(page.text))
    ]
    text = fold("\n\n".join(page.text for page in pages))
    subject = decode_words(subject)
    said = tuple(sentences(text))
    title = known_subject(subject)
    if title and not (said and said[0].wording.proven):
        # The subject says "not delivered" as well as the text does.
        said = tuple(each for each in reasons(text) if each.wording.language == title.language) or said
    return Content(subject, text, tuple(dict.fromkeys(found)), said, title)


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
