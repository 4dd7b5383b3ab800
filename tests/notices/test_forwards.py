"""Forwarded notices: by every client, in every language, and only from those whom the user trusts."""

import re
from html import escape

import pytest
from building import GREETINGS, OPT_OUT, SENTENCES, SUBJECTS, Mail, notice

from worker.notices.doubts import Doubt, Reason
from worker.notices.judge import judge
from worker.notices.model import Kind, OptOut, Suspect, Unrelated, Verdict

OWNER = "seller@gmail.com"
ALIAS = "k4q8z1x7c3v9b2n@marketplace.amazon.it"
ORDER = "406-1234508-7654301"
SAID = SENTENCES["it"].format(order=ORDER, name="Ginevra", day="9 settembre 2026")

# From, Date, Subject, To as mail programs write them.
NAMES = {
    "en": ("From", "Sent", "Subject", "To"),
    "de": ("Von", "Gesendet", "Betreff", "An"),
    "fr": ("De", "Envoyé", "Objet", "À"),
    "it": ("Da", "Inviato", "Oggetto", "A"),
    "es": ("De", "Enviado el", "Asunto", "Para"),
    "pt": ("De", "Enviada em", "Assunto", "Para"),
    "nl": ("Van", "Verzonden", "Onderwerp", "Aan"),
    "pl": ("Od", "Wysłano", "Temat", "Do"),
    "sv": ("Från", "Skickat", "Ämne", "Till"),
    "da": ("Fra", "Sendt", "Emne", "Til"),
    "fi": ("Lähettäjä", "Lähetetty", "Aihe", "Vastaanottaja"),
    "cs": ("Od", "Odesláno", "Předmět", "Komu"),
    "sk": ("Od", "Odoslané", "Predmet", "Komu"),
    "hu": ("Feladó", "Elküldve", "Tárgy", "Címzett"),
    "ro": ("De la", "Trimis", "Subiect", "Către"),
    "tr": ("Kimden", "Tarih", "Konu", "Kime"),
    "el": ("Από", "Ημερομηνία", "Θέμα", "Προς"),
    "ru": ("От", "Дата", "Тема", "Кому"),
    "uk": ("Від", "Дата", "Тема", "Кому"),
    "bg": ("От", "Дата", "Относно", "До"),
    "hr": ("Od", "Datum", "Predmet", "Za"),
    "ca": ("De", "Data", "Assumpte", "Per a"),
    "ja": ("差出人", "送信日時", "件名", "宛先"),
    "zh-cn": ("发件人", "发送时间", "主题", "收件人"),
    "zh-tw": ("寄件者", "寄件日期", "主旨", "收件者"),
    "ko": ("보낸 사람", "보낸 날짜", "제목", "받는 사람"),
    "ar": ("من", "التاريخ", "الموضوع", "إلى"),
    "he": ("מאת", "נשלח", "נושא", "אל"),
    "sr": ("Од", "Датум", "Тема", "Прима"),
    "is": ("Frá", "Dagsetning", "Efni", "Til"),
    "ms": ("Daripada", "Tarikh", "Subjek", "Kepada"),
    "fa": ("از", "تاریخ", "موضوع", "به"),
    "id": ("Dari", "Tanggal", "Perihal", "Kepada"),
    "vi": ("Từ", "Ngày", "Chủ đề", "Đến"),
    "th": ("จาก", "วันที่", "เรื่อง", "ถึง"),
}
SENDER = "Amazon.it <auto-communication@amazon.com>"
VALUES = (SENDER, "giovedì 10 settembre 2026 02:04", SUBJECTS["it"], OWNER)


def values(sender: str = SENDER) -> tuple[str, ...]:
    return (sender, *VALUES[1:])


def gmail(names: tuple[str, ...], sender: str = SENDER) -> str:
    lines = "<br>".join(f"{name}: {escape(value)}" for name, value in zip(names, values(sender), strict=True))
    mark = '<div dir="ltr" class="gmail_attr">---------- Forwarded message ---------<br>'
    return f'<div class="gmail_quote">{mark}{lines}<br></div><br>{inner()}</div>'


def outlook(names: tuple[str, ...], sender: str = SENDER) -> str:
    order = (0, 1, 3, 2)
    lines = "<br>\n".join(f"<b>{names[at]}:</b> {escape(values(sender)[at])}" for at in order)
    return f'<div style="border-top:solid #E1E1E1 1pt"><p class="MsoNormal">{lines}<o:p></o:p></p></div>{inner()}'


def outlook_web(names: tuple[str, ...], sender: str = SENDER) -> str:
    order = (0, 1, 3, 2)
    lines = "<br>".join(f"<b>{names[at]}:</b> {escape(values(sender)[at])}" for at in order)
    return f'<hr tabindex="-1"><div id="divRplyFwdMsg" dir="ltr"><font>{lines}</font><div>&nbsp;</div></div>{inner()}'


def apple(names: tuple[str, ...], sender: str = SENDER) -> str:
    order = (0, 2, 1, 3)
    lines = "".join(
        f"<div><b>{names[at]}: </b><span>{escape(values(sender)[at])}<br></span></div>" for at in order
    )
    mark = "<div>Begin forwarded message:</div><br>"
    return f'<blockquote type="cite">{mark}{lines}<br><div>{inner()}</div></blockquote>'


