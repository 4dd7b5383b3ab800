"""What makes a mail a notice, and what does not."""

from datetime import UTC, date, datetime
from html import escape

import pytest
from building import ADVICE, GREETINGS, OPT_OUT, SENTENCES, SUBJECTS, Mail, notice, page

from worker.notices.doubts import Doubt, Reason
from worker.notices.judge import judge
from worker.notices.model import Kind, OptOut, Suspect, Unrelated, Verdict

ALIAS = "k4q8z1x7c3v9b2n@marketplace.amazon.it"
ORDER = "406-1234508-7654301"
SAID = SENTENCES["en"].format(order="111-1234508-7654301")


def opt_out(mail: Mail | bytes) -> OptOut:
    verdict = judge(mail if isinstance(mail, bytes) else mail.render())
    assert isinstance(verdict, OptOut), verdict
    return verdict


def suspect(mail: Mail | bytes) -> Suspect:
    verdict = judge(mail if isinstance(mail, bytes) else mail.render())
    assert isinstance(verdict, Suspect), verdict
    return verdict


def is_opt_out(mail: Mail | bytes) -> bool:
    return opt_out(mail) is not None


def doubt(mail: Mail | bytes) -> Doubt:
    return suspect(mail).reason.doubt


def is_suspect(mail: Mail | bytes) -> bool:
    return suspect(mail) is not None


def unrelated(mail: Mail | bytes) -> Kind:
    verdict = judge(mail if isinstance(mail, bytes) else mail.render())
    assert isinstance(verdict, Unrelated), verdict
    return verdict.kind


def without_type(*paragraphs: str, subject: str = "Your messages", **changes: object) -> Mail:
    """A mail that Gmail received from the sender of notices, without a type."""
    return Mail(
        from_="Amazon <auto-communication@amazon.com>",
        type=None,
        subject=subject,
        html=page(list(paragraphs)),
    ).but(**changes)


def test_a_notice_states_everything_it_knows() -> None:
    assert opt_out(notice(day="9 settembre 2026", message_id="<abc@eu-west-1.amazonses.com>")) == OptOut(
        address=ALIAS,
        order_id=ORDER,
        marketplace="amazon.it",
        sent_on=date(2026, 9, 9),
        language="it",
        message_id="abc@eu-west-1.amazonses.com",
        dated=datetime(2026, 9, 10, 0, 4, 50, tzinfo=UTC),
    )


# The order of trust


def test_the_type_header_decides_whatever_the_language() -> None:
    mail = notice(sentence="Xabar {order} yetkazilmadi.", subject="Xabar", tld="de", alias=None)
    assert opt_out(mail).order_id == ORDER
    assert opt_out(mail).language is None


def test_another_type_is_unrelated_even_with_the_words_of_a_notice() -> None:
    assert unrelated(notice(type="BBC_MESSAGE_CONFIRMATION_TO_MERCHANT")) is Kind.COPY
    assert unrelated(notice(type="REFUND_ISSUED", extra=("X-Space-Notification-Type: NEW",))) is Kind.REFUND
    assert unrelated(notice(type="NEW", extra=("X-Space-Notification-Type: REFUND_ISSUED",))) is Kind.REFUND
    assert unrelated(notice(type="NEW", from_="Amazon <donotreply@amazon.it>")) is Kind.NOTIFICATION


@pytest.mark.parametrize("kind", ["BUYER_OPTED_OUT_BSM_MESSAGE", "SOMETHING_NEW"])
def test_a_new_type_from_who_sends_notices_is_suspect_where_the_words_are_those_of_a_notice(
    kind: str,
) -> None:
    mail = notice(type=kind)
    assert doubt(mail) is Doubt.NEW_TYPE
    assert suspect(mail).address == ALIAS
    assert doubt(mail.but(html=page(["New."]))) is Doubt.NEW_TEXT
    said = f"Wir konnten Ihre Nachricht zur Bestellung {ORDER} nicht zustellen."
    assert doubt(mail.but(subject="x", html=page([said]))) is Doubt.NEW_SENTENCE
    assert unrelated(mail.but(subject="x", html=page([f"New: {ORDER}."]))) is Kind.NOTIFICATION
    assert doubt(mail.but(results="fail")) is Doubt.DMARC_FAILED


def test_a_type_that_is_written_strangely_is_suspect() -> None:
    assert doubt(notice(type=OPT_OUT.lower())) is Doubt.UNUSUAL_TYPE


def test_a_type_in_encoded_words_is_what_it_decodes_to() -> None:
    assert opt_out(notice(type="=?utf-8?q?BUYER=5FOPTED=5FOUT=5FBSM=5FMESSAGES?=")).address == ALIAS


def test_an_empty_type_counts_as_none() -> None:
    assert opt_out(notice(type="")).address == ALIAS


def test_the_type_may_come_from_any_sender_at_amazon() -> None:
    assert opt_out(notice(from_="Amazon <whoever@amazon.co.uk>")).address == ALIAS


def test_the_sentence_counts_from_the_senders_of_notices_only() -> None:
    mail = notice(type=None, from_="Amazon <donotreply@amazon.it>")
    assert suspect(mail).reason == Reason(Doubt.OTHER_ADDRESS_OF_AMAZON, "donotreply@amazon.it")


