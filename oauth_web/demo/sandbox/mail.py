"""Convert a raw mail to text: headers decoded, parts flattened, HTML stripped. Never raises.

Invalid MIME is read as far as possible, like in Gmail.
"""

import email
import email.policy
import re
from contextlib import suppress
from email.header import decode_header, make_header
from email.message import Message
from email.utils import getaddresses

from selectolax.lexbor import LexborHTMLParser

SNIPPET = 200  # characters
_MAX_DEPTH = 100  # levels of nested parts; deeper ones are ignored


def parse(raw: bytes) -> Message:
    """Return the tree of parts; only the headers if the nesting is too deep for the parser."""
    try:
        return email.message_from_bytes(raw, policy=email.policy.compat32)
    except RecursionError:
        return email.message_from_bytes(raw.partition(b"\r\n\r\n")[0], policy=email.policy.compat32)


def decoded(value: object) -> str:
    """Return a header's value as Gmail shows it: RFC 2047 decoded, unfolded; raw bytes are read as UTF-8."""
    text = str(value).encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    if "=?" in text:
        with suppress(LookupError, ValueError, email.errors.HeaderParseError):  # invalid: not decoded
            text = str(make_header(decode_header(text)))
    return re.sub(r"\r?\n[ \t]*", " ", text).strip()


def headers(mail: Message) -> list[tuple[str, str]]:
    """Return all headers in their order, decoded."""
    return [(name, decoded(value)) for name, value in mail.raw_items()]


def header(mail: Message, name: str) -> str:
    """Return the first header of that name, decoded; "" if there is none."""
    return next(iter(values(mail, name)), "")


def values(mail: Message, name: str) -> list[str]:
    """Return all headers of that name, decoded; ``name`` in lower case."""
    return [decoded(value) for key, value in mail.raw_items() if key.lower() == name]


def addresses(mail: Message, name: str) -> list[str]:
    """Return the bare addresses in all headers of that name, lower case."""
    return [address.lower() for _, address in getaddresses(values(mail, name)) if address]


def children(mail: Message) -> list[Message]:
    """Return the direct child parts; an attached message is one part."""
    payload = mail.get_payload()
    return [part for part in payload if isinstance(part, Message)] if isinstance(payload, list) else []


def leaves(mail: Message, depth: int = 0) -> list[Message]:
    """Return the parts without children, in order."""
    parts = children(mail)
    if not parts:
        return [mail]
    return [] if depth >= _MAX_DEPTH else [leaf for part in parts for leaf in leaves(part, depth + 1)]


def data(part: Message) -> bytes:
    """Return the decoded bytes of a part."""
    try:
        payload = part.get_payload(decode=True)
    except (ValueError, LookupError):
        payload = None
    return payload if isinstance(payload, bytes) else b""


def filename(part: Message) -> str:
    try:
        return decoded(part.get_filename() or "")
    except (LookupError, ValueError):
        return ""


def text(mail: Message) -> str:
    """Return the visible text, and that of hidden elements; no attributes, no link targets."""
    return " ".join(_shown_text(leaf) for leaf in leaves(mail) if leaf.get_content_maintype() == "text")


def snippet(whole: str) -> str:
    """Return the start of the text, HTML-escaped like in Gmail."""
    short = re.sub(r"\s+", " ", whole).strip()[:SNIPPET]
    return short.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("'", "&#39;")


def part_text(part: Message) -> str:
    """Return the text of a part in its declared charset, with replacement characters for invalid bytes."""
    raw = data(part)
    try:
        return raw.decode(part.get_content_charset() or "utf-8", "replace")
    except (LookupError, ValueError):
        return raw.decode("utf-8", "replace")


def _shown_text(part: Message) -> str:
    whole = part_text(part)
    if part.get_content_subtype() != "html":
        return whole
    tree = LexborHTMLParser(whole)
    tree.strip_tags(["style", "script", "title"])
    return tree.body.text(separator=" ") if tree.body else ""
