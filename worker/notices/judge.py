"""Turn the bytes of a mail into a verdict.

The steps: is the sender genuine, then the type header of Amazon's mail, then the sentences of notices. A mail that
fails a step is at most a suspect.
"""

import codecs
import re
from collections.abc import Container, Sequence
from functools import partial

from worker.notices.amazon import ALIAS_DOMAINS, AMAZON_DOMAINS, NOTICE_SENDERS, OPT_OUT_TYPE, TYPE_HEADER
from worker.notices.authenticity import Sender, sender_of
from worker.notices.clues import Candidate, opt_out, suspect
from worker.notices.content import Content, content_of, pages_of
from worker.notices.doubts import Doubt, Reason
from worker.notices.forwarded import Forwarded, all_pages, forwarded_in
from worker.notices.headers import Head, decode_words, read_head
from worker.notices.mime import Part, parts
from worker.notices.model import Kind, Unrelated, Verdict
from worker.notices.redirected import original_sender, reason_to_doubt
from worker.notices.sentences import contains_known_subject, is_reply

GMAIL = "mx.google.com"

# The other seen values of the type header.
_KINDS = {
    "BBC_MESSAGE_CONFIRMATION_TO_MERCHANT": Kind.COPY,
    "BBC_MESSAGE_SENT_TO_MERCHANT": Kind.MESSAGE,
    "BRC_SELLER_NOTIFICATION": Kind.CANCELLATION,
    "REFUND_ISSUED": Kind.REFUND,
    "RETURN_REQUEST": Kind.RETURN,
    "A_Z_CLAIM_RESPONDENT_NOTIFY": Kind.CLAIM,
    "A_Z_CLAIM_RESPONDENT_CLOSE": Kind.CLAIM,
}

_CLAIMS_AMAZON = re.compile(
    r"amazon\s?\.\s?(?:com|co|ca|de|fr|it|es|nl|se|pl|ie|in|sg|ae|sa|eg)\b", re.IGNORECASE
)


def judge(
    raw: bytes,
    *,
    trusted: Container[str] = frozenset(),
    redirectors: Container[str] = frozenset(),
    authserv_id: str = GMAIL,
    from_owner: bool = False,
) -> Verdict:
    """Return the verdict about a mail; never raises.

    raw: the mail as delivered, or rebuilt from Gmail's API with headers and bodies already in UTF-8.
    trusted: addresses whose forwards are accepted, lower case.
    redirectors: addresses and domains that may redirect and change mail, lower case.
    authserv_id: the receiving server's name in Authentication-Results.
    from_owner: Gmail says that the account itself sent this mail. It has no Authentication-Results, and needs none.
    """
    raw = _with_newlines(raw)
    head = read_head(raw)
    sender = original_sender(head, sender_of(head))
    types = [decode_words(value).strip().upper() for value in head.all(TYPE_HEADER)]
    doubt = partial(reason_to_doubt, head, sender, authserv_id, redirectors)
    if kind := _kind_by_type(types, sender):
        return Unrelated(kind)
    if OPT_OUT_TYPE in types:
        reason = doubt() or _doubt_about_type(head, sender)
        return _by_type(Candidate(head, sender, _own_content(raw, head)), reason)
    if sender.domain in ALIAS_DOMAINS:
        return Unrelated(Kind.MESSAGE)
    if sender.domain in AMAZON_DOMAINS:
        return _by_sentence(Candidate(head, sender, _own_content(raw, head)), types, doubt())
    accepted = from_owner or _is_trusted(trusted, sender)
    found = list(parts(raw, head))
    if not accepted and not _may_be_relevant(sender, head, found):
        return Unrelated(Kind.OTHER)
    return _not_from_amazon(head, sender, found, None if from_owner else doubt(), accepted=accepted)


def _kind_by_type(types: Sequence[str], sender: Sender) -> Kind | None:
    """Return the kind of a mail by its type header; None for a notice, or if the text must decide.

    The type of notices is known from one specimen only. So a mail from a sender of notices with an unknown type is
    judged by its text.
    """
    if not any(types) or OPT_OUT_TYPE in types:
        return None
    known = next((_KINDS[each] for each in types if each in _KINDS), None)
    return known or (None if sender.address in NOTICE_SENDERS else Kind.NOTIFICATION)


def _by_type(mail: Candidate, reason: Reason | None) -> Verdict:
    if reason is None and mail.content.failed_for_other_reason:
        reason = Reason(Doubt.OTHER_REASON)
    return suspect(mail, reason) if reason else opt_out(mail)


def _doubt_about_type(head: Head, sender: Sender) -> Reason | None:
    # An encoded value is no doubt: Gmail's API decodes headers in some formats, so we cannot always see it.
    if [decode_words(value).strip() for value in head.all(TYPE_HEADER)] != [OPT_OUT_TYPE]:
        return Reason(Doubt.UNUSUAL_TYPE)
    if sender.domain not in AMAZON_DOMAINS:
        return Reason(Doubt.TYPE_NOT_FROM_AMAZON, sender.address)
    return None


def _by_sentence(
    mail: Candidate, types: Sequence[str], reason: Reason | None, *, otherwise: Kind = Kind.OTHER_OF_AMAZON
) -> Verdict:
    """Judge by the text. types: values of the type header that are not that of notices."""
    content = mail.content
    if content.wording is None:
        doubt = _doubt_about_new_words(mail, proven=reason is None)
        return (
            suspect(mail, reason or Reason(doubt))
            if doubt
            else Unrelated(Kind.NOTIFICATION if any(types) else otherwise)
        )
    reason = reason or _doubt_about_sentence(mail)
    if any(types):
        reason = reason or Reason(Doubt.NEW_TYPE)
    return suspect(mail, reason) if reason else opt_out(mail)