def test_a_reason_that_contradicts_the_type_is_suspect() -> None:
    mail = notice(
        "en", sentence="We were unable to deliver the message you sent for order [{order}]: links in it."
    )
    assert doubt(mail) is Doubt.OTHER_REASON


def test_both_halves_are_needed() -> None:
    first, second = SAID.split("because")
    assert unrelated(without_type("Dear Seller,", first, subject=SUBJECTS["en"])) is Kind.OTHER_OF_AMAZON
    assert unrelated(without_type("Dear Seller,", "because" + second)) is Kind.OTHER_OF_AMAZON


def test_the_reason_alone_is_suspect_in_a_mail_about_one_order_from_who_sends_notices() -> None:
    first, second = SAID.split("because")
    for halves in (
        (first, "so " * 300, "because" + second),
        ("Message for 111-1234508-7654301 because" + second,),
    ):
        mail = without_type("Dear Seller,", *halves)
        assert doubt(mail) is Doubt.HALF_A_SENTENCE
        assert unrelated(mail.but(from_="Amazon <store-news@amazon.com>")) is Kind.OTHER_OF_AMAZON
        assert unrelated(mail.but(results=None)) is Kind.OTHER_OF_AMAZON


def test_the_subject_may_be_the_half_that_says_not_delivered() -> None:
    mail = without_type(
        "Dear Seller,", "because" + SAID.split("because")[1], subject=SUBJECTS["en"] + " (Order 111)"
    )
    assert (
        opt_out(mail.but(html=mail.html.replace("Dear Seller", "Order 111-1234508-7654301"))).language == "en"
    )


def test_a_subject_with_further_words_is_none_of_a_notice() -> None:
    later = "x " * 200
    mail = without_type(
        later, "because" + SAID.split("because")[1], subject=SUBJECTS["en"] + " - here is what to do"
    )
    assert unrelated(mail) is Kind.OTHER_OF_AMAZON
    assert unrelated(mail.but(subject=SUBJECTS["en"] + ": how to avoid it")) is Kind.OTHER_OF_AMAZON


def test_new_words_under_a_known_subject_are_suspect() -> None:
    assert doubt(without_type("Something else.", subject=SUBJECTS["en"])) is Doubt.NEW_TEXT


def test_a_sentence_far_below_the_beginning_may_be_quoted() -> None:
    mail = without_type("Here is a copy of what you sent to Kim about the order of Tuesday. " * 4, SAID)
    assert doubt(mail) is Doubt.MAY_BE_QUOTED
    assert opt_out(mail.but(subject=SUBJECTS["en"])).order_id == "111-1234508-7654301"


@pytest.mark.parametrize(
    "introduction",
    [
        "Here is a copy of the e-mail that you sent to Kim. He says ",
        "Here is what you sent to Kim about his order of Tuesday: ",
        "購入者に送信したメッセージの写しです。",
        "Message:",
        "Order ID 111-1234508-7654301: ",
        "Copy of your message to Kim",
        "送信したメッセージ：",  # noqa: RUF001 - a wide colon
        "'",
    ],
)
def test_words_of_amazons_before_the_sentence_may_introduce_what_the_seller_wrote(introduction: str) -> None:
    assert doubt(without_type(introduction + SAID)) is Doubt.MAY_BE_QUOTED


@pytest.mark.parametrize("greeting", ["", "Dear Seller,", "Dear Seller:", "amazon seller central Hello"])
def test_a_greeting_before_the_sentence_is_as_it_should_be(greeting: str) -> None:
    assert opt_out(without_type(greeting, SAID)).order_id == "111-1234508-7654301"


# The mail's own text


@pytest.mark.parametrize(
    "quoted",
    [
        "<blockquote>{}</blockquote>",
        '<div class="gmail_quote">{}</div>',
        '<p title="{}">hello</p>',
        '<img alt="{}">',
        '<a href="https://example.com/?q={}">hello</a>',
        "<div hidden>{}</div>",
        "<!-- {} -->",
        "<style>{}</style>",
        "He was told: “{}”",
        'He was told: "Dear Seller, {}"',
        "On Thu, 10 Sep 2026 at 02:04, Amazon wrote:<br>{}",
        "---------- Forwarded message ---------<br>{}",
        "------------- Begin message -------------<br>{}",
        "From: Amazon &lt;auto-communication@amazon.com&gt;<br>Subject: x<br><br>{}",
    ],
)
def test_what_is_quoted_is_not_said(quoted: str) -> None:
    assert unrelated(without_type(quoted.format(SAID))) is Kind.OTHER_OF_AMAZON


def test_lines_behind_a_quotation_mark_are_not_said() -> None:
    text = f"Hello,\n\n> {SAID}\n"
    assert unrelated(without_type().but(html="", text=text)) is Kind.OTHER_OF_AMAZON


def test_a_wrapped_line_with_invisible_signs_is_the_same_sentence() -> None:
    text = (
        SAID.replace("message", "mes\u00adsage")
        .replace("buyer has", "buyer\u00a0has")
        .replace("opt out", "opt\nout")
    )
    assert opt_out(without_type().but(html="", text=f"Dear Seller,\n{text}\n")).language == "en"


