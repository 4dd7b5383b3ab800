"""Remove secrets and buyers from a text, for logs. Pure."""

import re
from collections.abc import Iterable

# Pattern, kept group, and name of the replacement. The patterns match too much on purpose: a hidden word costs nothing,
# a shown token does.
_SECRETS: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE | re.ASCII), f"{kept}[{name}]")
    for pattern, kept, name in (
        (r"ya29\.[\w.-]+", "", "token"),  # Google's access tokens
        (r"1//[\w-]{10,}", "", "token"),  # Google's refresh tokens
        (r"\b4/[\w-]{10,}", "", "token"),  # Google's authorization codes
        (r"GOCSPX-[\w-]+", "", "secret"),  # Google's client secrets
        (r"buyerblock_[\w-]{20,}", "", "token"),  # our own, for the HTTP API
        (r"\beyJ[\w-]+\.[\w-]+\.[\w-]+", "", "token"),  # a JSON web token
        (r"\bgAAAA[\w=-]{40,}", "", "sealed"),  # encrypted by Fernet
        (r"(?P<kept>\b(?:bearer|basic)\s+)[\w.~+/=-]{8,}", r"\g<kept>", "token"),
        (r"(?P<kept>[?&;\s](?:code|state)=)[^&\s'\"]{8,}", r"\g<kept>", "secret"),
        (  # values whose name says that they are secret
            (
                r"(?P<kept>\b\w*(?:token|secret|passphrase|password|api_?key|verifier|cookie)[\"']?\s*[=:]\s*[\"']?)(?!\[)"
                r"[^\s\"'&,;)}\]]{6,}"
            ),
            r"\g<kept>",
            "secret",
        ),
        (r"(?P<kept>://)[^/\s@]+(?=@)", r"\g<kept>", "secret"),  # name and password in a URL
    )
)
# The possessive ++ prevents backtracking, which takes quadratic time for a long word.
_BUYERS: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE | re.ASCII), replacement)
    for pattern, replacement in (
        (
            r"(?<![\w.+=-])[\w.+=-]++(?:%2B[\w.=-]++)?(?:@|%40)(?:[\w-]+\.)?marketplace\.amazon(?:\.\w+)+",
            "[alias]",
        ),
        (r"(?<![\w-])(?:\d{3}|D\d\d)-\d{7}-\d{7}(?![\w-])", "[order]"),
    )
)


def without_secrets(text: str, secrets: Iterable[str] = ()) -> str:
    """Hide tokens, passwords and similar values, and these exact secrets."""
    for secret in secrets:
        text = text.replace(secret, "[secret]")
    for pattern, replacement in _SECRETS:
        text = pattern.sub(replacement, text)
    return text


def without_buyers(text: str) -> str:
    """Hide aliases and order IDs."""
    for pattern, replacement in _BUYERS:
        text = pattern.sub(replacement, text)
    return text