def thunderbird(names: tuple[str, ...], sender: str = SENDER) -> str:
    order = (2, 1, 0, 3)
    lines = "".join(
        f'<tr>\n<th valign="BASELINE" align="RIGHT">{names[at]}: </th>\n<td>{escape(values(sender)[at])}</td>\n</tr>'
        for at in order
    )
    table = f'<table class="moz-email-headers-table"><tbody>{lines}</tbody></table>'
    return f'<div class="moz-forward-container">-------- Forwarded Message --------{table}<br>{inner()}</div>'


def yahoo(names: tuple[str, ...], sender: str = SENDER) -> str:
    order = (0, 3, 1, 2)
    lines = "".join(f"<div><b>{names[at]}:</b> {escape(values(sender)[at])}</div>" for at in order)
    return f'<div class="yahoo_quoted"><div>----- Forwarded Message -----</div>{lines}<div><br></div>{inner()}</div>'


CLIENTS = (gmail, outlook, outlook_web, apple, thunderbird, yahoo)


def inner() -> str:
    body = re.search(r"(?s)<body[^>]*>(.*)</body>", notice(rows=2).html)
    assert body is not None
    return body[1]


def forward(html: str = "", text: str = "", **changes: object) -> Mail:
    mail = Mail(
        from_="Anna Verdi <seller@gmail.com>",
        to="seller+optouts-4f9a2c@gmail.com",
        subject="Fwd: " + SUBJECTS["it"],
        type=None,
        html=html and f"<html><body><p>please add</p>{html}</body></html>",
        text=text,
        message_id="<forward@mail.gmail.com>",
        header_from="gmail.com",
    )
    return mail.but(**changes)


def by_owner(mail: Mail) -> Verdict:
    return judge(mail.render(), trusted={OWNER})


@pytest.mark.parametrize("client", CLIENTS, ids=lambda client: client.__name__)
@pytest.mark.parametrize("language", NAMES)
def test_a_forward_is_read_by_every_client_in_every_language(client: object, language: str) -> None:
    verdict = by_owner(forward(client(NAMES[language])))  # type: ignore[operator]  # a function of the table above
    assert isinstance(verdict, OptOut), verdict
    assert (verdict.address, verdict.order_id, verdict.marketplace) == (ALIAS, ORDER, "amazon.it")
    assert (verdict.language, verdict.message_id) == ("it", "forward@mail.gmail.com")


@pytest.mark.parametrize("language", NAMES)
@pytest.mark.parametrize("margin", ["", "> ", "*"])
def test_a_forward_in_plain_text_is_read(language: str, margin: str) -> None:
    bold = "*" if margin == "*" else ""
    lines = [f"{bold}{name}:{bold} {value}" for name, value in zip(NAMES[language], VALUES, strict=True)]
    body = [*lines, "", *GREETINGS["it"].splitlines(), SAID, f"Scrivi: <mailto:{ALIAS}?subject=%20x>"]
    text = "\n".join((margin if margin != "*" else "") + line for line in body)
    verdict = by_owner(forward(text="FYI\n\n" + text))
    assert isinstance(verdict, OptOut), verdict
    assert (verdict.address, verdict.order_id) == (ALIAS, ORDER)


def test_a_header_name_may_stand_alone_above_its_value() -> None:
    rows = "".join(
        f"<p>{name}:</p><p>{escape(value)}</p>" for name, value in zip(NAMES["en"], VALUES, strict=True)
    )
    assert isinstance(by_owner(forward(rows + inner())), OptOut)


@pytest.mark.parametrize("above", ["Oggetto: {}", "Oggetto:\n{}", "Data: ieri\n\nOggetto: {}"])
def test_the_subject_may_stand_above_the_sender(above: str) -> None:
    block = f"{above.format(SUBJECTS['it'])}\nDa: {SENDER}\nA: {OWNER}\n\n"
    late = "Ciao a tutti, ecco di che cosa parlavamo ieri. " * 5
    assert isinstance(by_owner(forward(text=block + late + SAID)), OptOut)


@pytest.mark.parametrize("above", ["{}", "Oggetto: {}\nCiao", "Oggetto:\n{}\nCiao"])
def test_words_above_the_sender_are_not_the_forwarded_subject(above: str) -> None:
    block = f"{above.format(SUBJECTS['it'])}\nDa: {SENDER}\nA: {OWNER}\n\n"
    late = "Ciao a tutti, ecco di che cosa parlavamo ieri. " * 5
    assert isinstance(by_owner(forward(text=block + late + SAID)), Suspect)


def test_header_lines_that_nobody_knows_do_not_end_the_block() -> None:
    text = f"""Da: {SENDER}
Rispondi a: nobody@example.com
Data: 10/09/26 02:04 (GMT+01:00)
A: seller@gmail.com,
  shop@example.com, sales@example.com
Oggetto: {SUBJECTS["it"]}

{"Buongiorno a tutti. " * 12}
{SAID}
"""
    assert isinstance(by_owner(forward(text=text)), OptOut)


def test_the_plain_half_of_a_forward_completes_the_html_half() -> None:
    lines = "\n".join(f"{name}: {value}" for name, value in zip(NAMES["en"], VALUES, strict=True))
    html = gmail(NAMES["en"]).replace(ALIAS, "")
    verdict = by_owner(forward(html, f"{lines}\n\n{SAID}\n{ALIAS}\n"))
    assert isinstance(verdict, OptOut)
    assert verdict.address == ALIAS


