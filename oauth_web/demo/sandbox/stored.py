"""A stored message: its bytes, its index entry, and its labels."""

import re
from dataclasses import dataclass, field
from email.message import Message

from oauth_web.demo.sandbox import mail as mime
from oauth_web.demo.sandbox.search import TEXT_FIELDS, Indexed, words

_HEADER_OF = {"deliveredto": "delivered-to", "list": "list-id"}
_PREFIX = re.compile(r"^(?:(?:re|fwd?|aw|wg|r|i|tr|sv)\s*:\s*)+", re.IGNORECASE)


@dataclass(slots=True)
class Stored:
    """A message. labels: ids. received_ms, searchable_at: since the epoch, in milliseconds and seconds."""

    id: str
    thread_id: str
    raw: bytes
    received_ms: int
    searchable_at: float
    indexed: Indexed
    snippet: str
    labels: set[str] = field(default_factory=set)
    history_id: int = 0

    @property
    def order(self) -> tuple[int, str]:
        """The sort key, oldest first."""
        return self.received_ms, self.id

    @property
    def unread(self) -> bool:
        return "UNREAD" in self.labels


@dataclass(frozen=True, slots=True)
class Threading:
    """The headers that decide the thread of a message."""

    message_id: str
    references: tuple[str, ...]
    subject: str
    sender: str


def threading_of(mail: Message) -> Threading:
    """Return the headers for threading; the subject without Re: and Fwd:."""
    named = f"{mime.header(mail, 'references')} {mime.header(mail, 'in-reply-to')}"
    return Threading(
        message_id=message_id(mail),
        references=tuple(one.casefold() for one in re.findall(r"<([^<>\s]+)>", named)),
        subject=_PREFIX.sub("", " ".join(mime.header(mail, "subject").split())).casefold(),
        sender=next(iter(mime.addresses(mail, "from")), ""),
    )


def message_id(mail: Message) -> str:
    return mime.header(mail, "message-id").strip("<> \t").casefold()


def index(mail: Message, raw: bytes, text: str, received: int) -> Indexed:
    """Return the index entry: addresses, subject, text, names of attachments; no other header."""
    fields = {name: _field(mail, _HEADER_OF.get(name, name)) for name in TEXT_FIELDS - {"filename"}}
    # Gmail's to: finds Cc and Bcc as well.
    fields["to"] += fields["cc"] + fields["bcc"]
    names = [name for leaf in mime.leaves(mail) if (name := mime.filename(leaf))]
    fields["filename"] = "|".join(words(name) for name in names)
    seen = (fields["from"], fields["to"], fields["subject"], words(text), fields["filename"])
    fields[""] = "|".join(seen)
    return Indexed(fields, message_id(mail), bool(names), len(raw), received)


def _field(mail: Message, name: str) -> str:
    """Return the words of all headers of that name; a phrase cannot span two addresses."""
    values = mime.values(mail, name)
    if name in ("from", "to", "cc", "bcc"):
        values = [part for value in values for part in re.split(r">\s*,|<", value)]
    return "|".join(words(value) for value in values)
