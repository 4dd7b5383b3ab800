"""What a mail says, apart from how it is packed."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice

from worker.notices.aliases import aliases_in_links, aliases_in_text, orders
from worker.notices.headers import decode_words
from worker.notices.mime import Part
from worker.notices.new_words import mentions_unsolicited_messages, tells_of_refused_message
from worker.notices.page import Page, read_html, read_plain
from worker.notices.sentences import (
    Sentence,
    find_because_clauses,
    find_sentences,
    find_undelivered,
    fold,
    known_subject,
)
from worker.notices.wording import Wording

# Mail programs split the text at pictures; hostile mail has a thousand parts.
PAGE_LIMIT = 5

# After the greeting, the Italian sentence names buyer, order and day before the known words.
_LEAD = 160
_GREETING = re.compile(r"\b(?:dear|hello|hi) [^:.!?]{1,40}:")
# The end of another sentence, an introduction ("Message:"), an opening quotation mark, the name of a copy.
_OTHER_WORDS = re.compile(r"[.!?](?= )|。|:(?![\d/])|(?<!\w)'|\bcop(?:y|ie|ia)\b|コピー|写し|控え")

_LOOKS_LIKE_HTML = re.compile(r"\s{0,100}<(?:!doctype html|html|head|body|div|table|p)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Content:
    """A mail's decoded subject, its folded text, and the buyers it names.

    sentences: the known ones in it, proven ones first. subject_wording: the row whose subject it has.
    """

    subject: str
    text: str
    aliases: tuple[str, ...]
    sentences: tuple[Sentence, ...]
    subject_wording: Wording | None

    @property
    def wording(self) -> Wording | None:
        """The row of which both halves are there; one of them may be in the subject."""
        return self.sentences[0].wording if self.sentences else None

    @property
    def context(self) -> str:
        """The text around the sentences, which names the order and the day."""
        return " | ".join(self.text[max(0, each.start - 160) : each.end + 200] for each in self.sentences)

    @property
    def starts_with_sentence(self) -> bool:
        """Whether the text begins with a sentence, as notices do, or with a greeting before it.

        Copies of sellers' messages once had the sender of notices. They begin with a text of
        Amazon's, and what the seller wrote, which may be anything, follows it.
        """
        first = min((each.start for each in self.sentences), default=_LEAD)
        return first < _LEAD and not _OTHER_WORDS.search(_GREETING.sub("", self.text[:first], count=1))

    @property
    def gives_opt_out_reason(self) -> bool:
        """Whether it gives the reason of notices in proven wording, and names a single order or buyer."""
        return self._is_about_one and bool(find_because_clauses(self.text))

    @property
    def tells_of_refused_message(self) -> bool:
        """Whether it says, in any words, that the message to a single buyer was not delivered or not wanted."""
        return self._is_about_one and (
            tells_of_refused_message(fold(self.subject)) or tells_of_refused_message(self.text)
        )

    @property
    def _is_about_one(self) -> bool:
        return len(self.aliases) == 1 or len(orders(f"{self.subject} {self.text}")) == 1

    @property
    def mentions_opting_out(self) -> bool:
        """Whether it mentions unsolicited messages at all, in known wording or not."""
        return mentions_unsolicited_messages(self.text)

    @property
    def failed_for_other_reason(self) -> bool:
        """Whether it reports a message that was not delivered for another reason than an opt-out."""
        return not self.wording and bool(find_undelivered(self.text)) and not self.mentions_opting_out


def content_of(subject: str, pages: Iterable[Page]) -> Content:
    """Return what the pages of one mail say. subject: as in the header."""
    pages = list(pages)
    text = fold("\n\n".join(page.text for page in pages))
    aliases = [*aliases_in_links(link for page in pages for link in page.links), *aliases_in_text(text)]
    subject = decode_words(subject)
    found = tuple(find_sentences(text))
    subject_wording = known_subject(subject)
    if subject_wording and not (found and found[0].wording.proven):
        # The subject says "not delivered" as well as the text does.
        clauses = find_because_clauses(text)
        found = tuple(it for it in clauses if it.wording.language == subject_wording.language) or found
    return Content(subject, text, tuple(dict.fromkeys(aliases)), found, subject_wording)


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
