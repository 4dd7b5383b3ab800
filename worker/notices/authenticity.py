"""Who sent a mail, and whether the receiving server vouches for it.

Only the topmost Authentication-Results of the receiving server counts: it adds its own above those that came
with the mail. DMARC decides, because it alone is about the From that people see: a DKIM signature of
amazonses.com proves only that somebody is a customer of Amazon's.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from authres import AuthenticationResultsHeader
from authres.core import AuthResError

from worker.notices.addresses import PLAIN_DOMAIN, PLAIN_LOCAL
from worker.notices.doubts import Doubt, Reason
from worker.notices.headers import Head, decode_words, text_of

# Real ones have under 1,500 characters; the parser recurses into nested comments.
RESULTS_LIMIT = 8_000
_FROM_LIMIT = 1_000

# One address, bare or in angle brackets behind a name. No comments, no groups, no second address.
_BARE = re.compile(r"([^<>\"(),:;@\s]+)@([^<>\"(),:;@\s]+)")
_NAMED = re.compile(r'(?:"((?:[^"\\]|\\.)*+)"|([^<>"(),:;@]*+))\s*<([^<>"(),:;@\s]+)@([^<>"(),:;@\s]+)>')
_RESULT = re.compile(r'(?:[^;"()\\]++|"(?:[^"\\]|\\.)*+"|\((?:[^()\\]|\\.)*+\))*+')
_ANY_DMARC = re.compile(r"\bdmarc\s{0,9}=\s{0,9}(\w+)")
_ANY_FROM = re.compile(r"\bheader\.from\s{0,9}=\s{0,9}\"?([^\s;\"()]*)")
# Exchange Online: Outlook.com and Microsoft 365.
MICROSOFT = ("outlook.com", "office365.com", "exchangelabs.com")
# Whose own Received headers are known by their names. What is below a header of another server may be forged.
_TRACED = (("google.com",), MICROSOFT)
RECEIVED_BY = re.compile(r"\bby\s+([\w.:-]+)", re.IGNORECASE)
# Inside Google, hops are named by addresses that only Google uses, and say nothing of where the mail came from:
# "by 2002:a05:6f02:c8c:b0:5a:1f2e:3d4c with SMTP id ...", in older mail "by 10.223.147.199 with SMTP id ...".
_INSIDE_GOOGLE = re.compile(r"by (?:2002:a[\da-f]{2}:[\da-f:]+|10(?:\.\d{1,3}){3}) with SMTP id\b")


@dataclass(frozen=True, slots=True)
class Sender:
    """The From of a mail. address, domain: in lower case, empty where doubt says why there is none.

    name: what a mail program shows, decoded. through: the address in From, where somebody who redirects mail put his
    own there; the others are then those of who wrote it.
    """

    address: str
    domain: str
    name: str = ""
    doubt: Doubt | None = None
    through: str = ""


def sender_of(head: Head) -> Sender:
    """Return the one address in From; anything that a mail program may show differently is a doubt."""
    values = head.all("from")
    if len(values) != 1:
        return _doubtful(Doubt.SEVERAL_SENDERS if values else Doubt.NO_SENDER)
    value = values[0]
    found = _BARE.fullmatch(value) or _NAMED.fullmatch(value) if len(value) <= _FROM_LIMIT else None
    if not found:
        return _doubtful(Doubt.UNUSUAL_SENDER)
    *names, local, domain = found.groups()
    name = decode_words("".join(filter(None, names))).strip()
    if "@" in name:
        return _doubtful(Doubt.ADDRESS_IN_NAME)
    if not PLAIN_LOCAL.fullmatch(local) or not PLAIN_DOMAIN.fullmatch(domain):
        return _doubtful(Doubt.LOOKALIKE_ADDRESS)
    return Sender(f"{local}@{domain}".lower(), domain.lower(), name)


def _doubtful(doubt: Doubt) -> Sender:
    return Sender("", "", doubt=doubt)


def reason_to_doubt(head: Head, sender: Sender, authserv_id: str) -> Reason | None:
    """Return why this mail may be forged, or None where the receiving server vouches for it.

    authserv_id: the name under which the receiving server writes Authentication-Results (RFC 8601, 2.5).
    """
    doubt = sender.doubt or _doubt_about(head, sender, authserv_id)
    return Reason(doubt) if doubt else None


def _doubt_about(head: Head, sender: Sender, authserv_id: str) -> Doubt | None:
    if head.truncated:
        return Doubt.HEADERS_TOO_LONG
    found = results_of(head, authserv_id)
    return doubt_in_results(found[1], sender.domain) if found else Doubt.NOT_CHECKED


def doubt_in_results(value: str, domain: str) -> Doubt | None:
    """Return why this value of Authentication-Results does not vouch for a domain, or None where it does."""
    return _dmarc_doubt(_dmarc_only(value), domain) or _hidden_doubt(value, domain)


# Amazon's mails bring the same few results again and again, and reading them is slow.
@lru_cache(maxsize=256)
def _dmarc_doubt(value: str, domain: str) -> Doubt | None:
    if (checks := results_by(value, "dmarc")) is None:
        return Doubt.RESULTS_UNREADABLE
    if not checks:
        return Doubt.NO_DMARC
    if any(check.result.lower() != "pass" for check in checks):
        return Doubt.DMARC_FAILED
    properties = [each for check in checks for each in check.properties]
    named = [each.value.lower() for each in properties if (each.type, each.name) == ("header", "from")]
    if len(named) != len(checks) or set(named) != {domain}:
        return Doubt.OTHER_SENDER_VERIFIED
    return None


def results_by(value: str, method: str) -> list[Any] | None:
    """Return the results by one method, as authres gives them, None where this value cannot be read."""
    try:
        results = AuthenticationResultsHeader.parse_value(value).results
    except (AuthResError, RecursionError, ValueError, TypeError, AttributeError, IndexError):
        return None
    return [each for each in results if getattr(each, "method", "").lower() == method]


def _hidden_doubt(value: str, domain: str) -> Doubt | None:
    """Return the doubt where a string or comment holds another DMARC result than the parsed one.

    The sender chooses some of the words in this header, his own address for one: an odd quotation mark
    there turns the server's true result into part of a string.
    """
    results, domains = set(_ANY_DMARC.findall(value.lower())), set(_ANY_FROM.findall(value.lower()))
    return None if results <= {"pass"} and domains <= {domain} else Doubt.RESULTS_CONTRADICT


def _dmarc_only(value: str) -> str:
    """Leave out the results of other methods: parsing them all takes most of a notice's time.

    What cannot be split cleanly is returned whole.
    """
    pieces = split_results(value)
    if pieces is None:
        return value
    others = [piece for piece in pieces[1:] if piece.lstrip().lower().startswith(("dmarc", "("))]
    return ";".join([pieces[0], *others]) if others else f"{pieces[0]}; none"


def split_results(value: str) -> list[str] | None:
    """Split at semicolons outside of strings and comments; None where that cannot be done cleanly."""
    pieces, at = [], 0
    while at <= len(value):
        piece = _RESULT.match(value, at)
        if piece is None or value[piece.end() : piece.end() + 1] not in ("", ";"):
            return None
        pieces.append(piece[0])
        at = piece.end() + 1
    return pieces


def results_of(head: Head, authserv_id: str) -> tuple[int, str] | None:
    """The topmost results under this name, and where they are, unless another server's Received is above them.

    Gmail writes its results right below its own Received headers; what is below the Received of
    any other server came with the mail. So does Exchange Online (Outlook.com, Microsoft 365), but without its name.
    """
    wanted = authserv_id.lower()
    owner = next((domains for domains in _TRACED if _within(wanted, domains)), None)
    for at, (name, value) in enumerate(head.fields):
        if name == b"authentication-results":
            results = text_of(value[:RESULTS_LIMIT]).rstrip("; \t")
            identity = results.partition(";")[0].lower().split()
            if owner == MICROSOFT and identity and "=" in identity[0]:
                return at, f"{wanted}; {results}"
            if identity and identity[0] == wanted:
                return at, results
        elif name == b"received" and owner and not _received_by(owner, text_of(value[:2_000])):
            return None
    return None


def _received_by(owner: tuple[str, ...], received: str) -> bool:
    """Whether a server of these domains wrote this Received header; one without a name may be anybody's."""
    found = RECEIVED_BY.search(received)
    if found is not None and _within(found[1].lower(), owner):
        return True
    return owner != MICROSOFT and _INSIDE_GOOGLE.match(received) is not None


def _within(host: str, domains: tuple[str, ...]) -> bool:
    return any(host == domain or host.endswith(f".{domain}") for domain in domains)
