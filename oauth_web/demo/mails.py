"""Invented mails with the structure of real ones: Amazon's notices and other mail that were published."""

import hashlib
import random
import string
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr
from html import escape

from worker.notices.amazon import MARKETPLACES, OPT_OUT_TYPE, TYPE_HEADER
from worker.notices.wording import WORDING, Wording

_IDS = {place.tld: place.id or "" for place in MARKETPLACES}

# Subjects of notices in languages for which ``wording.py`` has no subject.
_SUBJECTS = {
    "de": "Ihre Nachricht an einen Käufer wurde nicht zugestellt",
    "es": "No se ha podido entregar tu mensaje a un comprador",
    "nl": "Je bericht aan een koper kon niet worden bezorgd",
    "pl": "Twoja wiadomość do kupującego nie została dostarczona",
    "sv": "Ditt meddelande till en köpare kunde inte levereras",
}
_SENTENCE = "{could_not_deliver} [{order}], {because}."
_SENTENCES = {
    "en": "{could_not_deliver} for order [{order}] {because}.",
    "it": "{could_not_deliver} per l'ordine [{order}] perché {because}.",
    "fr": "{could_not_deliver} au sujet de la commande {order}, car {because}.",
    "ja": "{because}、注文 [{order}] {could_not_deliver}。",
}


@dataclass(frozen=True, slots=True)
class Sale:
    """An order of a buyer. tld: of the marketplace. language: of Amazon's mail about it."""

    tld: str
    language: str
    order: str
    alias: str


def invent_sale(tld: str, language: str, chance: random.Random) -> Sale:
    """Return an invented sale: in Amazon's examples for developers, order IDs start with 902."""
    letters = "".join(chance.choices(string.ascii_lowercase + string.digits, k=11))
    order = f"902-{chance.randrange(10**7):07}-{chance.randrange(10**7):07}"
    return Sale(tld, language, order, f"demo{letters}@marketplace.amazon.{tld}")


def render(
    sender: str,
    to: str,
    subject: str,
    html: str,
    at: datetime,
    *,
    headers: Mapping[str, str] | None = None,
    genuine: bool = True,
) -> bytes:
    """Return a mail as Gmail returns it. genuine: whether it passed DMARC."""
    domain = parseaddr(sender)[1].rpartition("@")[2]
    number = hashlib.sha256(f"{sender}{to}{subject}{html}{at}".encode()).hexdigest()[:20]
    mail = EmailMessage(policy=SMTP)
    for name, value in {
        "Delivered-To": to,
        "Authentication-Results": f"mx.google.com; dmarc={'pass' if genuine else 'fail'} header.from={domain}",
        "Date": format_datetime(at),
        "From": sender,
        "To": to,
        "Message-ID": f"<{number}@mail.{domain}>",
        "Subject": subject,
        **(headers or {}),
    }.items():
        mail[name] = value
    mail.set_content(html, subtype="html", cte="quoted-printable")
    # Amazon's mails are multipart/alternative with one part.
    mail.make_alternative()
    return mail.as_bytes()


def notice(sale: Sale, to: str, at: datetime, *, with_alias: bool = True) -> bytes:
    """Return Amazon's notice about this buyer; without the alias it has only the order."""
    return _notice(sale, _wording(sale.language), to, at, type_=OPT_OUT_TYPE, with_alias=with_alias)


def notice_in_guessed_words(sale: Sale, to: str, at: datetime) -> bytes:
    """Return a notice without the type header in guessed wording; it goes to the review list."""
    return _notice(sale, _wording(sale.language), to, at)


def forged_notice(sale: Sale, to: str, at: datetime) -> bytes:
    """Return a notice that Amazon did not send."""
    return _notice(sale, _wording(sale.language), to, at, type_=OPT_OUT_TYPE, genuine=False)


def forward(mail: bytes, sender: str, to: str, at: datetime) -> bytes:
    """Return a mail with another one attached."""
    outer = message_from_bytes(
        render(sender, to, "Fwd: notice", "<p>See attached.</p>", at), _class=EmailMessage, policy=SMTP
    )
    outer.add_attachment(message_from_bytes(mail, _class=EmailMessage, policy=SMTP))
    return outer.as_bytes()


def from_amazon(sender: str, type_: str, subject: str, text: str, sale: Sale, to: str, at: datetime) -> bytes:
    """Return another mail of Amazon; its parts may contain ``{order}``, ``{alias}`` and ``{tld}``."""
    sender, subject, text = (
        part.format(order=sale.order, alias=sale.alias, tld=sale.tld) for part in (sender, subject, text)
    )
    return render(sender, to, subject, f"<p>{escape(text)}</p>", at, headers=_headers(sale, type_))


def _notice(
    sale: Sale,
    words: Wording,
    to: str,
    at: datetime,
    *,
    type_: str = "",
    with_alias: bool = True,
    genuine: bool = True,
) -> bytes:
    said = _SENTENCES.get(sale.language, _SENTENCE).format(
        could_not_deliver=words.could_not_deliver, because=words.because, order=sale.order
    )
    # Like in real notices the alias is only in the link, and there is a space after "subject=".
    link = f'<p><a href="mailto:{sale.alias}?subject= [Important]">[Important]</a></p>' if with_alias else ""
    return render(
        f'"Amazon.{sale.tld}" <auto-communication@amazon.com>',
        to,
        words.subject or _SUBJECTS[sale.language],
        f"<html><body><p>{escape(said)}</p>{link}</body></html>",
        at,
        headers=_headers(sale, type_),
        genuine=genuine,
    )


def _headers(sale: Sale, type_: str) -> dict[str, str]:
    named = {"X-Marketplace-ID": _IDS[sale.tld]}
    return named | {TYPE_HEADER: type_} if type_ else named


def _wording(language: str) -> Wording:
    return next(row for row in WORDING if row.language == language)
