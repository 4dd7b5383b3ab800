"""Gmail's search language as far as it is known, for lists with ``q`` and for filters.

Known: words match as a whole and case-insensitively, punctuation is ignored, quotes make a phrase, ``OR`` binds tighter
than the space between terms, ``{a b}`` means OR, ``-`` negates, an operator applies to a group as in ``from:(a OR b)``,
``after:`` accepts epoch seconds, a bare date is midnight in California, a label's name has hyphens for spaces and
slashes.

Unknown, and chosen here, mostly strictly:
- no stemming, no synonyms, no folding of accents (Gmail does some of it);
- an address is a phrase of its parts, so ``from:amazon.it`` finds ``x@amazon.it`` and
  ``x@mail.amazon.it``, but also ``x@amazon.it.example`` and the display name "Amazon.it";
- Japanese and Chinese are matched by character, a sequence of them like a phrase;
- ``after:`` and ``before:`` exclude the given second;
- ``label:`` does not include nested labels;
- text in an attribute, a link's target, an encoded attached message or a header without an operator is not found.
An unknown operator is read as words.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from zoneinfo import ZoneInfo

_PACIFIC = ZoneInfo("America/Los_Angeles")
_CJK = "\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff"
_WORDS = re.compile(rf"[{_CJK}]|(?:(?![{_CJK}])\w)+")
_TOKENS = re.compile(r'[(){}]|"[^"]*"?|-(?=[^\s-])|[a-z_0-9]+:|[^\s(){}"]+', re.IGNORECASE)

TEXT_FIELDS = frozenset({"from", "to", "cc", "bcc", "subject", "deliveredto", "list", "filename"})
_OPERATORS = TEXT_FIELDS | {
    *("after", "before", "newer", "older", "newer_than", "older_than", "in", "is", "label", "has"),
    *("rfc822msgid", "larger", "smaller", "category"),
}
_DAYS = {"d": 1, "m": 30, "y": 365}
_SIZES = {"": 1, "k": 1024, "m": 1024 * 1024}


def words(text: str) -> str:
    """Return the folded words of a text, each between single spaces, so that a phrase is a substring."""
    return f" {' '.join(_WORDS.findall(text.casefold()))} "


@lru_cache(1000)
def label_key(name: str) -> str:
    """Return a label's name in search syntax."""
    return re.sub(r"[\s/&()]", "-", name.casefold())


@dataclass(frozen=True, slots=True)
class Indexed:
    """The index entry of a message, without its labels. fields: words by field; "" is for a search without operator."""

    fields: dict[str, str]
    message_id: str
    has_attachment: bool
    size: int
    received: int  # epoch seconds


# Returns whether a message matches, by its index entry and the keys of its labels.
Matcher = Callable[[Indexed, frozenset[str]], bool]


@dataclass(frozen=True, slots=True)
class Query:
    """A compiled search. shows_hidden: it includes Spam or Trash."""

    matches: Matcher
    shows_hidden: bool


class QueryError(ValueError):
    """An invalid query."""


def compile_query(query: str, now: float) -> Query:
    """Compile a search. now: epoch seconds, for operators such as ``newer_than:``."""
    return _compiled(query, now if "_than" in query.casefold() else 0)


@lru_cache(1000)  # each new mail is checked against every filter
def _compiled(query: str, now: float) -> Query:
    parser = _Parser(query, now)
    try:
        matches = parser.all_of("", closing="")
    except RecursionError as error:
        raise QueryError("too deeply nested") from error
    return Query(matches, parser.shows_hidden)


