"""Build mails after the structure of real ones, with invented buyers, orders and aliases."""

import binascii
from base64 import encodebytes
from dataclasses import dataclass, field, replace
from email.header import Header
from html import escape

OPT_OUT = "BUYER_OPTED_OUT_BSM_MESSAGES"

IDS = {
    "com": "ATVPDKIKX0DER", "it": "APJ6JRA9NG5V4", "fr": "A13V1IB3VIYZZH", "co.jp": "A1VC38T7YXB528",
    "de": "A1PA6795UKMFR9", "co.uk": "A1F83G8C2ARO7P", "ca": "A2EUQ1WTGCTBG2", "es": "A1RKKUPIHCS9HS",
    "com.br": "A2Q3Y263D00KWC", "nl": "A1805IZSGTT6HS", "pl": "A1C3SOZRARQ6R3", "se": "A2NODRKZP88ZB9",
    "com.tr": "A33AVAJ2PDY3EV", "com.mx": "A1AM78C64UM0Y8", "ae": "A2VIGQ35RCS4UG",
}  # fmt: skip

SUBJECTS = {
    "en": "Your message to a buyer could not be delivered",
    "it": "Il tuo messaggio all'acquirente non è stato consegnato.",
    "fr": "Votre message qui était adressé à un acheteur n'a pas pu être transmis",
    "ja": "購入者へのメッセージを送信できませんでした",
}

# What the notice says, {order}, {name} and {day} to be filled in.
SENTENCES = {
    "en": "We were unable to deliver the message you sent for order [{order}] because the buyer has chosen to opt "
    "out of receiving unsolicited messages from sellers.",
    "it": "Il messaggio inviato a {name} per l'ordine [{order}] in data {day} non è stato consegnato perché "
    "l'acquirente ha scelto di non ricevere messaggi non richiesti dai venditori.",
    "fr": "Nous ne sommes pas parvenus à transmettre votre message au sujet de la commande {order}, car l'acheteur a "
    "choisi de ne pas recevoir de messages non sollicités de la part des vendeurs.",
    "ja": "購入者が出品者からの未承諾広告メールを受信しないように設定しているため、"
    "注文 {order} に関するメッセージを送信できませんでした。",
}

GREETINGS = {"en": "Dear Seller,", "it": "Gentile venditore,", "fr": "Cher vendeur,", "ja": "出品者様"}

ADVICE = {
    "en": "If the message is critical to completing the order, contact the buyer with the word [Important] in the "
    "subject. Product customisation questions, delivery scheduling and issues with a shipping address are critical.",
    "it": "Se il messaggio è indispensabile per completare l'ordine, scrivi all'acquirente aggiungendo [Importante] "
    "all'oggetto. Conferme d'ordine, di spedizione o richieste di recensione non sono indispensabili.",
    "fr": "Si le message est nécessaire pour finaliser la commande, écrivez à l'acheteur en ajoutant [Important] à "
    "l'objet. Les demandes d'évaluation et les confirmations d'expédition ne sont pas nécessaires.",
    "ja": "注文完了に必要なメッセージは、件名に[重要]という言葉を含めて購入者に連絡してください。",
}
LINK_WORDS = {
    "en": "Contact the buyer",
    "it": "Scrivi all'acquirente",
    "fr": "Contacter l'acheteur",
    "ja": "購入者に連絡する",
}
IMPORTANT = {"en": "[Important]", "it": "[Importante]", "fr": "[Important]", "ja": "[重要]"}

_STYLE = "".join(
    f".cell-{n}{{padding:{n}px {n + 4}px;font-family:'Amazon Ember',Arial,Helvetica,sans-serif;"
    f"font-size:{10 + n % 8}px;line-height:{16 + n % 8}px;color:#{n * 37 % 4096:03x}333}}\n"
    f"@media only screen and (max-width:{300 + n}px){{.cell-{n}{{width:100%!important;display:block!important}}}}\n"
    for n in range(200)
)