# Genuine or not


@pytest.mark.parametrize(
    "results",
    [
        'mx.google.com; dmarc=pass header.from="amazon.com"',
        "mx.google.com 1; dmarc=pass (p=QUARANTINE (nested) dis=NONE) header.from=AMAZON.com;",
        'MX.Google.com; spf=none (a;b) smtp.mailfrom="x;dmarc=pass"@y.example; dmarc=pass header.from=amazon.com',
        "mx.google.com; (comment) dmarc=pass header.from=amazon.com",
        "mx.google.com; arc=pass (i=1 dmarc=pass fromdomain=x.example); dmarc=pass header.from=amazon.com; dara=pass",
    ],
)
def test_results_are_read_in_every_spelling(results: str) -> None:
    assert is_opt_out(notice(results=None, above=(f"Authentication-Results: {results}",)))


@pytest.mark.parametrize(
    ("results", "expected"),
    [
        ("mx.google.com; none", Doubt.NO_DMARC),
        ("mx.google.com; dkim=pass header.i=@amazon.com", Doubt.NO_DMARC),
        (
            'mx.google.com; spf=pass smtp.mailfrom="a;dmarc=pass header.from=amazon.com"@evil.example',
            Doubt.NO_DMARC,
        ),
        ("mx.google.com; dmarc=fail header.from=amazon.com", Doubt.DMARC_FAILED),
        (
            "mx.google.com; dmarc=pass header.from=amazon.com; dmarc=fail header.from=amazon.com",
            Doubt.DMARC_FAILED,
        ),
        (
            "mx.google.com; dmarc=fail header.from=amazon.com; dmarc=pass header.from=amazon.com",
            Doubt.DMARC_FAILED,
        ),
        (
            "mx.google.com; dmarc=pass header.from=amazon.com; dmarc=none; dmarc=pass header.from=amazon.com",
            Doubt.DMARC_FAILED,
        ),
        (
            "mx.google.com; dmarc=fail header.from=evil.example; dmarc=pass header.from=amazon.com",
            Doubt.DMARC_FAILED,
        ),
        (
            "mx.google.com; dmarc=pass header.from=evil.example; dmarc=pass header.from=amazon.com",
            Doubt.OTHER_SENDER_VERIFIED,
        ),
        ("mx.google.com; dmarc=pass header.from=amazon.com; dmarc=pass", Doubt.OTHER_SENDER_VERIFIED),
        ("mx.google.com; dmarc=pass; dmarc=pass header.from=amazon.com", Doubt.OTHER_SENDER_VERIFIED),
        ("mx.google.com; dmarc=pass", Doubt.OTHER_SENDER_VERIFIED),
        ("mx.google.com; dmarc=pass header.from=evil.example", Doubt.OTHER_SENDER_VERIFIED),
        (
            "mx.google.com; dmarc=pass header.from=amazon.com; dmarc=pass header.from=evil.example",
            Doubt.OTHER_SENDER_VERIFIED,
        ),
        ("mx.google.com; dmarc=pass header.from=amazon.com.", Doubt.OTHER_SENDER_VERIFIED),
        ("mx.google.com; dmarc", Doubt.RESULTS_UNREADABLE),
        (
            'mx.google.com; x="; dmarc=fail header.from=amazon.com; x="; dmarc=pass header.from=amazon.com',
            Doubt.RESULTS_CONTRADICT,
        ),
        (
            'mx.google.com; x="; dmarc=pass header.from=evil.example; x="; dmarc=pass header.from=amazon.com',
            Doubt.RESULTS_CONTRADICT,
        ),
        ("mx.google.com; " + "(" * 3000, Doubt.RESULTS_UNREADABLE),
        ("mx.google.com.evil.example; dmarc=pass header.from=amazon.com", Doubt.NOT_CHECKED),
        ("", Doubt.NOT_CHECKED),
    ],
)
def test_results_that_do_not_vouch_for_the_sender_make_a_suspect(results: str, expected: Doubt) -> None:
    mail = notice(results=None, above=(f"Authentication-Results: {results}",))
    assert doubt(mail) is expected


def test_only_the_topmost_results_count() -> None:
    passed = "Authentication-Results: mx.google.com; dmarc=pass header.from=amazon.com"
    failed = "Authentication-Results: mx.google.com; dmarc=fail header.from=amazon.com"
    assert is_suspect(notice(results=None, above=(failed, passed)))
    assert is_opt_out(notice(results=None, above=(passed, failed)))


def test_results_below_another_servers_trace_came_with_the_mail() -> None:
    brought = "Authentication-Results: mx.google.com; dmarc=pass header.from=amazon.com"
    trace = "Received: from evil.example by relay.example with ESMTP"
    assert is_suspect(notice(results=None, above=(trace, brought)))
    for inside in ("2002:a05:6f02:c8c:b0:5a:1f2e:3d4c", "10.223.147.199"):
        hop = f"Received: by {inside} with SMTP id k12csp1234567rwd; Wed, 9 Sep 2026 17:04:52 -0700 (PDT)"
        assert is_opt_out(notice(results=None, above=(hop, brought)))


