"""Turn the bytes of a mail into a verdict.

The order of trust: whether the sender is genuine, then the type header of Amazon's mail, then the
sentences of notices, then nothing. What fails a step is at most a suspect.
"""

import codecs
import re
from collections.abc import Container

from worker.notices.amazon import (
    ALIAS_DOMAINS,
    AMAZON_DOMAINS,
    NOTICE_SENDERS,
    OPT_OUT_TYPE,
    OTHER_TYPES,
    TYPE_HEADER,
)
from worker.notices.authenticity import Sender, doubt_about, sender_of
from worker.notices.clues import Case, opt_out, suspect
from worker.notices.content import Content, content_of, pages_of
from worker.notices.forwarded import Forwarded, forwarded_in, is_attributed
from worker.notices.headers import Head, decode_words, read_head
from worker.notices.mime import Part, parts
from worker.notices.model import Suspect, Unrelated, Verdict
from worker.notices.sentences import is_reply, mentions_subject, passes_on

GMAIL = "mx.google.com"

_NEW_TEXT = "It has the subject of a notice, but its text is new to us."
_NEW_FORWARD = "It may be a notice, but its text is new to us."
_NEW_SENTENCE = "It says that a buyer opted out, but not that a message was not delivered."
_GUESSED = "It reads like a notice in words that we only guess."

_CLAIMS_AMAZON = re.compile(
    r"amazon\s?\.\s?(?:com|co|ca|de|fr|it|es|nl|se|pl|ie|in|sg|ae|sa|eg)\b", re.IGNORECASE
)


def judge(
    raw: bytes,
    *,
    trusted: Container[str] = frozenset(),
    authserv_id: str = GMAIL,
    from_owner: bool = False,
) -> Verdict:
    """Return what this mail tells about a buyer; never raises, whatever the bytes.

    raw: the mail as delivered, or rebuilt from Gmail's API with headers and bodies already in UTF-8.
    trusted: lower-case addresses from which forwarded notices are accepted.
    authserv_id: the name of the receiving server in Authentication-Results.
    from_owner: Gmail says that the account itself wrote this mail. Such a mail carries no
    Authentication-Results, and needs none.
    """
    raw = _with_newlines(raw)
    head = read_head(raw)
    sender = sender_of(head)
    types = [decode_words(value).strip().upper() for value in head.all(TYPE_HEADER)]
    if any(types) and OPT_OUT_TYPE not in types:
        return Unrelated(OTHER_TYPES.get(types[0], "other notification of Amazon's"))
    if OPT_OUT_TYPE in types:
        return _by_type(raw, head, doubt_about(head, sender, authserv_id) or _doubt_about_type(head, sender))
    if sender.domain in ALIAS_DOMAINS:
        return Unrelated("buyer's message")
    if sender.domain in AMAZON_DOMAINS:
        content = _own_content(raw, head)
        return _by_sentence(Case(head, sender, content), doubt_about(head, sender, authserv_id))
    welcome = from_owner or _trusts(trusted, sender)
    found = list(parts(raw, head))
    if not welcome and not _worth_reading(sender, head, found):
        return Unrelated("other mail")
    doubt = None if from_owner else doubt_about(head, sender, authserv_id)
    if not welcome:
        doubt = doubt or f"It was forwarded by {sender.address}, whom you have not chosen to trust."
    return _from_elsewhere(head, sender, found, doubt)


def in_new_words(verdict: Verdict) -> bool:
    """Return whether this may be a notice, but in words of which the table of wording is not certain."""
    return isinstance(verdict, Suspect) and verdict.reason in {
        _NEW_TEXT,
        _NEW_FORWARD,
        _NEW_SENTENCE,
        _GUESSED,
    }


def _by_type(raw: bytes, head: Head, doubt: str | None) -> Verdict:
    content = _own_content(raw, head)
    case = Case(head, sender_of(head), content)
    if doubt is None and content.other_failure:
        doubt = "Its type says that the buyer opted out, its text gives another reason."
    return suspect(case, doubt) if doubt else opt_out(case)


def _doubt_about_type(head: Head, sender: Sender) -> str | None:
    # Encoded words are no doubt: Gmail's API decodes them in some of its formats, so they cannot always be seen.
    if [decode_words(value).strip() for value in head.all(TYPE_HEADER)] != [OPT_OUT_TYPE]:
        return "Its type header is written in a way that genuine notices never use."
    if sender.domain not in AMAZON_DOMAINS:
        return f"It says that it is a notice of Amazon's, but {sender.address} is not Amazon."
    return None


