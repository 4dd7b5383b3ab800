"""Find buyers' aliases and order IDs in text and links."""

import re
from collections.abc import Iterable
from urllib.parse import unquote

from worker.notices.amazon import ALIAS_DOMAINS, NEVER_A_BUYER

# Zero-width characters and text direction marks: they may occur inside a word or an address.
INVISIBLE = dict.fromkeys(
    (0, 0xAD, 0x34F, 0x180E, *range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2060, 0x2070), 0xFEFF)
)

# 15 characters in a dozen samples, 16 in Amazon's Polish help. With boundaries on both sides: "blacklisted-abc..." does
# not contain the alias "abc...", and marketplace.amazon.it.example.com is not Amazon.
_ALIAS = re.compile(
    r"(?<![\w.+%/=@&*-])(?<!\w')([0-9a-z]{8,32})(?:\+[\w.=-]{0,64})?"
    r"@((?:m\.)?marketplace\.amazon\.(?:[a-z]{2,3}\.)?[a-z]{2,3})(?![\w@-]|\.[\w-])",
    re.IGNORECASE | re.ASCII,
)
_PLAIN_LOCAL = re.compile(r"[0-9a-z]{8,32}").fullmatch
# "/" or "=" before an order ID means that it is part of a URL.
_ORDER = re.compile(
    r"(?:(?<=([/=]))|(?<![\w-]))((?:\d{3}|D\d\d)-\d{7}-\d{7})(?![\w-])", re.IGNORECASE | re.ASCII
)


def alias(address: str) -> str | None:
    """Return an alias in canonical form (lower case, no ``+suffix``), or None if this is no alias."""
    # A fast path for the canonical form, in which tools check thousands of aliases.
    local, _, domain = address.partition("@")
    if domain in ALIAS_DOMAINS and _PLAIN_LOCAL(local) and not local.startswith(NEVER_A_BUYER):
        return address
    found = _ALIAS.fullmatch(address.translate(INVISIBLE).strip())
    return _buyer(found) if found else None


def aliases_in_text(folded: str) -> list[str]:
    """Return the distinct aliases in folded text, in their order."""
    if "marketplace.amazon." not in folded:
        return []  # a fast path: most notices have the alias only in a link
    return _distinct(_buyer(found) for found in _ALIAS.finditer(folded))


def aliases_in_links(links: Iterable[str]) -> list[str]:
    """Return the distinct aliases in mailto links, in their order."""
    return _distinct(alias(address) for link in links for address in recipients(link))


def recipients(link: str) -> list[str]:
    """Return the recipients of a mailto link (RFC 6068): its path and ``to=`` fields, not cc and bcc.

    Tabs and newlines are removed first, as browsers do.
    """
    path, _, query = re.sub(r"[\t\r\n]", "", link)[7:4000].partition("?")
    lists = [path]
    for field in query.split("&"):
        name, _, value = field.partition("=")
        if name.strip().lower() == "to":
            lists.append(value)
    addresses = (unquote(each).strip() for value in lists for each in value.split(","))
    # Some have the form of a header: "Ann <a@example.org>".
    return [each.rpartition("<")[2].removesuffix(">").strip() for each in addresses]


def orders(text: str) -> list[str]:
    """Return the distinct order IDs in text, including digital orders; those in URLs only if there are no others."""
    found = _ORDER.findall(text)
    preferred = [order for url, order in found if not url] or [order for _, order in found]
    return _distinct(map(str.upper, preferred))


def _buyer(found: re.Match[str]) -> str | None:
    local, domain = found[1].lower(), found[2].lower()
    return f"{local}@{domain}" if domain in ALIAS_DOMAINS and not local.startswith(NEVER_A_BUYER) else None


def _distinct(values: Iterable[str | None]) -> list[str]:
    return list(dict.fromkeys(value for value in values if value))
