"""Mail of Amazon that a redirector received first, changed and sent on.

A Google Group or a forwarding service puts its own address in From, or changes the text so that DMARC fails. Then the
receiving server can only verify the redirector, and the redirector reports its own check of Amazon. That counts if the
owner trusts the redirector: by the address in From, or by the domain of an ARC seal (RFC 8617).
"""

import re
from collections.abc import Container
from dataclasses import replace

from worker.notices import authenticity
from worker.notices.addresses import only_address
from worker.notices.amazon import AMAZON_DOMAINS
from worker.notices.authenticity import RESULTS_LIMIT, Sender, doubt_in_results, results_of, split_results
from worker.notices.doubts import Doubt, Reason
from worker.notices.headers import Head, decode_words, text_of

# Google Groups writes both. The second has only an address.
_ORIGINALS = ("x-original-from", "x-original-sender")
_FIRST_RESULTS = "x-original-authentication-results"
_INSTANCE = re.compile(r"(?:^|;)\s*i\s*=\s*(\d{1,2})\s*(?:;|$)")
_DOMAIN = re.compile(r"(?:^|;)\s*d\s*=\s*([\w.-]{1,255})\s*(?:;|$)")


def original_sender(head: Head, shown: Sender) -> Sender:
    """Return the original sender if a redirector put its own address in From of Amazon's mail, else ``shown``."""
    if shown.doubt or shown.domain in AMAZON_DOMAINS:
        return shown
    values = [decode_words(value[:1_000]) for name in _ORIGINALS for value in head.all(name)]
    addresses = {only_address(value) for value in values}
    address = addresses.pop() if len(addresses) == 1 else ""
    domain = address.rpartition("@")[2]
    if domain not in AMAZON_DOMAINS:
        return shown
    return Sender(address, domain, values[0].rpartition("<")[0].strip(' "'), through=shown.address)


def reason_to_doubt(
    head: Head, sender: Sender, authserv_id: str, redirectors: Container[str]
) -> Reason | None:
    """Return why this mail may be forged, or None if the receiving server or a trusted redirector has verified it.

    redirectors: trusted addresses and domains, in lower case. authserv_id: see :func:`authenticity.reason_to_doubt`.
    """
    if sender.through:
        shown = replace(sender, address=sender.through, domain=sender.through.rpartition("@")[2], through="")
        return authenticity.reason_to_doubt(head, shown, authserv_id) or _doubt_about_redirector(
            head, sender, authserv_id, redirectors
        )
    reason = authenticity.reason_to_doubt(head, sender, authserv_id)
    if reason != Reason(Doubt.DMARC_FAILED) or sender.domain not in AMAZON_DOMAINS:
        return reason
    sealers = _sealers(head, sender.domain, authserv_id)
    return _first_untrusted(sealers, redirectors) if sealers else reason


def _doubt_about_redirector(
    head: Head, sender: Sender, authserv_id: str, redirectors: Container[str]
) -> Reason | None:
    results = [value[:RESULTS_LIMIT] for value in head.all(_FIRST_RESULTS)]
    if not results:
        sealers = _sealers(head, sender.domain, authserv_id)
        return _first_untrusted([sender.through, *sealers] if sealers else [], redirectors)
    doubts = {doubt_in_results(value, sender.domain) for value in results}
    if doubts == {None} and len(results) == 1:
        return _first_untrusted([sender.through], redirectors)
    return Reason(Doubt.NO_FIRST_CHECK if doubts == {Doubt.NO_DMARC} else Doubt.FAILED_FIRST_CHECK)


def _first_untrusted(names: list[str], redirectors: Container[str]) -> Reason | None:
    """Return a doubt about the first untrusted name. Without names, nobody has checked the sender."""
    for name in names:
        if name not in redirectors and name.rpartition("@")[2] not in redirectors:
            return Reason(Doubt.REDIRECTED, name)
    return None if names else Reason(Doubt.NO_FIRST_CHECK)


def _sealers(head: Head, domain: str, authserv_id: str) -> list[str]:
    """Return the domains of all ARC seals, the first sealer first, if its results verify this domain.

    Empty if the receiving server did not validate the chain. Its own seal, above its results, is not included.
    """
    at, value = results_of(head, authserv_id) or (0, "")
    checks = [
        result.split() for result in split_results(value) or () if result.lstrip().lower().startswith("arc")
    ]
    if [check[0].lower() for check in checks] != ["arc=pass"]:
        return []
    seals = _by_instance(head, b"arc-seal", at)
    results = _by_instance(head, b"arc-authentication-results", at)
    if not seals or seals.keys() != results.keys() or sorted(seals) != list(range(1, len(seals) + 1)):
        return []
    if doubt_in_results(results[1].partition(";")[2], domain):
        return []
    found = [_DOMAIN.search(seals[number]) for number in sorted(seals)]
    domains = [each[1].lower() for each in found if each]
    return domains if len(domains) == len(seals) else []


def _by_instance(head: Head, name: bytes, start: int) -> dict[int, str]:
    """Return the headers of this name from index start, by their instance number; empty if a number is missing."""
    values = [text_of(value[:RESULTS_LIMIT]) for key, value in head.fields[start:] if key == name]
    numbers = [int(found[1]) for value in values if (found := _INSTANCE.search(value))]
    return dict(zip(numbers, values, strict=True)) if len(set(numbers)) == len(values) else {}