def _by_sentence(case: Case, doubt: str | None, *, otherwise: str = "other mail of Amazon's") -> Verdict:
    content = case.content
    if content.wording is None:
        if content.title and not content.other_failure:
            return suspect(case, doubt or _NEW_TEXT)
        if doubt is None and case.sender.address in NOTICE_SENDERS and content.explains:
            return suspect(case, _NEW_SENTENCE)
        return Unrelated(otherwise)
    if doubt is None:
        doubt = _doubt_about_sentence(case)
    return suspect(case, doubt) if doubt else opt_out(case)


def _doubt_about_sentence(case: Case) -> str | None:
    content = case.content
    if case.sender.address not in NOTICE_SENDERS:
        return f"It reads like a notice, but notices do not come from {case.sender.address}."
    if content.wording is None or not content.wording.proven:
        return _GUESSED
    if not content.title and not content.leads:
        return "It holds the words of a notice, but may only quote them."
    return None


def _from_elsewhere(head: Head, sender: Sender, found: list[Part], doubt: str | None) -> Verdict:
    inner = forwarded_in(found, sender.address)
    inner = [each for each in inner if each.promising] or inner[:1]
    if len(inner) > 1:
        several = Case(head, sender, content_of("", []))
        return suspect(several, "It holds several forwarded notices: forward them one by one.")
    if inner:
        return _forwarded(head, inner[0], doubt)
    subject = head.first("subject")
    # Under header lines that are not known, or in a file of Outlook's, it is better shown than lost.
    sent_on = doubt is None and passes_on(decode_words(subject)) and not is_attributed(found)
    content = content_of(subject, pages_of(found, quoted=sent_on))
    said = content.wording is not None and content.wording.proven
    if sent_on and not said:
        return suspect(Case(head, sender, content), "It passes on a notice that cannot be read.")
    # Articles quote notices too: only an imitation, or somebody trusted, is worth a look.
    if not said or not (doubt is None or content.title or _claims_amazon(sender, head)):
        return Unrelated("other mail")
    reason = sender.doubt or "It reads like a notice, but Amazon did not send it."
    return suspect(Case(head, sender, content), reason)


def _forwarded(head: Head, inner: Forwarded, doubt: str | None) -> Verdict:
    case = Case(inner.head or head, inner.sender, inner.content)
    doubt = doubt or inner.doubt
    if inner.head is None and is_reply(decode_words(head.first("subject"))):
        # Whom it quotes, and whether he made up the header lines, cannot be told in every language.
        doubt = doubt or "It is a reply, which may quote anybody."
    if not inner.sender.address:
        doubt = doubt or "The mail program that forwarded it left out the address it came from."
    if any(inner.types) and OPT_OUT_TYPE not in inner.types:
        return Unrelated("forwarded mail")
    if case.content.wording is None and inner.promising and (doubt is None or OPT_OUT_TYPE in inner.types):
        # Somebody took the trouble to forward it: say that it was not understood.
        return suspect(case, doubt or _NEW_FORWARD)
    return _by_sentence(case, doubt, otherwise="forwarded mail")


def _trusts(trusted: Container[str], sender: Sender) -> bool:
    local, _, domain = sender.address.partition("@")
    return bool(sender.address) and (
        sender.address in trusted or f"{local.partition('+')[0]}@{domain}" in trusted
    )


def _worth_reading(sender: Sender, head: Head, found: list[Part]) -> bool:
    """Whether a stranger's mail can be a forward or an imitation at all; most mail is neither.

    Every forwarded notice names who sent it.
    """
    if _claims_amazon(sender, head) or mentions_subject(decode_words(head.first("subject"))):
        return True
    readable = (part for part in found if part.kind.startswith(("text/", "message/")))
    return any(b"auto-communication" in part.data() for part in readable)


def _claims_amazon(sender: Sender, head: Head) -> bool:
    shown = decode_words(" ".join(head.all("from")))
    return bool(sender.doubt) or "amazon" in sender.domain or _CLAIMS_AMAZON.search(shown) is not None


def _own_content(raw: bytes, head: Head) -> Content:
    return content_of(head.first("subject"), pages_of(parts(raw, head), quoted=False))


def _with_newlines(raw: bytes) -> bytes:
    """Files saved by hand may begin with a mark or a blank line, and have nothing but carriage returns, or too many."""
    if b"\n" not in raw:
        raw = raw.replace(b"\r", b"\n")
    elif b"\r\r\n" in raw[:1000]:
        raw = raw.replace(b"\r\r\n", b"\r\n")
    raw = raw.removeprefix(codecs.BOM_UTF8)
    return raw.lstrip(b"\r\n") if raw[:1] in (b"\r", b"\n") else raw