@pytest.mark.parametrize(
    "trace",
    [
        "from evil.example (203.0.113.9) by 10.1.2.3 with SMTP id k12csp1234567rwd; Wed, 9 Sep 2026",
        "from evil.example by 2002:a05:6f02:c8c:b0:5a:1f2e:3d4c with SMTP id k12csp1234567rwd",
        "by 10.1.2.3 (Postfix, from userid 1000) id 4F2A",
        "by 203.0.113.9 with SMTP id k12csp1234567rwd",
        "from evil.example (203.0.113.9) by [198.51.100.7] with ESMTP",
        "(qmail 1234 invoked from network); 10 Sep 2026 00:04:50 -0000",
        "from evil.example; Thu, 10 Sep 2026 00:04:50 +0000",
        "by mx.google.com.relay.example with ESMTP",
        "",
    ],
)
def test_results_below_a_trace_without_a_name_of_gmails_came_with_the_mail(trace: str) -> None:
    brought = "Authentication-Results: mx.google.com; dmarc=pass header.from=amazon.com"
    mail = notice(results=None, above=(f"Received: {trace}", brought))
    assert doubt(mail) is Doubt.NOT_CHECKED


EXCHANGE = (
    "spf=pass (sender IP is 54.240.4.21) smtp.mailfrom=bounces.amazon.com; dkim=pass (signature was verified)\n"
    " header.d=amazon.com;dmarc={} action=none header.from=amazon.com;compauth=pass reason=100"
)


def by_exchange(server: str, dmarc: str = "pass", authserv_id: str = "outlook.com") -> Verdict:
    above = (
        f"Received: from mx.example ([2603:10a6::1]) by {server} with HTTPS; Thu, 10 Sep 2026 00:04:53 +0000",
        f"Authentication-Results: {EXCHANGE.format(dmarc)}",
    )
    return judge(notice(above=above, results=None).render(), authserv_id=authserv_id)


def test_exchange_online_vouches_without_its_name() -> None:
    assert isinstance(by_exchange("db8pr01mb1.eurprd01.prod.outlook.com"), OptOut)
    assert isinstance(by_exchange("dbbpr09ca0047.outlook.office365.com"), OptOut)
    assert isinstance(by_exchange("VI1PR04MB1.eurprd04.prod.exchangelabs.com"), OptOut)
    for other in ("mail.example", "outlook.com.example.org", "myoffice365.com", "10.167.242.43"):
        assert isinstance(by_exchange(other), Suspect)
    assert isinstance(by_exchange("db8pr01mb1.eurprd01.prod.outlook.com", "fail"), Suspect)
    assert isinstance(
        by_exchange("db8pr01mb1.eurprd01.prod.outlook.com", authserv_id="mx.google.com"), Suspect
    )
    assert isinstance(by_exchange("db8pr01mb1.eurprd01.prod.outlook.com", authserv_id="mx.example"), Suspect)


def test_another_server_can_be_the_one_that_vouches() -> None:
    mail = notice(authserv_id="mx.example.org", above=("Received: from a by relay.example.org",))
    assert isinstance(judge(mail.render(), authserv_id="mx.example.org"), OptOut)
    assert isinstance(judge(mail.render()), Suspect)


@pytest.mark.parametrize(
    "sender",
    [
        "auto-communication@amazon.com, b@evil.example",
        "Amazon: auto-communication@amazon.com;",
        "auto-communication@amazon.com (Amazon)",
        '"auto-communication"@amazon.com',
        "<auto-communication@amazon.com> evil",
        "Amazon <auto-communication@amazon.com",
        "=?utf-8?q?x=40amazon=2Ecom?= <auto-communication@amazon.com>",
        "Amazon <auto-communication@amazon..com>",
        "x" * 1001 + " <auto-communication@amazon.com>",
        "",
    ],
)
def test_a_sender_that_two_programs_may_read_differently_is_suspect(sender: str) -> None:
    assert is_suspect(notice(from_=sender, header_from="amazon.com"))


def test_a_mail_without_sender_is_suspect() -> None:
    raw = notice().render()
    start = raw.index(b"\r\nFrom:")
    assert doubt(raw[:start] + raw[raw.index(b"\r\n", start + 2) :]) is Doubt.NO_SENDER


def test_headers_without_end_are_suspect() -> None:
    assert doubt(notice(extra=("X-Filler: " + "x" * 300_000,))) is Doubt.HEADERS_TOO_LONG


# Clues


def test_a_notice_without_buyer_and_order_is_suspect() -> None:
    assert doubt(notice(alias=None, order="0")) is Doubt.NO_BUYER


def test_several_buyers_or_orders_are_suspect() -> None:
    more = '<a href="mailto:otherbuyer12345@marketplace.amazon.it">x</a>'
    mail = notice()
    several = mail.html.replace("</table>", f"<tr><td>{more}", 1)
    assert doubt(mail.but(html=several)) is Doubt.SEVERAL_BUYERS
    other = notice(sentence=SENTENCES["it"] + " E [402-0000000-1111111].")
    assert doubt(other) is Doubt.SEVERAL_ORDERS


