"""Whether the server that first received an attached mail vouches for its sender.

It may be any server, under a name that we do not know. What its headers say counts only if no other server's Received
is above: below that, they may have come with the mail.
"""

import re
from collections.abc import Sequence

from worker.notices.authenticity import MICROSOFT, RECEIVED_BY, RESULTS_LIMIT, doubt_in_results, results_by
from worker.notices.doubts import Doubt
from worker.notices.headers import Head, text_of

_IP_ADDRESS = re.compile(r"\d{1,3}(?:\.\d{1,3}){3}|[\da-f]{0,4}(?::[\da-f]{0,4})+")
# Names inside of an organisation: the last label, where there is another one.
_INTERNAL = frozenset(("internal", "local", "localdomain", "lan"))
# Below these, a domain has one label more: example.co.uk.
_SECOND_LEVEL = frozenset(("co", "com", "net", "org", "ac", "or", "ne", "go", "gov", "edu"))
# Real mail has up to six. Reading them is slow.
_MOST = 20
_DKIM = re.compile(r"\bdkim\s{0,9}=\s{0,9}(\w+)")


def first_check(head: Head, domain: str) -> Doubt | None:
    """Return why an attached mail from this domain may be forged, or None where its results vouch for the domain.

    Only the topmost results may vouch, of which a server may write several in a row; but none at all may have failed.
    """
    if head.truncated:
        return Doubt.HEADERS_TOO_LONG
    received: list[str] = []
    count, closed, vouched = 0, False, False
    for name, value in head.fields:
        if name == b"received":
            received.append(text_of(value[:2_000]))
            closed = count > 0
        elif name == b"authentication-results":
            count += 1
            server, _, results = _named(text_of(value[:RESULTS_LIMIT]).rstrip("; \t")).partition(";")
            doubt = _doubt_in(results, domain)
            if doubt not in (None, Doubt.NO_DMARC) or count > _MOST:
                return Doubt.FAILED_FIRST_CHECK
            if doubt is None and not vouched and not closed:
                vouched = _reached_by(server, received)
                if not vouched:
                    break
    return None if vouched else Doubt.NO_FIRST_CHECK


def _named(value: str) -> str:
    # Exchange Online writes its results without its name.
    return f"outlook.com; {value}" if "=" in value.partition(";")[0].partition(" ")[0] else value


def _doubt_in(results: str, domain: str) -> Doubt | None:
    doubt = doubt_in_results(f"x;{results}", domain)
    # Amazon signs all of its mail: as good as DMARC where a server does not know DMARC.
    return None if doubt is Doubt.NO_DMARC and _is_signed(results, domain) else doubt


def _is_signed(results: str, domain: str) -> bool:
    signers = {
        each.value.lower().rpartition("@")[2]
        for result in results_by(f"x;{results}", "dkim") or ()
        for each in result.properties
        if (each.type, each.name) in (("header", "d"), ("header", "i"))
    }
    # Every one has to pass, and so has one that an odd quotation mark in the sender's own words hides in a string.
    return domain in signers and set(_DKIM.findall(results.lower())) == {"pass"}


def _reached_by(server: str, received: Sequence[str]) -> bool:
    """Whether all these hops, which are above the results of a server, are of its own organisation.

    Hops inside it may be named by address, or without a domain; but then one more has to bear its name.
    """
    own = _organisation(server.strip().partition(" ")[0])
    hosts = [found[1].lower() for each in received if (found := RECEIVED_BY.search(each))]
    named = {_organisation(host) for host in hosts if not _is_internal(host)}
    allowed = set(MICROSOFT) if own in MICROSOFT else {own}
    return named <= allowed and bool(named or not received)


def _is_internal(host: str) -> bool:
    _, dot, last = host.rpartition(".")
    return not dot or last in _INTERNAL or _IP_ADDRESS.fullmatch(host) is not None


def _organisation(host: str) -> str:
    labels = host.lower().strip(".").split(".")
    return ".".join(labels[-3 if len(labels) > 2 and labels[-2] in _SECOND_LEVEL else -2 :])
