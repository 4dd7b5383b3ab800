"""Who is refused, and that nobody gets past it."""

import os
import smtplib
import ssl
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from certificates import write_certificate
from clocks import FakeClock
from gates import ALLOWED, BLOCKED, MAIL, SENDER, SINCE, Running
from real_server import RealServer

from worker.block_list import BlockList
from worker.database import DATABASE, Database
from worker.errors import UsageError
from worker.gate.decide import kind_of, refusal
from worker.gate.record import MAX_REFUSED
from worker.gate.settings import MARKED_USER, USER, GateSettings

LOCAL, DOMAIN = BLOCKED[0].split("@")


def marked(mark: bytes) -> bytes:
    return mark + b"\r\n" + MAIL


def test_a_blocked_buyer_is_refused_with_the_reason(gate: Running, real: RealServer) -> None:
    with pytest.raises(smtplib.SMTPRecipientsRefused) as refused:
        gate.send(BLOCKED[0])
    sentence = f"5.7.1 {BLOCKED[0]}: this buyer opted out of unsolicited messages (blocked since {SINCE})"
    assert refused.value.recipients == {BLOCKED[0]: (550, sentence.encode())}
    assert real.taken == []
    assert not any(it.startswith("RCPT") for it in real.commands), "the real server has not heard of it"


@pytest.mark.parametrize(
    "spelled",
    [
        f"<{LOCAL.upper()}@{DOMAIN.upper()}>",
        f"<{LOCAL}+406-1234567-7654321@{DOMAIN}>",
        f'<"{LOCAL}"@{DOMAIN}>',
        f'<"{LOCAL[0]}\\{LOCAL[1:]}"@{DOMAIN}>',
        f"<{LOCAL}@{DOMAIN}.>",
        f"<@relay.example,@other.example:{LOCAL}@{DOMAIN}>",
        f"<{LOCAL}@{DOMAIN}> NOTIFY=NEVER",
        f"{LOCAL}@{DOMAIN}",
        f" <{LOCAL}@{DOMAIN}>",
        f"<{LOCAL}@\N{FULLWIDTH LATIN SMALL LETTER M}arketplace.amazon.it>",
        f"<{LOCAL}@marketplace\N{IDEOGRAPHIC FULL STOP}amazon.it>",
    ],
)
def test_no_spelling_of_a_blocked_buyer_gets_through(gate: Running, real: RealServer, spelled: str) -> None:
    with gate.tool() as tool:
        tool.mail(SENDER)
        tool.send(f"RCPT TO:{spelled}\r\n".encode())
        assert tool.getreply()[0] == 550
    assert not any(it.startswith("RCPT") for it in real.commands)


@pytest.mark.parametrize(
    "arg",
    ["", "<>", "<a b@c.example>", "<a@b.example", "a@b.example>", "<a@b.example>junk", "<a@b.example\rX>"],
)
def test_what_is_no_address_is_not_passed_on(gate: Running, real: RealServer, arg: str) -> None:
    with gate.tool() as tool:
        tool.mail(SENDER)
        tool.send(f"RCPT TO:{arg}\r\n".encode())
        assert tool.getreply()[0] == 501
    assert not any(it.startswith("RCPT") for it in real.commands)


def test_a_buyer_who_opts_out_is_refused_from_then_on(gate: Running, block_list: BlockList) -> None:
    with gate.tool() as tool:
        assert tool.sendmail(SENDER, ALLOWED[0], MAIL) == {}
        block_list.block([ALLOWED[0]], by="test")
        with pytest.raises(smtplib.SMTPRecipientsRefused):
            tool.sendmail(SENDER, ALLOWED[0], MAIL)
        block_list.unblock(ALLOWED[0], by="test")
        assert tool.sendmail(SENDER, ALLOWED[0], MAIL) == {}


def test_while_the_list_cannot_be_read_nothing_goes_through(
    gate: Running, real: RealServer, tmp_path: Path
) -> None:
    with gate.tool() as tool:
        tool.sendmail(SENDER, ALLOWED[0], MAIL)
        for suffix in ("", "-wal"):
            path = tmp_path / f"{DATABASE}{suffix}"
            path.write_bytes(os.urandom(path.stat().st_size))
        with pytest.raises(smtplib.SMTPRecipientsRefused) as refused:
            tool.sendmail(SENDER, [*ALLOWED, *BLOCKED], MAIL)
    assert {code for code, _ in refused.value.recipients.values()} == {451}
    assert len(real.taken) == 1