def test_an_order_beside_the_sentence_goes_before_others_in_the_mail() -> None:
    mail = notice()
    far = "<p>" + "testo " * 80 + "402-0000000-1111111</p>"
    assert opt_out(mail.but(html=mail.html.replace("&copy;", far))).order_id == ORDER


def test_an_order_in_a_url_counts_only_where_no_other_is_named() -> None:
    url = "https://sellercentral.amazon.it/orders/402-0000000-1111111"
    assert opt_out(notice(sentence=SENTENCES["it"] + f" {url}")).order_id == ORDER
    assert opt_out(notice(order=url, alias=None)).order_id == "402-0000000-1111111"


def test_an_order_in_the_subject_is_better_than_none() -> None:
    mail = notice("en", alias=None, order="0", subject=SUBJECTS["en"] + " (Order: 111-1234508-7654301)")
    assert opt_out(mail).order_id == "111-1234508-7654301"


@pytest.mark.parametrize(
    ("marketplace_id", "alias", "sender", "expected"),
    [
        ("A1PA6795UKMFR9", ALIAS, '"Amazon.fr" <auto-communication@amazon.es>', "amazon.de"),
        ("UNKNOWN", ALIAS, '"Amazon.fr" <auto-communication@amazon.es>', "amazon.it"),
        (None, None, '"Amazon.fr" <auto-communication@amazon.es>', "amazon.fr"),
        (None, None, "Amazon <auto-communication@amazon.es>", "amazon.es"),
    ],
)
def test_the_marketplace_is_the_most_certain_one(
    marketplace_id: str | None, alias: str | None, sender: str, expected: str
) -> None:
    assert opt_out(notice(marketplace_id=marketplace_id, alias=alias, from_=sender)).marketplace == expected


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("9 settembre 2026", date(2026, 9, 9)),
        ("9 set 2026", date(2026, 9, 9)),
        ("September 9th, 2026", date(2026, 9, 9)),
        ("2026-09-09", date(2026, 9, 9)),
        ("2026年9月9日", date(2026, 9, 9)),
        ("09.10.2026", date(2026, 10, 9)),
        ("Wed Sep 09 22:04:50 UTC 2026", date(2026, 9, 9)),
        ("31 settembre 2026", None),
        ("9 pippo 2026", None),
        ("9 settembre 2026 o 10 settembre 2026", None),
        ("ieri", None),
    ],
)
def test_the_day_is_kept_where_the_notice_names_a_single_one(written: str, expected: date | None) -> None:
    assert opt_out(notice(day=written)).sent_on == expected


def test_days_are_read_the_american_way_in_america() -> None:
    sentence = SENTENCES["en"].replace("you sent", "you sent on {day}")
    mail = notice("en", tld="com", sentence=sentence, day="9/10/2026")
    british = notice("en", tld="co.uk", sentence=sentence, day="9/10/2026")
    assert opt_out(mail).sent_on == date(2026, 9, 10)
    assert opt_out(british).sent_on == date(2026, 10, 9)


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("Thu, 10 Sep 2026 02:04:50 +0200", datetime(2026, 9, 10, 0, 4, 50, tzinfo=UTC)),
        ("Thu, 10 Sep 2026 00:04:50 -0000", datetime(2026, 9, 10, 0, 4, 50, tzinfo=UTC)),
        ("Fri, 31 Dec 9999 23:00:00 -0500", None),
        ("yesterday", None),
        ("", None),
    ],
)
def test_the_date_header_is_taken_if_it_is_one(written: str, expected: datetime | None) -> None:
    assert opt_out(notice(date=written)).dated == expected


def test_what_a_stranger_wrote_is_shown_without_control_characters() -> None:
    verdict = suspect(notice(results=None, subject="\x1b[31mhello", from_="\x1b]0;x <a@example.com>"))
    assert verdict.subject == " [31mhello"
    assert verdict.sender == " ]0;x <a@example.com>"


def test_the_buyers_name_is_in_no_verdict() -> None:
    for mail in (notice(name="Ermenegilda"), notice(name="Ermenegilda", results=None)):
        assert "Ermenegilda" not in repr(judge(mail.render()))


# Aliases


def linked(target: str) -> Mail:
    mail = notice(alias=None)
    return mail.but(html=mail.html.replace("</table>", f'<tr><td><a href="{target}">x</a>', 1))


@pytest.mark.parametrize(
    "target",
    [
        f"mailto:{ALIAS}",
        f"MailTo:{ALIAS.upper()}?subject= [Importante]",
        f" mailto:{ALIAS}",
        "mailto:k4q8z1x7c3v9b2n%40marketplace%2Eamazon.it",
        "mailto:k4q8z1x7c3v9b2n+0f3b-11ee@marketplace.amazon.it",
        "&#109;ailto:k4q8z1x7c3v9b2n&#64;marketplace.amazon.it",
        f"mailto:?to={ALIAS}&amp;subject=x",
        f"mailto:seller@gmail.com,{ALIAS}",
        "mailto:k4q8z1x7c3v\n9b2n@marketplace.amazon.it",
        f"mailto:&lt;{ALIAS}&gt;",
        f"mailto:Elio%20%3C{ALIAS}%3E?subject=x",
    ],
)
def test_an_alias_is_found_in_every_spelling_of_a_link(target: str) -> None:
    assert opt_out(linked(target)).address == ALIAS