LONG = "Votre message qui était adressé à un acheteur n'a pas pu être"
FRENCH = SENTENCES["fr"].format(order=ORDER)


@pytest.mark.parametrize(
    "lines",
    [
        "\u200eFrom: {sender}\u200e\n\u202bDate: x\nSubject: {subject}",
        "From: Amazon.fr\n<auto-communication@amazon.fr>\nDate: x\nSubject: \u2067{subject}\u2069",
        "From: {sender}\nTo: a@b.example,\n c@d.example\nSubject: {subject}",
        "From: {sender}\nDate: x\nSubject: {long}\n transmis",
        "Subject: {long}\ntransmis\nDate: x\nFrom: {sender}\nTo: a@b.example",
    ],
)
def test_header_lines_may_be_wrapped_or_marked_with_directions(lines: str) -> None:
    block = lines.format(sender="Amazon.fr <auto-communication@amazon.fr>", subject=SUBJECTS["fr"], long=LONG)
    # A sentence of another mail's before it: only the subject makes it a notice.
    verdict = by_owner(forward(text=f"{block}\n\nBonjour. Bonjour. {FRENCH}\n{ALIAS}\n"))
    assert isinstance(verdict, OptOut), verdict
    assert verdict.language == "fr"


@pytest.mark.parametrize("tag", ["[EXTERNAL] ", "[EXT] [Shop] ", "External: "])
def test_a_company_may_have_marked_the_notice_as_external(tag: str) -> None:
    block = f"From: {SENDER}\nSent: x\nSubject: {tag}{SUBJECTS['it']}"
    caution = "CAUTION: This came from outside of the organization. Do not click on links."
    assert isinstance(by_owner(forward(text=f"{block}\n\n{caution}\n\n{SAID}\n{ALIAS}\n")), OptOut)


# Who may forward


def test_the_owners_own_mail_needs_no_results() -> None:
    raw = forward(gmail(NAMES["en"]), results=None).render()
    assert isinstance(judge(raw, from_owner=True), OptOut)
    assert isinstance(judge(raw, trusted={OWNER}), Suspect)


def test_a_trusted_address_is_trusted_with_a_suffix_too() -> None:
    mail = forward(gmail(NAMES["en"]), from_="Seller+shop@Gmail.com")
    assert isinstance(by_owner(mail), OptOut)


@pytest.mark.parametrize("results", ["fail", "none"])
def test_a_trusted_address_that_is_not_proven_is_suspect(results: str) -> None:
    assert isinstance(by_owner(forward(gmail(NAMES["en"]), results=results)), Suspect)


def test_a_forward_by_a_stranger_is_suspect_and_names_him() -> None:
    verdict = judge(
        forward(gmail(NAMES["en"]), from_="Bob <bob@example.net>", header_from="example.net").render()
    )
    assert isinstance(verdict, Suspect)
    assert verdict.reason == Reason(Doubt.FORWARDED_BY_STRANGER, "bob@example.net")
    assert verdict.address == ALIAS


def test_a_notice_forwarded_more_than_once_is_suspect() -> None:
    names = NAMES["en"]
    once = "".join(
        f"<div>{name}: {escape(value)}</div>"
        for name, value in zip(names, values("b@shop.example"), strict=True)
    )
    verdict = by_owner(forward(once + gmail(names)))
    assert isinstance(verdict, Suspect)
    assert verdict.reason.doubt is Doubt.FORWARDED_AGAIN


@pytest.mark.parametrize("sender", ["auto-communication@amazon.com <mallory@evil.example>", "Mallory"])
def test_a_notice_inside_the_mail_of_an_unclear_sender_is_suspect(sender: str) -> None:
    names = NAMES["en"]
    once = "".join(
        f"<div>{name}: {escape(value)}</div>" for name, value in zip(names, values(sender), strict=True)
    )
    verdict = by_owner(forward(once + gmail(names)))
    assert isinstance(verdict, Suspect)
    assert verdict.reason.doubt is Doubt.FORWARDED_AGAIN