def _doubt_about_new_words(mail: Candidate, *, proven: bool) -> Doubt | None:
    """Return why a mail without a known sentence may still be a notice. proven: its sender is genuine."""
    content = mail.content
    if content.failed_for_other_reason:
        return None
    if content.subject_wording:
        return Doubt.NEW_TEXT
    if not proven or mail.sender.address not in NOTICE_SENDERS:
        return None
    if content.gives_opt_out_reason:
        return Doubt.HALF_A_SENTENCE
    return Doubt.NEW_SENTENCE if content.reports_refused_message else None


def _doubt_about_sentence(mail: Candidate) -> Reason | None:
    content = mail.content
    if mail.sender.address not in NOTICE_SENDERS:
        return Reason(Doubt.OTHER_ADDRESS_OF_AMAZON, mail.sender.address)
    if content.wording is None or not content.wording.proven:
        return Reason(Doubt.GUESSED_WORDING)
    if not content.subject_wording and not content.starts_with_sentence:
        return Reason(Doubt.MAY_BE_QUOTED)
    return None


def _not_from_amazon(
    head: Head, sender: Sender, found: list[Part], reason: Reason | None, *, accepted: bool
) -> Verdict:
    if not accepted:
        reason = reason or Reason(Doubt.FORWARDED_BY_STRANGER, sender.address)
    inner = forwarded_in(found, sender.address, decode_words(head.first("subject")))
    inner = [each for each in inner if each.may_be_notice] or inner[:1]
    if len(inner) > 1:
        several = Candidate(head, sender, content_of("", []))
        return suspect(several, Reason(Doubt.SEVERAL_FORWARDED))
    verdict = _forwarded(head, inner[0], reason) if inner else Unrelated(Kind.OTHER)
    if not isinstance(verdict, Unrelated):
        return verdict
    subject = decode_words(head.first("subject"))
    if accepted and not is_reply(subject):
        content = content_of(subject, all_pages(found))
        named = contains_known_subject(content.text) or (not inner and contains_known_subject(subject))
    else:
        content, named = content_of(subject, pages_of(found, quoted=False)), False
    mail = Candidate(head, sender, content)
    # Articles quote notices too. So ask a person only about an imitation, or about mail from a trusted sender.
    if _is_proven(content) and (accepted or content.subject_wording or _claims_amazon(sender, head)):
        unclear = Doubt.TEXT_NOT_FROM_AMAZON if reason else Doubt.FORWARD_NOT_UNDERSTOOD
        return suspect(mail, Reason(sender.doubt or unclear))
    return suspect(mail, Reason(Doubt.FORWARD_UNREADABLE)) if named else verdict


def _is_proven(content: Content) -> bool:
    return content.wording is not None and content.wording.proven


def _forwarded(head: Head, inner: Forwarded, reason: Reason | None) -> Verdict:
    mail = Candidate(inner.head or head, inner.sender, inner.content)
    reason = reason or inner.reason
    if inner.head is None and is_reply(decode_words(head.first("subject"))):
        # In an unknown language we cannot see whom it quotes, and whether the header lines are forged.
        reason = reason or Reason(Doubt.REPLY)
    if not inner.sender.address:
        reason = reason or Reason(Doubt.FORWARD_WITHOUT_SENDER)
    if _kind_by_type(inner.types, inner.sender):
        return Unrelated(Kind.FORWARDED)
    if (
        mail.content.wording is None
        and inner.may_be_notice
        and (reason is None or OPT_OUT_TYPE in inner.types)
    ):
        # Somebody forwarded it on purpose: tell them that it was not understood.
        return suspect(mail, reason or Reason(Doubt.FORWARD_OF_NEW_TEXT))
    new_types = [each for each in inner.types if each != OPT_OUT_TYPE]
    return _by_sentence(mail, new_types, reason, otherwise=Kind.FORWARDED)


def _is_trusted(trusted: Container[str], sender: Sender) -> bool:
    local, _, domain = sender.address.partition("@")
    return bool(sender.address) and (
        sender.address in trusted or f"{local.partition('+')[0]}@{domain}" in trusted
    )


def _may_be_relevant(sender: Sender, head: Head, found: list[Part]) -> bool:
    """Whether a stranger's mail can be a forward or an imitation. A fast check: most mail is neither.

    Every forwarded notice contains its sender's address.
    """
    if _claims_amazon(sender, head) or contains_known_subject(decode_words(head.first("subject"))):
        return True
    readable = (part for part in found if part.kind.startswith(("text/", "message/")))
    return any(b"auto-communication" in part.data() for part in readable)


def _claims_amazon(sender: Sender, head: Head) -> bool:
    shown = decode_words(" ".join(head.all("from")))
    return bool(sender.doubt) or "amazon" in sender.domain or _CLAIMS_AMAZON.search(shown) is not None


def _own_content(raw: bytes, head: Head) -> Content:
    return content_of(head.first("subject"), pages_of(parts(raw, head), quoted=False))


def _with_newlines(raw: bytes) -> bytes:
    """Repair a manually saved mail: byte order mark, blank lines at the start, carriage returns alone or doubled."""
    if b"\n" not in raw:
        raw = raw.replace(b"\r", b"\n")
    elif b"\r\r\n" in raw[:1000]:
        raw = raw.replace(b"\r\r\n", b"\r\n")
    raw = raw.removeprefix(codecs.BOM_UTF8)
    return raw.lstrip(b"\r\n") if raw[:1] in (b"\r", b"\n") else raw