@pytest.mark.parametrize(
    "target",
    [
        f"mailto:seller@gmail.com?cc={ALIAS}",
        f"mailto:seller@gmail.com?body={ALIAS}",
        f"https://example.com/?mailto:{ALIAS}",
        "mailto:k4q8z1x7c3v9b2n@marketplace.amazon.it.example.com",
        "mailto:k4q8z1x7c3v9b2n@marketplace-amazon.it",
        "mailto:k4q8z1x7c3v9b2n@amazon.it",
        "mailto:short@marketplace.amazon.it",
        "mailto:blacklisted-k4q8z1x7c3v9b2n@marketplace.amazon.it",
        "mailto:no-reply-amazon-iba-buyer@marketplace.amazon.it",
        "mailto:donotreply12345@marketplace.amazon.it",
        "mailto:",
        f"mailto:{ALIAS}%20%3Celio@example.net%3E",
    ],
)
def test_what_is_no_buyers_alias_is_none(target: str) -> None:
    verdict = opt_out(linked(target))
    assert (verdict.address, verdict.order_id) == (None, ORDER)


def test_an_alias_in_visible_text_counts_and_its_host_has_an_end() -> None:
    mail = notice(alias=None)

    def saying(text: str) -> str | None:
        return opt_out(mail.but(html=mail.html.replace("Gentile", f"{text} Gentile"))).address

    assert saying(f"Contact {ALIAS}.") == ALIAS
    assert saying(f"&lt;{ALIAS}&gt;") == ALIAS
    assert saying("k4q8z1x7c3v<wbr>9b2n@marketplace.amazon.it") == ALIAS
    assert saying("x@m.marketplace.amazon.co.jp k4q8z1x7c3v9b2n@m.marketplace.amazon.co.jp") == (
        "k4q8z1x7c3v9b2n@m.marketplace.amazon.co.jp"
    )
    assert saying(f"{ALIAS}.example.com") is None
    assert saying(f"{ALIAS}-x.example") is None
    assert saying(f"blacklisted-{ALIAS}") is None


@pytest.mark.parametrize(
    "shown",
    [
        "k4q8z1x7c3v9b2n@\u200bmarketplace.amazon.it",
        "k4q8z1x7\u200cc3v9b2n@marketplace\u2060.amazon\ufeff.it",
        "\u202ak4q8z1x7c3v9b2n\u00ad@marketplace.amazon.it\u202c",
        "\u2018k4q8z1x7c3v9b2n@marketplace.amazon.it\u2019",
    ],
)
def test_characters_without_width_do_not_hide_an_alias(shown: str) -> None:
    mail = notice(alias=None)
    assert opt_out(mail.but(html=mail.html.replace("Gentile", f"{shown} Gentile"))).address == ALIAS
    assert opt_out(mail.but(html="", text=f"{SENTENCES['it']}\n{shown}\n")).address == ALIAS


def test_characters_without_width_do_not_mend_an_alias_that_was_broken_on_purpose() -> None:
    mail = notice(alias=None)
    shown = f"blacklisted-\u200b{ALIAS} blacklisted\u2010{ALIAS} {ALIAS}\u200b.example.com"
    assert opt_out(mail.but(html=mail.html.replace("Gentile", f"{shown} Gentile"))).address is None


@pytest.mark.parametrize("tld", ["co.za", "ie", "com.co", "cl", "co.nz", "com.ng"])
@pytest.mark.parametrize("prefix", ["", "m."])
def test_a_buyer_of_a_marketplace_that_is_not_in_the_table_is_one_all_the_same(tld: str, prefix: str) -> None:
    alias = f"k4q8z1x7c3v9b2n@{prefix}marketplace.amazon.{tld}"
    verdict = opt_out(notice("en", alias=alias, tld=tld, marketplace_id="A0UNKNOWN0ID00"))
    assert (verdict.address, verdict.marketplace) == (alias, f"amazon.{tld}")
    mail = notice("en", alias=None, tld=tld, marketplace_id="A0UNKNOWN0ID00")
    shown = opt_out(mail.but(html=mail.html.replace("Dear", f"{alias}. Dear")))
    assert (shown.address, shown.marketplace) == (alias, f"amazon.{tld}")


@pytest.mark.parametrize(
    "domain",
    [
        "marketplace.amazon.co.za.example.com",
        "marketplace.amazon.zz",
        "marketplace.amazon.org",
        "marketplace.amazon.co.com",
        "marketplace.amazon.net.za",
        "marketplace.amazon.co.zaa",
        "marketplace.amazon-co.za",
        "marketplace.amaz0n.co.za",
        "marketplace.amazon.c\u043e.za",
        "marketplaces.amazon.co.za",
        "x.marketplace.amazon.co.za",
        "marketplace.amazon.com.com",
    ],
)
def test_a_domain_that_only_looks_like_a_marketplace_has_no_buyers(domain: str) -> None:
    address = f"k4q8z1x7c3v9b2n@{domain}"
    mail = linked(f"mailto:{address}")
    assert opt_out(mail.but(html=mail.html.replace("Gentile", f"{address} Gentile"))).address is None