def page(paragraphs: list[str], *, preheader: str = "", rows: int = 40) -> str:
    """An HTML mail in Amazon's manner around these paragraphs (which are HTML already)."""
    body = "\n".join(
        f'<tr><td class="cell-{n}" style="padding:0 20px;font-family:Arial,Helvetica,sans-serif;font-size:14px">'
        f'<p style="margin:0 0 12px 0">{text}</p></td></tr>'
        for n, text in enumerate(paragraphs)
    )
    hidden = f'<div style="display:none;max-height:0;overflow:hidden">{preheader}</div>' if preheader else ""
    style = "\n".join(_STYLE.splitlines()[: rows * 2])
    return (
        '<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Transitional//EN" '
        '"http://www.w3.org/TR/xhtml1/DTD/xhtml1-transitional.dtd">\n'
        '<html xmlns="http://www.w3.org/1999/xhtml"><head>'
        '<meta http-equiv="Content-Type" content="text/html; charset=UTF-8">'
        f'<title></title><style type="text/css">\n{style}</style></head>\n<body style="margin:0;padding:0">{hidden}\n'
        '<table role="presentation" width="100%" cellpadding="0" cellspacing="0" border="0"><tr><td align="center">\n'
        '<table role="presentation" width="640" cellpadding="0" cellspacing="0" border="0">\n'
        '<tr><td><a href="https://sellercentral.amazon.com/home?ref=email">'
        '<img src="https://m.media-amazon.com/images/G/01/logo.png" '
        'alt="amazon seller central" width="160" height="40"></a></td></tr>\n'
        f"{body}\n"
        '<tr><td class="cell-1" style="font-size:11px;color:#888">&copy; 2026 Amazon.com, Inc. or its affiliates. '
        '<a href="https://sellercentral.amazon.com/notifications/preferences/ref=em?metric=optout">Preferences</a></td></tr>\n'
        "</table></td></tr></table></body></html>\n"
    )


_SPF = (
    "google.com: domain of 20260910000450abcdef@bounces.amazon.com designates 54.240.4.21 as permitted sender"
)


@dataclass(frozen=True, kw_only=True)
class Mail:
    """A mail to be rendered; the defaults are those of a genuine mail that Gmail received from Amazon."""

    from_: str = '"Amazon.it" <auto-communication@amazon.com>'
    to: str = "seller@gmail.com"
    subject: str = ""
    type: str | None = OPT_OUT
    marketplace_id: str | None = None
    html: str = ""
    text: str = ""
    message_id: str = "<0102019b1c2d3e4f-5a6b7c8d-1111-4222-8333-444455556666-000000@eu-west-1.amazonses.com>"
    date: str = "Thu, 10 Sep 2026 00:04:50 +0000"
    results: str | None = "pass"
    authserv_id: str = "mx.google.com"
    header_from: str | None = None
    extra: tuple[str, ...] = ()
    above: tuple[str, ...] = ()
    charset: str = "UTF-8"
    encoding: str = "quoted-printable"
    body: bytes | None = field(default=None, repr=False)
    content_type: str | None = None

    def but(self, **changes: object) -> "Mail":
        return replace(self, **changes)  # type: ignore[arg-type]  # a test names fields freely

    def render(self) -> bytes:
        """The mail as Gmail would hand it out, with CRLF line ends."""
        kind, body = (self.content_type, self.body) if self.body is not None else self.alternative()
        lines = [*self.above, *self._received(), *self._own_headers()]
        if kind:
            lines.append(f"Content-Type: {kind}")
        head = "\n".join(lines).encode("utf-8", "surrogateescape")
        return (head + b"\n\n" + (body or b"")).replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")

    def _received(self) -> list[str]:
        lines = [
            f"Delivered-To: {self.to}",
            "Received: by 2002:a05:6f02:c8c:b0:5a:1f2e:3d4c with SMTP id k12csp1234567rwd;",
            "        Wed, 9 Sep 2026 17:04:52 -0700 (PDT)",
            "X-Google-Smtp-Source: AGHT+IFxqZ1b2c3d4e5f6g7h8i9j0k1l2m3n4o5p6q7r8s9t0u",
            "X-Received: by 2002:a05:6000:1a87:b0:3e7:5f6a:7b8c with SMTP id f7-20020a05600c1a87.5.1757462692111;",
            "        Wed, 09 Sep 2026 17:04:52 -0700 (PDT)",
            "ARC-Seal: i=1; a=rsa-sha256; t=1757462692; cv=none; d=google.com; s=arc-20240605;",
            "        b=" + "Q0FGRUJBQkU" * 12,
            "ARC-Message-Signature: i=1; a=rsa-sha256; c=relaxed/relaxed; d=google.com; s=arc-20240605;",
            "        h=feedback-id:date:message-id:to:subject:from:dkim-signature; bh="
            + "Zm9vYmFy" * 5
            + "=;",
            "        b=" + "RGVhZEJlZWY" * 12,
            "Return-Path: <20260910000450abcdef0123456789@bounces.amazon.com>",
            "Received: from a4-21.smtp-out.eu-west-1.amazonses.com (a4-21.smtp-out.amazonses.com. [54.240.4.21])",
            "        by mx.google.com with ESMTPS id ffacd0b85a97d-3e7521c1a2bsi1234567f8f.300.2026.09.09.17.04.51",
            f"        for <{self.to}>",
            "        (version=TLS1_3 cipher=TLS_AES_128_GCM_SHA256 bits=128/128);",
            "        Wed, 09 Sep 2026 17:04:52 -0700 (PDT)",
            f"Received-SPF: pass ({_SPF}) client-ip=54.240.4.21;",
        ]
        if self.results:
            lines += self._authentication_results()
        return lines

    def _authentication_results(self) -> list[str]:
        domain = self.header_from or self.from_.rpartition("@")[2].strip("> ")
        lines = [
            f"Authentication-Results: {self.authserv_id};",
            f"       dkim=pass header.i=@{domain} header.s=jvxsykglqiaiibkijmhy37vqxh4mzqr6 header.b=Ab12Cd34;",
            "       dkim=pass header.i=@amazonses.com header.s=uku4taia5b5tsbglxyj6zym32efj7xqv header.b=Zx98Yw76;",
            f"       spf=pass ({_SPF}) smtp.mailfrom=20260910000450abcdef@bounces.amazon.com;",
        ]
        if self.results == "ses only":
            return [lines[0], lines[2], lines[3].rstrip(";")]
        return [
            *lines,
            f"       dmarc={self.results} (p=QUARANTINE sp=QUARANTINE dis=NONE) header.from={domain}",
        ]

    def _own_headers(self) -> list[str]:
        lines = [
            "DKIM-Signature: v=1; a=rsa-sha256; q=dns/txt; c=relaxed/simple; s=jvxsykglqiaiibkijmhy37vqxh4mzqr6;",
            "\td=amazon.com; t=1757462690; h=Date:From:Reply-To:To:Message-ID:Subject:MIME-Version:Content-Type;",
            "\tbh=" + "c2FtcGxl" * 5 + "=; b=" + "U2lnbmF0dXJl" * 12,
            f"Date: {self.date}",
            f"From: {self.from_}",
            f"Reply-To: {self.from_}",
            f"To: {self.to}",
            f"Message-ID: {self.message_id}",
            f"Subject: {self.subject if self.subject.isascii() else Header(self.subject, 'utf-8', 70).encode()}",
            "MIME-Version: 1.0",
        ]
        if self.marketplace_id:
            lines.append(f"X-Marketplace-ID: {self.marketplace_id}")
        if self.type is not None:
            lines.append(f"X-Space-Notification-Type: {self.type}")
        return [
            *lines,
            "X-AMAZON-MAIL-RELAY-TYPE: notification",
            "Bounces-to: 20260910000450abcdef0123456789@bounces.amazon.com",
            "Feedback-ID: ::1.eu-west-1.YbWnSyyj8tPVSY9NPAjX0M5HeRkEzH5v2Zz2zzs=:AmazonSES",
            "X-SES-Outgoing: 2026.09.10-54.240.4.21",
            *self.extra,
        ]

    def alternative(self) -> tuple[str, bytes]:
        boundary = "----=_Part_1234567_890123456.1757462690123"
        out = b""
        for kind, source in (("plain", self.text), ("html", self.html)):
            if source:
                out += (
                    f"--{boundary}\nContent-Type: text/{kind}; charset={self.charset}\n"
                    f"Content-Transfer-Encoding: {self.encoding}\n\n"
                ).encode() + encoded(source, self.charset, self.encoding)
        return f'multipart/alternative; \n\tboundary="{boundary}"', out + f"\n--{boundary}--\n".encode()