@pytest.mark.parametrize(
    ("above", "expected"),
    [
        ("Xxx: Mallory <mallory@evil.example>\nYyy: 10 Sep 2026", Suspect),
        ("On Thu, 10 Sep 2026 at 02:04, Mallory <mallory@evil.example> wrote:", Suspect),
        ("On 9/10/26 02:04, Mallory wrote:", Suspect),
        ("Am 10.09.26 um 02:04 schrieb Mallory:", Suspect),
        ("Op do 10 sep. 2026 schreef Mallory <\nmallory@evil.example>:", Suspect),
        ("El 10/09/26 Mallory escribió:", Suspect),
        ('---- Original Message ----\nFrom "Mallory" <mallory@evil.example>\nDate 10/09/2026', Suspect),
        ("Xxx auto-communication@amazon.it <auto-communication@amazon.it> <mallory@evil.example>", Suspect),
        ("გამომგზავნი: mallory@evil.example", Suspect),
        ("გამომგზავნი: mallory@evil.example <mallory@evil.example>", Suspect),
        ("გამომგზავნი: Mallory\nთემა: hello\nმიმღები: Anna\n\n---- Forwarded message ----", Suspect),
        ("Mallory იწერება 10/09/2026 02:04:", Suspect),
        ("Mallory, 2026年9月10日 2時04分", Suspect),
        ("Mallory kirjutas 10.9.2026 kell 2.04.50", Suspect),
        ("----- გადაგზავნილი ----- Mallory\nhello", Suspect),
        ('Xxx: Amazon.it <"auto-communication@amazon.com"@evil.example>', Suspect),
        ("Xxx: Amazon.it <auto-communication@amazon.com\U0001f600.ws>", Suspect),
        ("Xxx: Amazon.it <auto-communication@amazon.com@evil.example>", Suspect),
        ("Xxx: Amazon.it <auto-communication@amazon.com\u200b.evil.example>", Suspect),
        ("@Anna, @Bob: see below, bought @ home", OptOut),
        ("Inizio messaggio inoltrato:", OptOut),
        (
            "Ciao: aggiungi questo, ordine 406-1234508-7654301 del 10/09/2026.\n\nInizio messaggio inoltrato:",
            OptOut,
        ),
        (
            "Anna Verdi\nanna@shop.example\nTel.: 02 12.34.56.78\nWeb: www.shop.example\n______________",
            OptOut,
        ),
        ("----- Forwarded message from Amazon.it <auto-communication@amazon.com> -----", OptOut),
        ("Anna Verdi <Seller@gmail.com>", OptOut),
        ("E-mail: anna@shop.example<mailto:anna@shop.example>", OptOut),
        ("Anna Verdi\nE-mail: anna@shop.example <anna@shop.example>\nTel: 012345", OptOut),
    ],
)
def test_somebody_else_named_above_the_notice_makes_it_a_suspect(above: str, expected: type) -> None:
    lines = "\n".join(f"{name}: {value}" for name, value in zip(NAMES["en"], VALUES, strict=True))
    assert isinstance(by_owner(forward(text=f"{above}\n\n> {lines}\n\n{SAID}\n{ALIAS}\n")), expected)


# What is forwarded


OTHERS = [
    "Elio <abcd1234efgh567@marketplace.amazon.it>",
    "Tips <news@amazon.com.example.org>",
    "Amazon.it <auto-communication@amazon.com> b@example.net",
    "'Amazon.it' via Sellers <sellers@shop.example>",
    "Amazon.it <auto-communication@amazon.com> on behalf of Desk <desk@shop.example>",
    "Sellers <sellers@shop.example>",
    "Ginevra",
    # Addresses that contain one of Amazon's
    'Amazon.it <"auto-communication@amazon.com"@evil.example>',
    "Amazon.it <auto-communication@amazon.com@evil.example>",
    "Amazon.it <auto-communication@amazon.com\U0001f600.ws>",
    "Amazon.it <\U0001f600auto-communication@amazon.com>",
    "Amazon.it <auto-communication@\u0430mazon.com>",
    "Amazon.it <auto-communication@amazon.com\u200b.evil.example>",
    "Amazon.it <auto-communication@amazon.com\u202e.evil.example>",
    "Amazon.it <auto-communication@amazon.com/evil.example>",
    "Amazon.it <auto-communication@amazon.com>.evil.example",
    "Amazon.it <evil:auto-communication@amazon.com>",
    "Amazon.it <auto-communication@amazon.com%evil.example>",
    "Amazon.it <auto-communication@amazon.com.>",
    "Amazon.it <auto-communication@amazon.com\uff0eevil.example>",
    "auto-communication@amazon.com\uff20evil.example",
    "auto-communication@amazon.com <@evil.example>",
    "Amazon.it <@evil.example:auto-communication@amazon.com>",
]


@pytest.mark.parametrize("sender", OTHERS)
@pytest.mark.parametrize("subject", ["Fwd", "Fwd: " + SUBJECTS["it"]])
@pytest.mark.parametrize("client", CLIENTS, ids=lambda client: client.__name__)
def test_a_notice_passed_on_under_another_sender_blocks_nobody_and_is_not_lost(
    sender: str, subject: str, client: object
) -> None:
    mail = forward(client(NAMES["en"], sender), subject=subject)  # type: ignore[operator]  # a function above
    verdict = by_owner(mail)
    assert isinstance(verdict, Suspect), verdict
    assert verdict.order_id == ORDER
    assert isinstance(by_owner(mail.but(results="fail")), Suspect)
    assert not isinstance(judge(mail.render()), OptOut)
    lines = "\n".join(f"{name}: {value}" for name, value in zip(NAMES["en"], values(sender), strict=True))
    assert isinstance(by_owner(forward(text=f"{lines}\n\n{SAID}\n{ALIAS}\n", subject=subject)), Suspect)


@pytest.mark.parametrize(
    "sender",
    [
        "auto-communication@amazon.com",
        "Amazon.it <mailto:auto-communication@amazon.com>",
        "Amazon.it [mailto:auto-communication@amazon.com]",
        "Amazon.it [SMTP:Auto-Communication@Amazon.com]",
        "Amazon.it (auto-communication@amazon.com)",
        "'auto-communication@amazon.com' <auto-communication@amazon.com>",
        "Amazon.it<mailto:Auto-Communication@amazon.com> <auto-communication@amazon.com<mailto:x>>",
        "\u202bAmazon.it \u202a<\u200eauto-communication@amazon.com\u200e>\u202c",
        "*Amazon.it* <auto-communication@amazon.com>",
        "\u201cAmazon.it\u201d\uff1cauto-communication@amazon.com\uff1e",
    ],
)
def test_the_sender_is_known_in_every_form_that_programs_write(sender: str) -> None:
    lines = "\n".join(f"{name}: {value}" for name, value in zip(NAMES["en"], values(sender), strict=True))
    verdict = by_owner(forward(text=f"{lines}\n\n{SAID}\n{ALIAS}\n"))
    assert isinstance(verdict, OptOut), verdict
    assert verdict.address == ALIAS