def test_an_unknown_marketplace_is_not_called_that_of_the_sender_of_all_of_them() -> None:
    mail = notice("en", alias=None, marketplace_id="A0UNKNOWN0ID00")
    for name, expected in (("Amazon.cl", "amazon.cl"), ("Amazon.co.za", "amazon.co.za"), ("Amazon", None)):
        assert opt_out(mail.but(from_=f'"{name}" <auto-communication@amazon.com>')).marketplace == expected


def test_south_africa_is_known_by_its_id() -> None:
    mail = notice("en", alias=None, marketplace_id="AE08WJ6YKNBMC")
    assert opt_out(mail.but(from_="Amazon <auto-communication@amazon.co.za>")).marketplace == "amazon.co.za"


def test_one_alias_in_several_spellings_is_one_buyer() -> None:
    assert (
        opt_out(linked(f"mailto:{ALIAS}?cc=,").but(text=f"{ALIAS.upper()} {GREETINGS['it']}")).address
        == ALIAS
    )


# Encodings


@pytest.mark.parametrize("encoding", ["quoted-printable", "base64", "8bit"])
@pytest.mark.parametrize(
    ("charset", "language"),
    [
        *[("utf-8", language) for language in SENTENCES],
        *[
            ("iso-8859-1", "it"),
            ("windows-1252", "fr"),
            ("iso-8859-15", "fr"),
            ("us-ascii", "it"),
        ],
        *[(name, "ja") for name in ("iso-2022-jp", "shift_jis", "cp932", "euc-jp", "utf-7")],
    ],
)
def test_every_encoding_is_read(charset: str, language: str, encoding: str) -> None:
    verdict = opt_out(notice(language, type=None, charset=charset, encoding=encoding))
    assert (verdict.language, verdict.address) == (language, ALIAS)


@pytest.mark.parametrize("language", ["it", "ja"])
def test_utf16_is_read_in_the_only_encoding_that_carries_it(language: str) -> None:
    assert opt_out(notice(language, type=None, charset="utf-16", encoding="base64")).address == ALIAS


@pytest.mark.parametrize("label", ["utf-8", "us-ascii", "iso-8859-1", "x-unknown", "", "base64", '"utf-8'])
@pytest.mark.parametrize(
    ("charset", "language"),
    [("iso-2022-jp", "ja"), ("cp932", "ja"), ("euc-jp", "ja"), ("cp1252", "it"), ("utf-8", "fr")],
)
def test_a_wrong_or_missing_charset_does_not_hide_a_notice(label: str, charset: str, language: str) -> None:
    raw = notice(language, type=None, charset=charset, encoding="8bit").render()
    assert (
        opt_out(raw.replace(f"charset={charset}".encode(), f"charset={label}".encode())).language == language
    )


@pytest.mark.parametrize(
    ("label", "charset"),
    [("euc-jp", "cp932"), ("shift_jis", "euc-jp"), ("iso-2022-jp", "cp932"), ("x-mac-japanese", "cp932")],
)
def test_one_japanese_charset_under_the_name_of_another_does_not_hide_a_notice(
    label: str, charset: str
) -> None:
    raw = notice("ja", type=None, charset=charset, encoding="8bit").render()
    assert opt_out(raw.replace(charset.encode(), label.encode())).language == "ja"


def test_a_charset_may_have_its_name_from_before_it_was_registered() -> None:
    raw = notice("fr", type=None, charset="mac-roman", encoding="8bit").render()
    assert opt_out(raw.replace(b"charset=mac-roman", b"charset=x-mac-roman")).language == "fr"


def test_a_damaged_letter_costs_no_more_than_itself() -> None:
    for charset, language in (("utf-8", "fr"), ("shift_jis", "ja"), ("euc_kr", "en")):
        raw = notice(language, type=None, charset=charset, encoding="8bit").render()
        damaged = raw.replace(b"</table></td>", b"\xff\xfe</table></td>")
        assert opt_out(damaged).language == language


def test_bytes_in_no_charset_at_all_are_passed_over() -> None:
    verdict = opt_out(notice().but(text="\udc81\udc8d".encode("utf-8", "surrogatepass").decode("latin-1")))
    assert verdict.address == ALIAS


def test_base64_with_a_soiled_end_is_read() -> None:
    raw = notice(encoding="base64").render()
    end = raw.rindex(b"\r\n\r\n------=")
    assert opt_out(raw[: end - 3] + b"!\r\n*" + raw[end:]).address == ALIAS


@pytest.mark.parametrize("behind", [" ", " (as it was)", "; x=y", "(a)"])
def test_something_behind_the_name_of_an_encoding_is_passed_over(behind: str) -> None:
    raw = notice(encoding="base64").render()
    assert opt_out(raw.replace(b": base64", b": Base64" + behind.encode())).address == ALIAS


