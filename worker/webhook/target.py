"""Allowed targets of a webhook: https addresses on the internet, this machine, and private networks if allowed.

A name is resolved once, and the connection goes to a checked address. This prevents DNS rebinding.
"""

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit

from worker.errors import UsageError
from worker.sentences import Sentence

MAX_URL = 2000  # characters

_Address = ipaddress.IPv4Address | ipaddress.IPv6Address
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")  # RFC 6052: an IPv4 address in the last 32 bits
_6TO4 = ipaddress.IPv6Network("2002::/16")


@dataclass(frozen=True, slots=True)
class Target:
    """A parsed URL. loopback: the host is ``localhost`` or a loopback address, not a name that resolves to one."""

    host: str
    port: int
    path: str
    https: bool
    loopback: bool


def parse_target(url: str) -> Target:
    """Parse the URL of a webhook. Raises UsageError."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
        host.encode("idna" if not _address(host) else "ascii")
    except ValueError:
        host, port = "", None
    if not host or port == 0 or len(url) > MAX_URL or not url.isprintable() or " " in url or "\\" in url:
        raise UsageError("{url!r} is no web address; write it like https://example.com/hook.", url=url[:100])
    if parts.username is not None or parts.fragment:
        raise UsageError("The address of a webhook has no user name in it, and no part after #.")
    literal = _address(host)
    loopback = host == "localhost" or (literal is not None and literal.is_loopback)
    if parts.scheme != "https" and not (parts.scheme == "http" and loopback):
        raise UsageError("A webhook takes https; plain http goes to this machine only (localhost).")
    https = parts.scheme == "https"
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    if not path.isascii():
        raise UsageError("Write letters beyond ASCII in the path of the address as percent escapes.")
    return Target(host, port or (443 if https else 80), path, https, loopback)


def permitted(target: Target, addresses: Iterable[str], *, allow_private: bool) -> list[str]:
    """Return the allowed ones of a host's addresses."""
    found = [(text, _address(text)) for text in addresses]
    return [
        text for text, it in found if it is not None and _is_allowed(target, it, allow_private=allow_private)
    ]


def refusal(target: Target, *, allow_private: bool) -> Sentence:
    """Return the reason why none of a host's addresses is allowed."""
    if allow_private or (_address(target.host) and not permitted(target, [target.host], allow_private=True)):
        return Sentence(
            "{host} is in a private network, or on this machine, which is not allowed.", host=target.host
        )
    return Sentence(
        "{host} is in a private network, or on this machine, which is not allowed; if you mean it, set it with "
        "--allow-private, or with the box ticked under Settings.",
        host=target.host,
    )


def check_literal(target: Target, *, allow_private: bool) -> None:
    """Raise UsageError if the host is an IP address that is not allowed."""
    if _address(target.host) and not permitted(target, [target.host], allow_private=allow_private):
        said = refusal(target, allow_private=allow_private)
        raise UsageError(said.template, **said.fields)


def _is_allowed(target: Target, address: _Address, *, allow_private: bool) -> bool:
    address = _embedded(address)
    if target.loopback or address.is_loopback:
        return target.loopback and address.is_loopback
    # Link-local addresses include the metadata service of cloud machines, which returns credentials.
    if address.is_link_local or address.is_multicast or address.is_unspecified or address.is_reserved:
        return False
    return allow_private or (address.is_global and not _may_be_private(address))


def _may_be_private(address: _Address) -> bool:
    # Old kinds of IPv6 addresses that can lead to private networks, although Python calls them global.
    return isinstance(address, ipaddress.IPv6Address) and (address.is_site_local or address in _6TO4)


def _embedded(address: _Address) -> _Address:
    """Return the IPv4 address inside an IPv6 address, else the address."""
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return address.ipv4_mapped
        if address in _NAT64:
            return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address


def _address(text: str) -> _Address | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None