class _Parser:
    """A recursive descent parser; each method returns a matcher for the tokens it has read."""

    def __init__(self, query: str, now: float) -> None:
        self._tokens = _TOKENS.findall(query)
        self._at = 0
        self._now = now
        self._negated = False
        self.shows_hidden = False

    def all_of(self, field: str, closing: str) -> Matcher:
        terms: list[Matcher] = []
        while (part := self._peek()) != closing:
            if part == "":
                break  # Gmail accepts a missing closing bracket at the end
            if part in (")", "}", "AND"):
                self._next()
                continue
            terms.append(self._any_of(field))
        self._next()
        if len(terms) == 1:
            return terms[0]
        return lambda message, labels: all(term(message, labels) for term in terms)

    def _any_of(self, field: str) -> Matcher:
        choices = [self._term(field)]
        while self._peek() == "OR":
            self._next()
            choices.append(self._term(field))
        return _either(choices)

    def _term(self, field: str) -> Matcher:
        part = self._next()
        if part == "-":
            return self._negation(field)
        if part == "(":
            return self.all_of(field, ")")
        if part == "{":
            return self._braces(field)
        if part.endswith(":") and part[:-1].casefold() in _OPERATORS:
            return self._operator(part[:-1].casefold())
        return _phrase(field, part)

    def _negation(self, field: str) -> Matcher:
        outer, self._negated = self._negated, not self._negated
        term = self._term(field)
        self._negated = outer
        return lambda message, labels: not term(message, labels)

    def _braces(self, field: str) -> Matcher:
        choices: list[Matcher] = []
        while (part := self._peek()) not in ("}", ""):
            if part == "OR":
                self._next()
            else:
                choices.append(self._term(field))
        self._next()
        return _either(choices)

    def _operator(self, name: str) -> Matcher:
        if name in TEXT_FIELDS:
            return self._term(name)
        if self._peek() in ("(", "{"):
            return self._group(name)
        return self._valued(name, self._value())

    def _group(self, name: str) -> Matcher:
        """Apply an operator with plain values to a group: ``label:(a OR b)``, ``in:{inbox sent}``."""
        opening = self._next()
        choices: list[list[Matcher]] = []
        alternative = True
        while (part := self._peek()) not in (")", "}", ""):
            if part == "OR":
                self._next()
                alternative = True
                continue
            term = self._valued(name, self._value())
            if (alternative and choices) or opening == "{":
                choices.append([term])
            else:
                choices = choices or [[]]
                choices[-1].append(term)
            alternative = False
        self._next()
        return _either([_every(terms) for terms in choices])

    def _valued(self, name: str, value: str) -> Matcher:
        match name:
            case "in" | "is" | "label" | "category":
                return self._place(name, value)
            case "has":
                wanted = value.casefold() == "attachment"
                return lambda message, _labels: wanted and message.has_attachment
            case "rfc822msgid":
                message_id = value.strip("<>").casefold()
                return lambda message, _labels: message.message_id == message_id
            case "larger" | "smaller":
                return _size(name, value)
            case _:
                return self._time(name, value)

    def _place(self, operator: str, value: str) -> Matcher:
        key = label_key(value)
        if key in ("anywhere", "spam", "trash") and not self._negated:
            self.shows_hidden = True
        if key == "anywhere":
            return lambda _message, _labels: True
        if operator == "is" and key == "read":
            return lambda _message, labels: "unread" not in labels
        if operator == "category":
            key = f"category_{key}"
        return lambda _message, labels: key in labels

    def _time(self, name: str, value: str) -> Matcher:
        moment = self._now - _span(value) if name.endswith("_than") else _moment(value)
        if name in ("after", "newer", "newer_than"):
            return lambda message, _labels: message.received > moment
        return lambda message, _labels: message.received < moment

    def _value(self) -> str:
        value = self._next()
        while value.endswith(":"):  # a value with a colon has several tokens
            value += self._next()
        return value.strip('"')

    def _peek(self) -> str:
        return self._tokens[self._at] if self._at < len(self._tokens) else ""

    def _next(self) -> str:
        part = self._peek()
        self._at += 1
        return part


def _either(choices: list[Matcher]) -> Matcher:
    if len(choices) == 1:
        return choices[0]
    return lambda message, labels: any(choice(message, labels) for choice in choices)


def _every(terms: list[Matcher]) -> Matcher:
    return lambda message, labels: all(term(message, labels) for term in terms)


def _phrase(field: str, text: str) -> Matcher:
    wanted = words(text)
    if wanted.isspace():
        return lambda _message, _labels: True  # only punctuation
    return lambda message, _labels: wanted in message.fields[field]


def _size(name: str, value: str) -> Matcher:
    if not (match := re.fullmatch(r"(\d+)([km]?)b?", value.casefold())):
        raise QueryError(f"no size: {value}")
    limit = int(match[1]) * _SIZES[match[2]]
    if name == "larger":
        return lambda message, _labels: message.size > limit
    return lambda message, _labels: message.size < limit


def _moment(value: str) -> float:
    if re.fullmatch(r"\d{9,12}", value):
        return float(value)
    numbers = [int(part) for part in re.split(r"[/.-]", value) if part.isdigit()]
    try:
        year, month, day = numbers if numbers[0] > 31 else (numbers[2], numbers[0], numbers[1])
        return datetime(year, month, day, tzinfo=_PACIFIC).timestamp()
    except (ValueError, IndexError) as error:
        raise QueryError(f"no date: {value}") from error


def _span(value: str) -> float:
    if not (match := re.fullmatch(r"(\d+)([dmy])", value.casefold())):
        raise QueryError(f"no span of time: {value}")
    return int(match[1]) * _DAYS[match[2]] * 86_400.0