# --- marked mail


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (b"X-Buyerblock-Kind: critical", "critical"),
        (b"x-buyerblock-kind:Reply ", "reply"),
        (b"X-Buyerblock-Kind: unsolicited", "unsolicited"),
        (b"X-Buyerblock-Kind: urgent", "unsolicited"),
        (b"Subject: [Important] Your order", "critical"),
        (b"Subject:  [Importante] Il tuo ordine", "critical"),
        (b"Subject: =?utf-8?q?=5BImportant=5D_Stra=C3=9Fe?=", "critical"),
        (b"Subject: Re: [Important] Your order", "unsolicited"),
        (b"Subject: Hello\r\n\r\nX-Buyerblock-Kind: critical", "unsolicited"),
        (b"", "unsolicited"),
    ],
)
def test_a_mail_says_of_which_kind_it_is(head: bytes, kind: str) -> None:
    assert kind_of(head + b"\r\nFrom: shop@seller.example\r\n\r\nText.\r\n") == kind


@pytest.mark.parametrize(
    "mark", [b"X-Buyerblock-Kind: critical", b"X-Buyerblock-Kind: reply", b"Subject: [Important] x"]
)
def test_marked_mail_of_a_tool_that_asked_for_it_goes_through_unchanged(
    gate: Running, real: RealServer, mark: bytes
) -> None:
    with gate.marked() as tool:
        assert tool.sendmail(SENDER, BLOCKED[0], marked(mark)) == {}
    assert [it.content for it in real.taken] == [marked(mark)]
    assert gate.record.counts == {"sent": 1, "marked": 1}


def test_other_mail_of_such_a_tool_is_refused_after_it_was_seen(gate: Running, real: RealServer) -> None:
    with gate.marked() as tool:
        with pytest.raises(smtplib.SMTPDataError) as refused:
            tool.sendmail(SENDER, BLOCKED[0], MAIL)
        assert refused.value.smtp_code == 550
        assert BLOCKED[0] in str(refused.value.smtp_error)
        assert tool.sendmail(SENDER, ALLOWED, MAIL) == {}
    assert [len(it.recipients) for it in real.taken] == [5]
    assert gate.record.counts == {"sent": 5, "refused": 1}


def test_one_answer_never_stands_for_a_blocked_buyer_and_others(gate: Running, real: RealServer) -> None:
    with gate.marked() as tool:
        later = tool.sendmail(SENDER, [ALLOWED[0], BLOCKED[0], ALLOWED[1], BLOCKED[1]], MAIL)
        assert {it: code for it, (code, _) in later.items()} == {BLOCKED[0]: 452, BLOCKED[1]: 452}
        later = tool.sendmail(SENDER, [BLOCKED[0], ALLOWED[2]], marked(b"X-Buyerblock-Kind: reply"))
        assert {it: code for it, (code, _) in later.items()} == {ALLOWED[2]: 452}
    assert [it.recipients for it in real.taken] == [
        (f"<{ALLOWED[0]}>", f"<{ALLOWED[1]}>"),
        (f"<{BLOCKED[0]}>",),
    ]


def test_a_mark_does_nothing_for_a_tool_that_did_not_ask(gate: Running, real: RealServer) -> None:
    with pytest.raises(smtplib.SMTPRecipientsRefused):
        gate.send(BLOCKED[0], mail=marked(b"X-Buyerblock-Kind: critical"))
    assert real.taken == []


# --- who may send


def test_nobody_sends_without_signing_in(gate: Running, real: RealServer) -> None:
    with gate.connect() as stranger:
        stranger.ehlo()
        with pytest.raises(smtplib.SMTPSenderRefused) as refused:
            stranger.sendmail(SENDER, ALLOWED[0], marked(b"X-Buyerblock-Kind: critical"))
        assert refused.value.smtp_code == 530
        assert stranger.docmd("RCPT", f"TO:<{ALLOWED[0]}>")[0] == 530
        assert stranger.docmd("DATA")[0] == 530
    with gate.connect() as stranger:
        stranger.helo()
        assert stranger.docmd("MAIL", "FROM:<a@b.example>")[0] == 530
    with gate.connect() as stranger:
        assert stranger.docmd("MAIL", "FROM:<a@b.example>")[0] == 503
    assert not any(it.startswith("MAIL") for it in real.commands)


@pytest.mark.parametrize("user", [USER, MARKED_USER, "shop", ""])
def test_a_wrong_password_is_refused_and_guessing_ends(gate: Running, user: str) -> None:
    with gate.connect() as stranger:
        with pytest.raises(smtplib.SMTPAuthenticationError):
            stranger.login(user, "guessed")  # by both methods
        stranger.docmd("AUTH", "PLAIN AAAA")
        assert stranger.docmd("AUTH", "PLAIN AAAA")[0] == 421


