"""The text of a mail, its known sentences, and the buyers in it."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice

from worker.notices.aliases import aliases_in_links, aliases_in_text, orders
from worker.notices.headers import decode_words
from worker.notices.mime import Part
from worker.notices.new_words import mentions_unsolicited_messages, reports_refused_message
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

# More than one, since mail programs split the text at pictures; limited, since hostile mail has a thousand parts.
PAGE_LIMIT = 5

# Characters before a known sentence: a greeting; in Italian also buyer, order and day.
_LEAD = 160
_GREETING = re.compile(r"\b(?:dear|hello|hi) [^:.!?]{1,40}:")
# The end of another sentence, an introduction ("Message:"), an opening quotation mark, the word "copy".
_OTHER_WORDS = re.compile(r"[.!?](?= )|。|:(?![\d/])|(?<!\w)'|\bcop(?:y|ie|ia)\b|コピー|写し|控え")

_LOOKS_LIKE_HTML = re.compile(r"\s{0,100}<(?:!doctype html|html|head|body|div|table|p)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Content:
    """A mail's decoded subject, its folded text, and its aliases.

    sentences: the known sentences, proven ones first. subject_wording: the wording with this subject.
    """

    subject: str
    text: str
    aliases: tuple[str, ...]
    sentences: tuple[Sentence, ...]
    subject_wording: Wording | None

    @property
    def wording(self) -> Wording | None:
        """The wording whose two halves were found; one half may be in the subject."""
        return self.sentences[0].wording if self.sentences else None

    @property
    def context(self) -> str:
        """The text around the sentences, with the order and the day."""
        return " | ".join(self.text[max(0, each.start - 160) : each.end + 200] for each in self.sentences)

    @property
    def starts_with_sentence(self) -> bool:
        """Whether the text starts with a known sentence, perhaps after a greeting, like a notice.

        Copies of sellers' messages formerly had the same sender. They start with a text of Amazon, then comes the
        seller's text, which may contain anything.
        """
        first = min((each.start for each in self.sentences), default=_LEAD)
        return first < _LEAD and not _OTHER_WORDS.search(_GREETING.sub("", self.text[:first], count=1))

    @property
    def gives_opt_out_reason(self) -> bool:
        """Whether it has the reason of notices in proven wording, and one order or buyer."""
        return self._is_about_one and bool(find_because_clauses(self.text))

    @property
    def reports_refused_message(self) -> bool:
        """Whether it says, in any wording, that a message to one buyer was not delivered or not wanted."""
        return self._is_about_one and (
            reports_refused_message(fold(self.subject)) or reports_refused_message(self.text)
        )

    @property
    def _is_about_one(self) -> bool:
        return len(self.aliases) == 1 or len(orders(f"{self.subject} {self.text}")) == 1

    @property
    def mentions_opting_out(self) -> bool:
        """Whether it mentions unsolicited messages, in any wording."""
        return mentions_unsolicited_messages(self.text)

    @property
    def failed_for_other_reason(self) -> bool:
        """Whether it reports a message that was not delivered for a reason other than an opt-out."""
        return not self.wording and bool(find_undelivered(self.text)) and not self.mentions_opting_out


def content_of(subject: str, pages: Iterable[Page]) -> Content:
    """Return the content of a mail's pages. subject: the raw header."""
    pages = list(pages)
    text = fold("\n\n".join(page.text for page in pages))
    aliases = [*aliases_in_links(link for page in pages for link in page.links), *aliases_in_text(text)]
    subject = decode_words(subject)
    found = tuple(find_sentences(text))
    subject_wording = known_subject(subject)
    if subject_wording and not (found and found[0].wording.proven):
        # The subject is the "not delivered" half.
        clauses = find_because_clauses(text)
        found = tuple(it for it in clauses if it.wording.language == subject_wording.language) or found
    return Content(subject, text, tuple(dict.fromkeys(aliases)), found, subject_wording)


def pages_of(parts: Iterable[Part], *, quoted: bool) -> list[Page]:
    """Read the parts that a mail program displays as text. quoted: whether to include quotations."""
    shown = (part for part in parts if part.kind.startswith("text/") and not part.attached)
    return [page_of(part, quoted=quoted) for part in islice(shown, PAGE_LIMIT)]


def page_of(part: Part, *, quoted: bool) -> Page:
    """Read a text part; HTML is also recognised by its content."""
    text = part.text()
    if part.kind == "text/html" or _LOOKS_LIKE_HTML.match(text):
        return read_html(text, quoted=quoted)
    return read_plain(text, quoted=quoted)