def encoded(source: str, charset: str, encoding: str) -> bytes:
    """Text in a charset and a transfer encoding; what the charset lacks becomes a character reference."""
    data = source.encode(charset, "xmlcharrefreplace")
    if encoding == "quoted-printable":
        return binascii.b2a_qp(data)
    if encoding == "base64":
        return encodebytes(data)
    return data


def notice(
    language: str = "it",
    *,
    alias: str | None = "k4q8z1x7c3v9b2n@marketplace.amazon.it",
    order: str = "406-1234508-7654301",
    tld: str = "it",
    name: str = "Ginevra",
    day: str = "9 settembre 2026",
    rows: int = 40,
    sentence: str | None = None,
    **changes: object,
) -> Mail:
    """A genuine notice in one of the four languages of which the wording is known."""
    said = (sentence or SENTENCES[language]).format(order=order, name=name, day=day)
    plain_said = said.replace("[", "").replace("]", "")
    paragraphs = [escape(GREETINGS[language]), escape(said), escape(ADVICE[language])]
    if alias:
        # The space after "subject=" is Amazon's.
        paragraphs.append(
            f'<a href="mailto:{alias}?subject= {IMPORTANT[language]}" style="color:#0066c0">{LINK_WORDS[language]}</a>'
        )
    mail = Mail(
        from_=f'"Amazon.{tld}" <auto-communication@amazon.com>',
        subject=SUBJECTS[language],
        marketplace_id=IDS.get(tld),
        html=page(paragraphs, preheader=escape(plain_said), rows=rows),
    )
    return mail.but(**changes)
