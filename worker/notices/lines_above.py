"""Check whether the lines above a forwarded notice may be the header lines of another mail.

A stranger's mail may start with forged header lines of Amazon. If it was forwarded by a program with unknown header
names, only the lines above show the real sender. So we look for anything that a program writes there in any language:
another address, a date with a time, lines with names, a line that introduces another mail.
"""

import re

from worker.notices.addresses import addresses_in
from worker.notices.amazon import AMAZON_DOMAINS
from worker.notices.page import introduces_other_mail

_LINE_LIMIT = 1_000
# A forwarder's note is shorter.
_MAX_LINES = 200
# One line with a name may be a note ("For the list: ..."). A header block has three lines or more; the last one is not
# counted, since it may introduce the notice.
_MIN_HEADER_LINES = 2

_NAMED = re.compile(r"[\W_]{0,20}([^\W\d_][^:：|<>@]{0,30}?)\s?[:：|](?!//)")  # noqa: RUF001 - a wide colon
_RULE = re.compile(r"[\W_]{0,10}[-_=*─]{4,}\s?\w")
_TIME = re.compile(  # "02:04", "2h04", "2時04分", in Finnish "2.04.50"
    r"(?<!\d)\d{1,2}\s?[:h：时時]\s?\d{2}(?!\d)|(?<![\d.])\d{1,2}\.\d{2}(?:\.\d{2})?(?![\d.])"  # noqa: RUF001 - a wide colon
)
_DAY = re.compile(r"(?<!\d)(?:\d{4}(?!\d)|\d{1,2}[./-]\d{1,2}(?!\d))")
_MENTION = re.compile(r"(?<!\S)@[\w-]*[:,;.!?]*(?!\S)")  # "@ann": no address
_LINK = re.compile(r"<(?:mailto:)?[^<>\s]*>", re.IGNORECASE)
# Names before addresses and numbers in signatures.
_CONTACT = re.compile(
    r"(?:e-?)?mail|e|e-?posta?|posta|correo|courriel|メール|邮箱|郵箱|이메일|почта"
    r"|t|t[ée]l|t[ée]l[ée]phone|tel[ée]fon[eo]?|telefoon|phone|mob|mobile?|m|cell|handy|fax|f|電話|电话|전화|тел"
    r"|w|www|web|web ?site|site|url|skype|whatsapp",
    re.IGNORECASE,
)


def may_name_other_sender(lines: list[str], forwarder: str) -> bool:
    """Whether these lines may be headers of a mail whose sender is neither the forwarder nor Amazon."""
    lines = [line[:_LINE_LIMIT] for line in lines if line.strip()]
    if len(lines) > _MAX_LINES:
        return True
    named = 0
    for number, line in enumerate(lines, start=1):
        found = _NAMED.match(line)
        if found and _CONTACT.fullmatch(found[1].rstrip(".")):
            continue
        if introduces_other_mail(line) or _has_other_address(line, forwarder) or _has_time(line):
            return True
        if number < len(lines):  # the last one may introduce the notice: "Begin forwarded message:"
            named += found is not None
            if named >= _MIN_HEADER_LINES or _RULE.match(line):
                return True
    return False


def _has_other_address(line: str, forwarder: str) -> bool:
    """Whether this line contains another address. One alone in its line does not count: it may be a signature."""
    others = {
        address
        for address in addresses_in(_MENTION.sub("", line))
        if address != forwarder and address.rpartition("@")[2] not in AMAZON_DOMAINS
    }
    return bool(others) and _LINK.sub("", line).strip().lower() not in others


def _has_time(line: str) -> bool:
    return _TIME.search(line) is not None and _DAY.search(line) is not None