def test_header_lines_with_two_senders_have_none() -> None:
    for senders in ((SENDER, "m@evil.example"), ("m@evil.example", SENDER)):
        text = (
            "".join(f"From: {each}\n" for each in senders) + f"Date: x\nSubject: {SUBJECTS['it']}\n\n{SAID}\n"
        )
        assert isinstance(by_owner(forward(text=text)), Suspect)


def test_an_address_beside_that_of_notices_is_another_address_of_amazons() -> None:
    for sender in ("xauto-communication@amazon.com", "evil.example/auto-communication@amazon.com"):
        verdict = by_owner(forward(gmail(NAMES["en"], f"Amazon <{sender}>")))
        assert isinstance(verdict, Suspect)
        assert verdict.reason == Reason(Doubt.OTHER_ADDRESS_OF_AMAZON, sender)


@pytest.mark.parametrize(
    "note", ["Da: ufficio Milano", "From: me\nTo: you", "From: the Milan office, today\n\nHi"]
)
def test_a_note_that_begins_like_header_lines_does_not_lose_the_notice_below(note: str) -> None:
    lines = "\n".join(f"{name}: {value}" for name, value in zip(NAMES["en"], VALUES, strict=True))
    text = f"Per la lista.\n{note}\n\n---------- Forwarded message ---------\n{lines}\n\n{SAID}\n{ALIAS}\n"
    for subject in ("Fwd: " + SUBJECTS["it"], "per la lista"):
        verdict = by_owner(forward(text=text, subject=subject))
        assert not isinstance(verdict, Unrelated), verdict
        assert verdict.address == ALIAS


def test_the_subject_of_a_notice_suffices_not_to_lose_what_is_passed_on() -> None:
    block = "From: Sellers <sellers@shop.example>\nDate: x\nSubject: {}\n\nNew words.\n"
    verdict = by_owner(forward(text=block.format(SUBJECTS["ja"]), subject="Fwd: look"))
    assert isinstance(verdict, Suspect)
    assert verdict.reason.doubt is Doubt.FORWARD_UNREADABLE
    assert by_owner(forward(text=block.format("look"), subject="Fwd: look")) == Unrelated(Kind.OTHER)


def test_a_notice_beside_another_attached_mail_of_amazons_is_not_lost() -> None:
    refund = Mail(html="<p>Rimborso</p>", type="REFUND_ISSUED")
    block = f"From: Sellers <sellers@shop.example>\nDate: x\nSubject: y\n\n{SAID}\n{ALIAS}\n"
    assert isinstance(by_owner(beside(block, refund)), Suspect)
    assert by_owner(beside("Ciao", refund)) == Unrelated(Kind.FORWARDED)


def test_a_forward_that_shows_only_the_name_of_amazon_is_suspect() -> None:
    verdict = by_owner(forward(gmail(NAMES["en"], "Amazon.it"), subject="Fwd"))
    assert isinstance(verdict, Suspect)
    assert verdict.reason.doubt is Doubt.FORWARD_WITHOUT_SENDER
    assert verdict.address == ALIAS


def test_an_address_without_a_name_may_be_the_name_that_a_stranger_chose() -> None:
    # Outlook shows only the names of people that it knows.
    lines = f"From: auto-communication@amazon.com\nSent: x\nTo: Anna\nSubject: {SUBJECTS['it']}"
    verdict = by_owner(forward(text=f"{lines}\n\n{SAID}\n{ALIAS}\n"))
    assert isinstance(verdict, Suspect)
    assert verdict.reason.doubt is Doubt.FORWARD_WITHOUT_SENDER


def test_a_line_of_a_note_that_begins_like_a_header_is_no_part_of_the_block() -> None:
    lines = "\n".join(f"{name}: {value}" for name, value in zip(NAMES["it"], VALUES, strict=True))
    assert isinstance(by_owner(forward(text=f"Da: ufficio Milano\n\n{lines}\n\n{SAID}\n{ALIAS}\n")), OptOut)


def test_one_line_in_which_a_stranger_put_more_names_is_not_taken_apart() -> None:
    for name in ("auto-communication@amazon.com To: x", "Amazon <auto-communication@amazon.com>Date: y"):
        line = f"----- Forwarded Message ----- From: {name} <m@evil.example>To: aSent: xSubject: {SUBJECTS['it']}"
        assert isinstance(by_owner(forward(text=f"{line}\n\n{SAID}\n{ALIAS}\n")), Suspect)


def test_another_sender_at_amazon_is_suspect() -> None:
    verdict = by_owner(forward(gmail(NAMES["en"], "Amazon <donotreply@amazon.com>")))
    assert isinstance(verdict, Suspect)
    assert verdict.reason.doubt is Doubt.OTHER_ADDRESS_OF_AMAZON


