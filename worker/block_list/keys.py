"""Keys of the block list: a buyer's alias or an order ID, parsed from any spelling."""

from typing import Literal, NamedTuple
from urllib.parse import unquote

from worker.errors import UsageError
from worker.notices.aliases import alias, orders
from worker.notices.amazon import ALIAS_DOMAINS, NEVER_A_BUYER
from worker.sentences import Sentence

_MAX_LENGTH = 320  # characters; RFC 5321 allows 64 + 1 + 255 for an address


class Key(NamedTuple):
    """A key in canonical spelling. marketplace: None for an order."""

    text: str
    kind: Literal["alias", "order"]

    @property
    def marketplace(self) -> str | None:
        return marketplace_of(self.text) if self.kind == "alias" else None


def parse_key(text: str) -> Key:
    """Parse a key.

    Accepts upper case, a ``+suffix`` on the alias, spaces, ``mailto:``, angle brackets, and brackets around an order
    ID. Raises UsageError with the reason.
    """
    if len(text) > _MAX_LENGTH:
        raise _no_key(text, Sentence("it is too long"))
    if (address := alias(text)) is not None:
        return Key(address, "alias")
    bare = _without_wrapping(text)
    if orders(bare) == [bare.upper()]:
        return Key(bare.upper(), "order")
    if (address := alias(bare)) is not None:
        return Key(address, "alias")
    raise _no_key(text, _why_not(bare.lower()))


def marketplace_of(address: str) -> str:
    """Return ``amazon.it`` for an alias at ``marketplace.amazon.it``."""
    return address[address.index("amazon.", address.index("@")) :]


def _without_wrapping(text: str) -> str:
    # Text copied from files and web pages contains byte order marks, no-break and zero-width spaces.
    bare = text.strip(" \t\r\n\ufeff\u200b\u00a0'\",;")
    if "<" in bare:
        bare = bare[bare.rindex("<") + 1 :].partition(">")[0]
    if bare[:7].lower() == "mailto:":
        bare = unquote(bare[7:].partition("?")[0])
    return bare.strip("[]()<> ")


def _why_not(bare: str) -> Sentence:
    if not bare:
        return Sentence("it is empty")
    local, at, domain = bare.rpartition("@")
    if not at:
        return Sentence("it is neither a buyer's address nor an order ID such as 111-1111111-1111111")
    if domain not in ALIAS_DOMAINS:
        return Sentence("buyers' addresses end in @marketplace.amazon and a country, and this one does not")
    if local.startswith("blacklisted-"):
        return Sentence("another tool has broken this address on purpose; remove the prefix blacklisted-")
    if local.startswith(NEVER_A_BUYER):
        return Sentence("this address is a machine's or stands for many buyers at once")
    return Sentence("the part before the @ is not 8 to 32 letters and digits")


def _no_key(text: str, why: Sentence) -> UsageError:
    shown = text if len(text) <= 60 else text[:60] + "..."
    return UsageError("{shown!r} is not a key: {why}.", shown=shown, why=why)