@pytest.mark.parametrize("method", ["PLAIN", "LOGIN"])
def test_a_tool_signs_in_by_plain_and_by_login(gate: Running, method: str) -> None:
    with gate.connect() as tool:
        tool.ehlo()
        tool.user, tool.password = USER, gate.secret
        assert tool.auth(method, getattr(tool, f"auth_{method.lower()}"))[0] == 235


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "gate.seller.example"])
def test_without_a_certificate_it_listens_to_this_machine_only(host: str) -> None:
    with pytest.raises(UsageError, match="name a certificate"):
        GateSettings(upstream="smtp.example.com", upstream_port=465, host=host)


def test_mail_leaves_this_machine_encrypted_only() -> None:
    with pytest.raises(UsageError, match="Without encryption"):
        GateSettings(upstream="smtp.example.com", upstream_port=25, upstream_tls="none")


def test_beyond_this_machine_nothing_is_said_before_it_is_encrypted(
    run: Callable[..., Running], real: RealServer, certificate: Path
) -> None:
    gate = run(real, host="0.0.0.0", certificate=str(certificate), key=str(certificate))
    with gate.connect() as tool:
        tool.ehlo()
        assert "auth" not in tool.esmtp_features
        assert tool.docmd("AUTH", "PLAIN AAAA")[0] == 530
        assert tool.docmd("MAIL", "FROM:<a@b.example>")[0] == 530
        assert real.sessions == 0
        tool.starttls(context=ssl.create_default_context(cafile=str(certificate)))
        tool.login(USER, gate.secret)
        assert tool.sendmail(SENDER, [ALLOWED[0], BLOCKED[0]], MAIL).keys() == {BLOCKED[0]}
    assert len(real.taken) == 1


def test_a_renewed_certificate_is_used_at_once(
    run: Callable[..., Running], real: RealServer, certificate: Path, tmp_path: Path
) -> None:
    gate = run(real, certificate=str(certificate), key=str(certificate))
    write_certificate(tmp_path, "localhost", "127.0.0.1")
    with gate.connect() as tool:
        tool.starttls(context=ssl.create_default_context(cafile=str(certificate)))


def test_what_other_servers_could_take_for_the_end_of_a_mail_is_refused(
    gate: Running, real: RealServer
) -> None:
    for false_end in (b"\n.\n", b"\n.\r\n", b"\r.\r", b"\r\n.\n"):
        with gate.tool() as tool:
            tool.mail(SENDER)
            tool.rcpt(ALLOWED[0])
            tool.docmd("DATA")
            tool.send(MAIL + b"x" + false_end + b"RCPT TO:<" + BLOCKED[0].encode() + b">\r\n.\r\n")
            assert tool.getreply()[0] == 550
    assert real.taken == []


# --- limits


def test_a_tool_that_says_nothing_is_sent_away(
    gate: Running, real: RealServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("worker.gate.session.IDLE_TIMEOUT", 0.2)
    with gate.tool() as tool:
        tool.mail(SENDER)
        tool.rcpt(ALLOWED[0])
        tool.docmd("DATA")
        tool.send(b"half a mail")
        with pytest.raises(smtplib.SMTPServerDisconnected, match=r"unexpectedly closed$"):
            tool.getreply()
    assert real.taken == []


def test_a_stranger_who_says_nothing_is_sent_away_sooner(
    gate: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("worker.gate.session.UNAUTHENTICATED_TIMEOUT", 0.2)
    with pytest.raises(smtplib.SMTPServerDisconnected, match=r"unexpectedly closed$"):
        gate.connect().getreply()


def test_recipients_beyond_a_thousand_are_for_another_mail(
    gate: Running, real: RealServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("worker.gate.session.MAX_RECIPIENTS", 3)
    later = gate.send(*ALLOWED)
    assert {code for code, _ in later.values()} == {452}
    assert len(real.taken[0].recipients) == 3


def test_the_record_knows_who_was_refused_lately_and_nothing_of_the_mail(
    gate: Running, clock: FakeClock, database: Database
) -> None:
    for buyer in BLOCKED:
        clock.advance(timedelta(minutes=1).total_seconds())
        with pytest.raises(smtplib.SMTPRecipientsRefused):
            gate.send(buyer.upper())
    lately = gate.record.lately
    assert [it.recipient for it in lately] == BLOCKED[::-1]
    assert lately[0].at == clock.now()
    with gate.tool() as tool:
        for _ in range(30):
            tool.sendmail(SENDER, [ALLOWED[0], *BLOCKED], MAIL)
    record = gate.record
    assert len(record.lately) == MAX_REFUSED
    assert record.counts == {"sent": 30, "refused": 155}
    assert "Your order" not in str(database.documents("gate").all())


def test_who_is_no_buyer_is_on_no_list(block_list: BlockList) -> None:
    for recipient in ("ann@example.org", f"blacklisted-{BLOCKED[0]}", "postmaster", "\udcff@x", "@", '"', ""):
        assert refusal(block_list, recipient) is None
