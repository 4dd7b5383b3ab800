"""Find the sentences of notices in text, by the table in ``wording.py``."""

# ruff: noqa: RUF001 - the letters that look alike are the subject of this table

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

from worker.notices.aliases import INVISIBLE
from worker.notices.wording import WORDING, Wording

# Characters between the two halves of a sentence: a name, an order ID and a date.
_REACH = 300
# Characters that are searched: more than any notice has, but limited for hostile mail.
_TEXT_LIMIT = 200_000
_MAX_OCCURRENCES = 20
# Characters before a sentence in which an opening quotation mark counts: a greeting may be between.
_QUOTE_REACH = 150

_TABLE: dict[int, str | None] = {
    **INVISIBLE,
    **dict.fromkeys(map(ord, "’‘ʼ´`′‛"), "'"),
    **dict.fromkeys(map(ord, "“”„«»‟「」『』″"), '"'),
    **dict.fromkeys(map(ord, "‐‑‒–—―−"), "-"),
}
# With a pattern: str.translate takes five times as long if the text has few of these characters.
_SPECIAL = re.compile(f"[{''.join(map(re.escape, map(chr, _TABLE)))}]")
_SPACES = re.compile(r"\s+")
# Japanese has no spaces: a space between two of its characters comes from a wrapped line.
_CJK_SPACE = re.compile(
    r"(?<=[\u3000-\u30ff\u3400-\u9fff\uff00-\uffef]) (?=[\u3000-\u30ff\u3400-\u9fff\uff00-\uffef])"
)


def fold(text: str) -> str:
    """Normalise text for comparison: case, spaces, quotes, hyphens, invisible characters."""
    text = text[:_TEXT_LIMIT]
    if not text.isascii():
        text = _normalize(_SPECIAL.sub(_plain, text))[:_TEXT_LIMIT]
    text = _SPACES.sub(" ", text.casefold())
    if not text.isascii():
        text = _CJK_SPACE.sub("", text)
    return text.strip()


def _plain(special: re.Match[str]) -> str:
    return _TABLE[ord(special[0])] or ""


def _normalize(text: str) -> str:
    # The time is quadratic in the length of a run of combining marks, so text with very long words is split.
    if max(map(len, text.split()), default=0) > 500:
        chunks = (text[at : at + 250] for at in range(0, len(text), 250))
        return "".join(unicodedata.normalize("NFKC", chunk) for chunk in chunks)
    return unicodedata.normalize("NFKC", text)


@dataclass(frozen=True, slots=True)
class _Phrases:
    wording: Wording
    subject: str
    could_not_deliver: str
    because: str


_ROWS = tuple(
    _Phrases(row, fold(row.subject), fold(row.could_not_deliver), fold(row.because)) for row in WORDING
)


@dataclass(frozen=True, slots=True)
class Sentence:
    """A known sentence, or its "because" half. start, end: its position in the folded text."""

    wording: Wording
    start: int
    end: int


def find_sentences(folded: str) -> list[Sentence]:
    """Return the known sentences in folded text that are not in quotation marks, proven wording first."""
    found = [
        Sentence(row.wording, *span)
        for row in _ROWS
        for start, end in _occurrences(folded, row.because)
        if (span := _with_other_half(folded, row.could_not_deliver, start, end))
        and not _in_quotes(folded, span[0])
    ]
    return sorted(found, key=lambda each: not each.wording.proven)


def find_because_clauses(folded: str) -> list[Sentence]:
    """Return the "because" halves of proven sentences that are not in quotation marks."""
    return [
        Sentence(row.wording, start, end)
        for row in _ROWS
        if row.wording.proven
        for start, end in _occurrences(folded, row.because)
        if not _in_quotes(folded, start)
    ]


def _occurrences(folded: str, phrase: str) -> Iterator[tuple[int, int]]:
    at = folded.find(phrase)
    for _ in range(_MAX_OCCURRENCES):
        if at < 0:
            return
        yield at, at + len(phrase)
        at = folded.find(phrase, at + len(phrase))


def _with_other_half(folded: str, phrase: str, start: int, end: int) -> tuple[int, int] | None:
    before = folded.rfind(phrase, max(0, start - _REACH), start)
    if before >= 0:
        return before, end
    after = folded.find(phrase, end, end + _REACH)
    return (start, after + len(phrase)) if after >= 0 else None


def _in_quotes(folded: str, at: int) -> bool:
    """Whether a quotation mark is open here, as in an article about notices."""
    return folded.count('"', max(0, at - _QUOTE_REACH), at) % 2 == 1


def find_undelivered(folded: str) -> list[Wording]:
    """Return the proven wordings whose "not delivered" half is in folded text."""
    return [row.wording for row in _ROWS if row.wording.proven and row.could_not_deliver in folded]


# Tags that companies' mail servers put before subjects of external mail.
_TAGS = re.compile(r"^(?:(?:\[[^\]]{1,30}\]|ext(?:ernal)?:) ?){1,3}")


def known_subject(subject: str) -> Wording | None:
    """Return the wording whose subject is the start of this subject. Not after ``Re:`` or ``Fwd:``."""
    folded = _TAGS.sub("", fold(subject))
    for row in _ROWS:
        if row.subject and folded.startswith(row.subject):
            rest = folded[len(row.subject) :]
            # An order ID may follow, but no other words: "... could not be delivered - what now?"
            at_most_order = len(rest.split()) <= 4 and sum(map(str.isalpha, rest)) <= 12
            return row.wording if at_most_order else None
    return None


def contains_known_subject(subject: str) -> bool:
    """Whether this subject contains a known one, such as after ``Fwd:``."""
    folded = fold(subject)
    return any(row.subject and row.subject in folded for row in _ROWS)


# The prefixes of replies by language; a number counts the replies. Without "VS": it means a reply in Finnish, but a
# forward in Danish and Norwegian.
_REPLY = re.compile(
    r"(?:re?|aw|sv|rif?|ref|res|antw|odp|ynt|vá|bls|atb|απ|σχετ|отв|回复|回覆|答复|答覆|返信|답장|השב|رد|trả lời)"
    r" ?(?:\[\d{1,3}\] ?)?:"
)


def is_reply(subject: str) -> bool:
    """Whether this subject has the prefix of a reply."""
    return _REPLY.match(_TAGS.sub("", fold(subject))) is not None