def test_a_forward_in_unknown_words_is_suspect_and_of_other_mail_unrelated() -> None:
    html = gmail(NAMES["de"]).replace(escape(SUBJECTS["it"]), "x")
    body = html.replace("scelto di non ricevere messaggi non richiesti", "keine unerwünschten Mails")
    assert isinstance(by_owner(forward(body)), Suspect)
    refund = re.sub(r"(?s)</div><br>.*", "</div><br>Il rimborso è partito.</div>", html)
    assert by_owner(forward(refund)) == Unrelated(Kind.FORWARDED)


def test_a_reply_is_no_forward() -> None:
    text = f"Why?\n\nOn Thu, 10 Sep 2026, Amazon.it <auto-communication@amazon.com> wrote:\n> {SAID}\n"
    for mark in ("Re", "AW", "R", "Antw"):
        assert by_owner(forward(text=text, subject=f"{mark}: {SUBJECTS['it']}")) == Unrelated(Kind.OTHER)


@pytest.mark.parametrize("mark", ["Re", "RE", "[EXT] AW", "Re[2]", "R", "Odp", "返信", "Re : Fwd"])
def test_a_reply_to_a_mail_with_made_up_header_lines_is_suspect(mark: str) -> None:
    lines = "\n".join(f"> {name}: {value}" for name, value in zip(NAMES["en"], VALUES, strict=True))
    mail = forward(
        text=f"Thanks!\n\nXxx Mallory, 10/9:\n{lines}\n>\n> {SAID}\n> {ALIAS}\n", subject=f"{mark}: hello"
    )
    verdict = by_owner(mail)
    assert isinstance(verdict, Suspect)
    assert verdict.reason.doubt is Doubt.REPLY
    assert all(
        isinstance(by_owner(mail.but(subject=f"{mark}: hello")), OptOut) for mark in ("Fwd", "VS", "I", "TR")
    )


@pytest.mark.parametrize(
    "mark",
    ["On 10 Sep 2026, Amazon wrote:", "---- Forwarded ----\nXxx: Amazon <auto-communication@amazon.it>"],
)
def test_a_forward_under_unknown_header_lines_is_suspect_from_somebody_trusted(mark: str) -> None:
    mail = forward(text=f"{mark}\n\n> {SAID}\n> {ALIAS}\n", subject=f"Tr: {SUBJECTS['it']}")
    verdict = by_owner(mail)
    assert isinstance(verdict, Suspect)
    assert verdict.address == ALIAS


def test_a_forward_under_the_subject_of_a_notice_is_suspect_even_without_its_text() -> None:
    body = b"--b\nContent-Type: application/vnd.ms-outlook; name=x.msg\n\n\xd0\xcf\x11\xe0\n--b--\n"
    mail = forward(body=body, content_type="multipart/mixed; boundary=b")
    assert isinstance(by_owner(mail), Suspect)
    assert isinstance(judge(mail.render()), Unrelated)
    assert isinstance(by_owner(mail.but(subject="Re: " + SUBJECTS["it"])), Unrelated)


def test_the_words_of_a_notice_without_any_header_lines_are_suspect_from_somebody_trusted() -> None:
    mail = forward(text=f"Please add:\n\n{SAID}\n", subject="Opt-out")
    assert isinstance(by_owner(mail), Suspect)
    assert judge(mail.render()) == Unrelated(Kind.OTHER)


def test_a_from_without_other_header_lines_is_no_forward() -> None:
    text = f"From: Amazon <auto-communication@amazon.com>\n\n{SAID}"
    assert isinstance(by_owner(forward(text=text, subject="x")), Suspect)


# Attached mails


def attached(*mails: Mail, kind: str = "message/rfc822", **changes: object) -> Mail:
    body = b"--b\nContent-Type: text/plain\n\nSee attached.\n"
    for mail in mails:
        body += f'--b\nContent-Type: {kind}\nContent-Disposition: attachment; filename="x.eml"\n\n'.encode()
        body += mail.render().replace(b"\r\n", b"\n") + b"\n"
    return forward(body=body + b"--b--\n", content_type="multipart/mixed; boundary=b").but(**changes)


@pytest.mark.parametrize(
    "kind",
    ["message/rfc822", "message/global", "application/octet-stream; name=x.eml", "text/plain; name=x.eml"],
)
def test_an_attached_notice_is_taken_whole(kind: str) -> None:
    verdict = by_owner(attached(notice(type=None, message_id="<notice@amazonses.com>"), kind=kind))
    assert isinstance(verdict, OptOut), verdict
    assert (verdict.address, verdict.message_id) == (ALIAS, "notice@amazonses.com")


def test_an_attached_notice_may_have_its_name_in_encoded_words() -> None:
    mail = attached(notice(), kind="application/octet-stream")
    assert mail.body is not None
    body = mail.body.replace(b'"x.eml"', b'"=?UTF-8?B?b3B0LW91dC5lbWw=?="')
    assert isinstance(by_owner(mail.but(body=body)), OptOut)


def beside(text: str, mail: Mail) -> Mail:
    """The mail, attached to one of the owner's that says this."""
    outer = attached(mail)
    assert outer.body is not None
    return outer.but(body=outer.body.replace(b"See attached.", text.encode()))


