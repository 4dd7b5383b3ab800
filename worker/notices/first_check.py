"""Check whether the server that first received an attached mail has verified its sender.

It may be any server with an unknown name. Its results count only if no other server's Received is above them: below
that they may be forged.
"""

import re
from collections.abc import Sequence

from worker.notices.authenticity import MICROSOFT, RECEIVED_BY, RESULTS_LIMIT, doubt_in_results, results_by
from worker.notices.doubts import Doubt
from worker.notices.headers import Head, text_of

_IP_ADDRESS = re.compile(r"\d{1,3}(?:\.\d{1,3}){3}|[\da-f]{0,4}(?::[\da-f]{0,4})+")
# Top-level labels of internal host names.
_INTERNAL = frozenset(("internal", "local", "localdomain", "lan"))
# Second-level labels under which domains are registered: example.co.uk.
_SECOND_LEVEL = frozenset(("co", "com", "net", "org", "ac", "or", "ne", "go", "gov", "edu"))
# Of Authentication-Results. Real mail has up to six, and parsing is slow.
_MAX_RESULTS = 20
_DKIM = re.compile(r"\bdkim\s{0,9}=\s{0,9}(\w+)")


def first_check(head: Head, domain: str) -> Doubt | None:
    """Return why an attached mail from this domain may be forged, or None if its results verify the domain.

    Only the topmost results can verify it; a server may write several in a row. No results at all may have failed.
    """
    if head.truncated:
        return Doubt.HEADERS_TOO_LONG
    received: list[str] = []
    count, closed, verified = 0, False, False  # closed: a Received is below the first results
    for name, value in head.fields:
        if name == b"received":
            received.append(text_of(value[:2_000]))
            closed = count > 0
        elif name == b"authentication-results":
            count += 1
            server, _, results = _with_server(text_of(value[:RESULTS_LIMIT]).rstrip("; \t")).partition(";")
            doubt = _doubt_in(results, domain)
            if doubt not in (None, Doubt.NO_DMARC) or count > _MAX_RESULTS:
                return Doubt.FAILED_FIRST_CHECK
            if doubt is None and not verified and not closed:
                verified = _received_only_by(server, received)
                if not verified:
                    break
    return None if verified else Doubt.NO_FIRST_CHECK


def _with_server(value: str) -> str:
    # Exchange Online writes its results without a server name.
    return f"outlook.com; {value}" if "=" in value.partition(";")[0].partition(" ")[0] else value


def _doubt_in(results: str, domain: str) -> Doubt | None:
    doubt = doubt_in_results(f"x;{results}", domain)
    # Without DMARC, a DKIM signature of the domain is enough: Amazon signs all of its mail.
    return None if doubt is Doubt.NO_DMARC and _is_signed(results, domain) else doubt


def _is_signed(results: str, domain: str) -> bool:
    signers = {
        each.value.lower().rpartition("@")[2]
        for result in results_by(f"x;{results}", "dkim") or ()
        for each in result.properties
        if (each.type, each.name) in (("header", "d"), ("header", "i"))
    }
    # All DKIM results must pass, also those hidden in a string by the sender's quotation marks.
    return domain in signers and set(_DKIM.findall(results.lower())) == {"pass"}


def _received_only_by(server: str, received: Sequence[str]) -> bool:
    """Whether all these Received headers, above a server's results, are of the server's own organisation.

    Internal hops may have an IP address or a name without a domain; then another one must have the organisation's name.
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
