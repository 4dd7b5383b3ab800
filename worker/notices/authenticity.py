"""The sender of a mail, and whether the receiving server has verified it.

Only the topmost Authentication-Results of the receiving server counts: the server adds it above those of the mail
itself. DMARC decides, because only DMARC checks the visible From: a DKIM signature of amazonses.com proves only that
the sender is a customer of Amazon SES.
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

# Real ones have less than 1,500 characters; the parser is recursive for nested comments.
RESULTS_LIMIT = 8_000
_FROM_LIMIT = 1_000

# One address, bare or in angle brackets after a name. No comments, no groups, no second address.
_BARE = re.compile(r"([^<>\"(),:;@\s]+)@([^<>\"(),:;@\s]+)")
_NAMED = re.compile(r'(?:"((?:[^"\\]|\\.)*+)"|([^<>"(),:;@]*+))\s*<([^<>"(),:;@\s]+)@([^<>"(),:;@\s]+)>')
_RESULT = re.compile(r'(?:[^;"()\\]++|"(?:[^"\\]|\\.)*+"|\((?:[^()\\]|\\.)*+\))*+')
_ANY_DMARC = re.compile(r"\bdmarc\s{0,9}=\s{0,9}(\w+)")
_ANY_FROM = re.compile(r"\bheader\.from\s{0,9}=\s{0,9}\"?([^\s;\"()]*)")
# Exchange Online: Outlook.com and Microsoft 365.
MICROSOFT = ("outlook.com", "office365.com", "exchangelabs.com")
# Providers whose Received headers we recognise by host name. Headers below a Received of another server may be forged.
_KNOWN_PROVIDERS = (("google.com",), MICROSOFT)
RECEIVED_BY = re.compile(r"\bby\s+([\w.:-]+)", re.IGNORECASE)
# Hops inside Google are named by addresses that only Google uses:
# "by 2002:a05:6f02:c8c:b0:5a:1f2e:3d4c with SMTP id ...", in older mail "by 10.223.147.199 with SMTP id ...".
_INSIDE_GOOGLE = re.compile(r"by (?:2002:a[\da-f]{2}:[\da-f:]+|10(?:\.\d{1,3}){3}) with SMTP id\b")


@dataclass(frozen=True, slots=True)
class Sender:
    """The sender of a mail. address, domain: in lower case; empty if doubt is set.

    name: the decoded display name. through: the address in From if a redirector put its own there; the other fields are
    then those of the original sender.
    """

    address: str
    domain: str
    name: str = ""
    doubt: Doubt | None = None
    through: str = ""


def sender_of(head: Head) -> Sender:
    """Return the only address in From. A From that mail programs may display differently is a doubt."""
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
    """Return why this mail may be forged, or None if the receiving server has verified it.

    authserv_id: the receiving server's name in Authentication-Results (RFC 8601, 2.5).
    """
    doubt = sender.doubt or _doubt_about(head, sender, authserv_id)
    return Reason(doubt) if doubt else None


def _doubt_about(head: Head, sender: Sender, authserv_id: str) -> Doubt | None:
    if head.truncated:
        return Doubt.HEADERS_TOO_LONG
    found = results_of(head, authserv_id)
    return doubt_in_results(found[1], sender.domain) if found else Doubt.NOT_CHECKED


def doubt_in_results(value: str, domain: str) -> Doubt | None:
    """Return why this value of Authentication-Results does not verify a domain, or None if it does."""
    return _dmarc_doubt(_dmarc_only(value), domain) or _hidden_doubt(value, domain)


# Amazon's mails have only a few different results, and parsing is slow.
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
    """Return authres' results of one method, None if the value cannot be parsed."""
    try:
        results = AuthenticationResultsHeader.parse_value(value).results
    except (AuthResError, RecursionError, ValueError, TypeError, AttributeError, IndexError):
        return None
    return [each for each in results if getattr(each, "method", "").lower() == method]


def _hidden_doubt(value: str, domain: str) -> Doubt | None:
    """Return a doubt if a string or comment contains a different DMARC result than the parsed one.

    The sender chooses some text in this header, such as the own address: an unbalanced quotation mark there makes the
    server's real result part of a string.
    """
    results, domains = set(_ANY_DMARC.findall(value.lower())), set(_ANY_FROM.findall(value.lower()))
    return None if results <= {"pass"} and domains <= {domain} else Doubt.RESULTS_CONTRADICT


def _dmarc_only(value: str) -> str:
    """Remove the results of other methods: parsing all takes most of a notice's time.

    A value that cannot be split is returned unchanged.
    """
    results = split_results(value)
    if results is None:
        return value
    dmarc = [result for result in results[1:] if result.lstrip().lower().startswith(("dmarc", "("))]
    return ";".join([results[0], *dmarc]) if dmarc else f"{results[0]}; none"


def split_results(value: str) -> list[str] | None:
    """Split at semicolons outside of strings and comments; None if strings or comments are not closed."""
    results, at = [], 0
    while at <= len(value):
        result = _RESULT.match(value, at)
        if result is None or value[result.end() : result.end() + 1] not in ("", ";"):
            return None
        results.append(result[0])
        at = result.end() + 1
    return results


def results_of(head: Head, authserv_id: str) -> tuple[int, str] | None:
    """Return index and value of the topmost results of this server; None if another server's Received is above them.

    Gmail writes its results directly below its own Received headers; everything below the Received of another server
    came with the mail. Exchange Online (Outlook.com, Microsoft 365) does the same, but its results have no server name.
    """
    wanted = authserv_id.lower()
    owner = next((domains for domains in _KNOWN_PROVIDERS if _is_in_domains(wanted, domains)), None)
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
    """Whether a server of these domains wrote this Received header. Not if it has no name."""
    found = RECEIVED_BY.search(received)
    if found is not None and _is_in_domains(found[1].lower(), owner):
        return True
    return owner != MICROSOFT and _INSIDE_GOOGLE.match(received) is not None


def _is_in_domains(host: str, domains: tuple[str, ...]) -> bool:
    return any(host == domain or host.endswith(f".{domain}") for domain in domains)