def test_xhtml_under_its_own_name_is_html() -> None:
    raw = notice().render()
    assert opt_out(raw.replace(b"text/html;", b"application/xhtml+xml;")).address == ALIAS


def test_a_boundary_in_pieces_and_out_of_order_is_one_boundary() -> None:
    mail = notice()
    kind = (
        "multipart/alternative; boundary*1*=%5f1234567_890123456.1757462690123; boundary*0*=utf-8''----=_Part"
    )
    assert opt_out(mail.but(body=mail.alternative()[1], content_type=kind)).address == ALIAS


@pytest.mark.parametrize(
    "kind", [None, "multipart/alternative", "multipart/mixed; boundary=none", "nonsense"]
)
def test_a_body_without_usable_parts_is_read_as_it_stands(kind: str | None) -> None:
    body = notice().html.encode()
    assert opt_out(notice().but(body=body, content_type=kind)).address == ALIAS


def test_text_attached_as_a_file_is_not_said() -> None:
    body = b"--b\nContent-Type: text/plain\n\nhello\n--b\nContent-Type: text/plain\nContent-Disposition: attachment\n\n"
    mail = without_type(body=body + SAID.encode() + b"\n--b--\n", content_type="multipart/mixed; boundary=b")
    assert unrelated(mail) is Kind.OTHER_OF_AMAZON


def test_a_frameset_has_no_text() -> None:
    assert unrelated(without_type(html="<frameset><frame></frameset>")) is Kind.OTHER_OF_AMAZON


def test_preformatted_html_keeps_its_lines() -> None:
    text = f"<pre>Hello\n> {SAID}\n</pre>"
    assert unrelated(without_type(text)) is Kind.OTHER_OF_AMAZON


def test_files_saved_by_hand_are_read() -> None:
    raw = notice().render()
    for changed in (
        b"\r\n\r\n" + raw,
        raw.replace(b"\r\n", b"\r"),
        raw.replace(b"\r\n", b"\n"),
        raw.replace(b"\r\n", b"\r\r\n"),
        b"\xef\xbb\xbf" + raw[raw.index(b"Authentication-Results") :],
    ):
        assert opt_out(changed).address == ALIAS


def test_headers_that_are_utf8_already_are_read() -> None:
    raw = notice("ja", type=None, subject="SUBJECT").render()
    assert opt_out(raw.replace(b"SUBJECT", SUBJECTS["ja"].encode())).language == "ja"


@pytest.mark.parametrize(
    "subject",
    [
        "=?UTF-8?Q?Il_tuo_messaggio_all=27acquirente_non_=C3?= =?UTF-8?Q?=A8_stato_consegnato?=",
        "=?iso-8859-1?q?Il_tuo_messaggio_all=27acquirente_non_=E8?= =?utf-8*it?B?IHN0YXRvIGNvbnNlZ25hdG8=?=",
        "Il tuo =?UTF-8?Q?messaggio?= all'acquirente =?UTF-8?Q?non_=C3=A8?= stato consegnato",
    ],
)
def test_a_subject_in_encoded_words_is_one_text(subject: str) -> None:
    mail = notice(
        type=None,
        sentence="Perché l'acquirente ha scelto di non ricevere messaggi non richiesti dai venditori",
    )
    assert opt_out(mail.but(subject=subject)).language == "it"


@pytest.mark.parametrize(
    "raw", [b"", b"\n", b"\r", b"\0" * 50, b"From: ", b"no mail at all", b"\xff" * 99, b"a:b\nc"]
)
def test_anything_gets_a_verdict(raw: bytes) -> None:
    assert judge(raw) == Unrelated(Kind.OTHER)


# Mail from elsewhere


def stranger(sender: str = "Bob <bob@example.net>", **changes: object) -> Mail:
    body = page([escape(GREETINGS["en"]), SAID, ADVICE["en"]])
    return Mail(
        from_=sender, type=None, subject="Hello", html=body, header_from=sender.split("@")[1][:-1]
    ).but(**changes)


def test_an_article_that_quotes_a_notice_is_unrelated() -> None:
    assert unrelated(stranger()) is Kind.OTHER


@pytest.mark.parametrize(
    "changes",
    [
        {"subject": SUBJECTS["en"]},
        {"sender": "Amazon.com <bob@example.net>"},
        {"sender": "Bob <bob@amazon.com.example.net>"},
        {"sender": "Bob <bob@\u0430mazon.com>"},
        {"extra": ("From: Amazon <auto-communication@amazon.com>",)},
    ],
)
def test_an_imitation_of_amazon_is_suspect(changes: dict[str, object]) -> None:
    assert suspect(stranger(**changes)).order_id == "111-1234508-7654301"  # type: ignore[arg-type]  # free fields


def test_a_buyer_never_sends_a_notice() -> None:
    mail = notice(from_=f"Elio <{ALIAS}>", type=None)
    assert unrelated(mail) is Kind.MESSAGE
    assert is_suspect(mail.but(type=OPT_OUT))


def test_the_same_mail_gets_the_same_verdict() -> None:
    verdicts: set[Verdict] = {judge(notice().render()) for _ in range(3)}
    assert len(verdicts) == 1