def test_an_attached_notice_goes_before_the_text() -> None:
    text = (
        f"From: {SENDER}\nDate: x\nSubject: {SUBJECTS['it']}\n\n{SAID.replace(ORDER, '402-0000000-1111111')}"
    )
    verdict = by_owner(beside(text, notice()))
    assert isinstance(verdict, OptOut)
    assert verdict.order_id == ORDER


def test_a_notice_attached_to_a_strangers_mail_that_is_forwarded_is_suspect() -> None:
    verdict = by_owner(beside("From: Mallory <m@evil.example>\nDate: x\nSubject: y\n\nHello", notice()))
    assert isinstance(verdict, Suspect)
    assert verdict.reason.doubt is Doubt.FORWARDED_AGAIN


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("გამომგზავნი: Mallory <m@evil.example>\nთარიღი: 10/09\nთემა: y\n\nHello", Suspect),
        ("Per la lista: vedi allegato.\n\nAnna Verdi\nTel.: 02 1234567", OptOut),
    ],
)
def test_a_notice_attached_to_a_mail_under_unknown_header_lines_is_suspect(text: str, expected: type) -> None:
    assert isinstance(by_owner(beside(text, notice())), expected)


def received(*headers: str) -> Verdict:
    """What becomes of an attached notice with these headers of servers above its own."""
    raw = notice(type=None, results=None).render()
    own = raw[raw.index(b"DKIM-Signature") :].replace(b"\r\n", b"\n")
    body = b"--b\nContent-Type: message/rfc822\n\n" + "".join(f"{it}\n" for it in headers).encode() + own
    return by_owner(forward(body=body + b"\n--b--\n", content_type="multipart/mixed; boundary=b"))


BY_GMAIL = (
    "Received: by 2002:a05:6f02::1 with SMTP id k12",
    "Received: from a4-21.smtp-out.amazonses.com by mx.google.com with ESMTPS id ff",
)
PASSED = "Authentication-Results: mx.google.com; dmarc=pass header.from=amazon.com"
SIGNED = "dkim=pass header.d=amazonses.com; dkim=pass (2048-bit key) header.d=amazon.com header.i=@amazon.com"


@pytest.mark.parametrize(
    "headers",
    [
        (PASSED,),
        (*BY_GMAIL, PASSED),
        (*BY_GMAIL, PASSED, "Authentication-Results: evil.example; none"),
        ("Received: by 10.0.0.7 with SMTP", *BY_GMAIL, PASSED, "Received: from x by relay.example", PASSED),
        (*BY_GMAIL, PASSED, "Authentication-Results: relay.example; dmarc=pass header.from=amazon.com"),
        ("Authentication-Results: mx.shop.co.uk; spf=softfail", f"Authentication-Results: mx.shop.co.uk; {SIGNED}"),
        (
            "Received: by imap.shop.co.uk (Cyrus)",
            "Received: from localhost by localhost (amavis)",
            "Received: from x.example by mx.shop.co.uk (Postfix)",
            f"Authentication-Results: mx.shop.co.uk 1; {SIGNED}; spf=none",
        ),
        (
            "Received: from c1.internal by s1 (Cyrus)",
            "Received: from m1 by m1.nyi.internal (Postfix)",
            "Received: from x.example by m1.shop.example (Postfix)",
            f"Authentication-Results: m1.shop.example; {SIGNED}; dmarc=pass header.from=amazon.com",
        ),
        (
            "Received: from a.example by AM0PR01.eurprd01.prod.exchangelabs.com with HTTPS",
            "Received: from b.example by DB8.eurprd01.prod.outlook.office365.com with HTTPS",
            "Authentication-Results: spf=pass smtp.mailfrom=x;dmarc=pass action=none header.from=amazon.com;compauth=x",
        ),
    ],
)  # fmt: skip
def test_an_attached_notice_counts_where_the_server_that_received_it_vouches_for_it(
    headers: tuple[str, ...],
) -> None:
    verdict = received(*headers)
    assert isinstance(verdict, OptOut), verdict


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ((), Doubt.NO_FIRST_CHECK),
        (BY_GMAIL, Doubt.NO_FIRST_CHECK),
        (("Authentication-Results: mx.shop.example; dkim=none; spf=softfail",), Doubt.NO_FIRST_CHECK),
        (("Authentication-Results: mx.shop.example; none",), Doubt.NO_FIRST_CHECK),
        (("Authentication-Results: x; dkim=pass header.d=evil.example",), Doubt.NO_FIRST_CHECK),
        (("Authentication-Results: x; dkim=pass header.d=notamazon.com",), Doubt.NO_FIRST_CHECK),
        (("Authentication-Results: x; dkim=fail header.d=amazon.com",), Doubt.NO_FIRST_CHECK),
        (("Authentication-Results: x; dkim=pass header.d=amazon.com; dkim=fail header.d=x.y",), Doubt.NO_FIRST_CHECK),
        (("Authentication-Results: x; dkim=pass header.d=x.y; other=pass header.d=amazon.com",), Doubt.NO_FIRST_CHECK),
        (("Authentication-Results: x; dkim=pass header.b=amazon.com",), Doubt.NO_FIRST_CHECK),
        (('Authentication-Results: x; y="; dkim=fail; y="; dkim=pass header.d=amazon.com',), Doubt.NO_FIRST_CHECK),
        (("Authentication-Results: x; spf=pass smtp.mailfrom=amazon.com",), Doubt.NO_FIRST_CHECK),
        (("Authentication-Results: x; dmarc=none header.from=amazon.com; " + SIGNED,), Doubt.FAILED_FIRST_CHECK),
        (("Authentication-Results: x; dmarc=fail header.from=amazon.com; " + SIGNED,), Doubt.FAILED_FIRST_CHECK),
        (("Authentication-Results: x; dmarc=temperror header.from=amazon.com",), Doubt.FAILED_FIRST_CHECK),
        (("Authentication-Results: x; dmarc=pass header.from=evil.example",), Doubt.FAILED_FIRST_CHECK),
        (("Authentication-Results: dmarc=fail header.from=amazon.com",), Doubt.FAILED_FIRST_CHECK),
        (("Authentication-Results: x; dmarc=fail header.from=amazon.com", PASSED), Doubt.FAILED_FIRST_CHECK),
        ((PASSED, "Authentication-Results: x; dmarc=fail header.from=amazon.com"), Doubt.FAILED_FIRST_CHECK),
        (("Received: from evil.example by mx.shop.example with ESMTP", PASSED), Doubt.NO_FIRST_CHECK),
        (("Received: from evil.example by 10.1.2.3 with ESMTP", PASSED), Doubt.NO_FIRST_CHECK),
        (("Received: from evil.example by mx with ESMTP", PASSED), Doubt.NO_FIRST_CHECK),
        (("Received: (qmail 1 invoked by uid 1)", PASSED), Doubt.NO_FIRST_CHECK),
        (("Received: by mx.google.com.evil.example with ESMTP", PASSED), Doubt.NO_FIRST_CHECK),
        ((*BY_GMAIL, "Received: from x by evil.example", PASSED), Doubt.NO_FIRST_CHECK),
        (
            ("Authentication-Results: mx.google.com; dkim=none", "Received: from evil by mx.google.com", PASSED),
            Doubt.NO_FIRST_CHECK,
        ),
        (("ARC-Authentication-Results: i=1; mx.google.com; dmarc=pass header.from=amazon.com",), Doubt.NO_FIRST_CHECK),
        (
            ("Received: from x by evil.co.uk", f"Authentication-Results: mx.shop.co.uk; {SIGNED}"),
            Doubt.NO_FIRST_CHECK,
        ),
    ],
)  # fmt: skip
def test_an_attached_notice_that_no_server_vouches_for_is_suspect(
    headers: tuple[str, ...], expected: Doubt
) -> None:
    verdict = received(*headers)
    assert isinstance(verdict, Suspect), verdict
    assert verdict.reason.doubt is expected


def test_the_type_of_an_attached_mail_is_heard_but_does_not_suffice() -> None:
    assert by_owner(attached(notice(type="REFUND_ISSUED"))) == Unrelated(Kind.FORWARDED)
    unknown = notice(sentence="Xabar {order} yetkazilmadi.", subject="Xabar")
    verdict = by_owner(attached(unknown))
    assert isinstance(verdict, Suspect)
    assert verdict.reason.doubt is Doubt.FORWARD_OF_NEW_TEXT


def test_a_new_type_of_an_attached_notice_makes_it_a_suspect() -> None:
    verdict = by_owner(attached(notice(type="SOMETHING_NEW")))
    assert isinstance(verdict, Suspect)
    assert verdict.reason.doubt is Doubt.NEW_TYPE
    other = notice(type="SOMETHING_NEW", subject="x", html="<p>New.</p>")
    assert isinstance(by_owner(attached(other, subject="x")), Unrelated)
    assert isinstance(by_owner(attached(notice(type=OPT_OUT))), OptOut)


def test_several_attached_notices_are_suspect_but_other_mail_beside_one_is_not() -> None:
    other = notice(alias="otherbuyer12345@marketplace.amazon.it", order="402-0000000-1111111")
    assert isinstance(by_owner(attached(notice(), other)), Suspect)
    refund = Mail(html="<p>Rimborso</p>", type="REFUND_ISSUED")
    assert isinstance(by_owner(attached(refund, notice())), OptOut)
    assert by_owner(attached(refund, refund)) == Unrelated(Kind.FORWARDED)


def test_a_notice_in_an_attached_mail_that_is_not_amazons_is_not_lost() -> None:
    rewritten = notice(from_="'Amazon.it' via Sellers <sellers@shop.example>")
    for mail in (rewritten, rewritten.but(subject="x"), rewritten.but(html="<p>New words.</p>")):
        assert isinstance(by_owner(attached(mail, subject="x")), Suspect)
    other = rewritten.but(subject="x", html="<p>New words.</p>")
    assert by_owner(attached(other, subject="x")) == Unrelated(Kind.OTHER)
    assert isinstance(
        by_owner(attached(attached(rewritten, from_="Bob <b@example.net>", subject="x"), subject="x")),
        Suspect,
    )


def test_an_attached_notice_with_headers_without_end_is_suspect() -> None:
    verdict = by_owner(attached(notice(extra=("X-Filler: " + "x" * 300_000,))))
    assert isinstance(verdict, Suspect)
    assert verdict.reason.doubt is Doubt.HEADERS_TOO_LONG


def test_a_stranger_who_attaches_a_notice_is_suspect() -> None:
    mail = attached(notice(), from_="Bob <bob@example.net>", header_from="example.net")
    assert isinstance(judge(mail.render()), Suspect)
