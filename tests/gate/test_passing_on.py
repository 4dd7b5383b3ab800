"""What is not refused goes through the gate unchanged, and the real server's answers come back unchanged."""

import asyncio
import base64
import itertools
import shutil
import smtplib
import subprocess
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from email.message import EmailMessage
from pathlib import Path

import pytest
from certificates import server_context
from gates import ALLOWED, BLOCKED, MAIL, SENDER, Running
from real_server import PASSWORD, USER, RealServer, Script, until

from worker.gate.body import Body, read_body
from worker.gate.upstream import FORWARDED_EXTENSIONS

HEAD = b"From: shop@seller.example\r\nSubject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\n\r\n"
BODIES = {
    "dots": b".\r\n..\r\n.hidden\r\n. \r\nend.\r\n",
    "bare line feeds": b"one\ntwo\n.\nthree\n.four\n",
    "bare carriage returns": b"one\rtwo\r\r\n\r",
    "no line end": b"no line end",
    "nothing": b"",
    "eight bits": bytes(range(1, 256)) * 4 + b"\r\n",
    "a long line": b"x" * 200_000 + b"\r\n",
    "many line ends": b"\r\n" * 5000,
    "signed": b"DKIM-Signature: v=1; a=rsa-sha256;\r\n\tb=abc=\r\n def\r\n\r\n  trailing  \t\r\n\r\n\r\n",
}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_a_mail_arrives_as_it_would_without_the_gate(gate: Running, real: RealServer, body: bytes) -> None:
    gate.send(ALLOWED[0], mail=HEAD + body)
    with smtplib.SMTP("127.0.0.1", real.port) as direct:
        direct.sendmail(SENDER, ALLOWED[0], HEAD + body)
    through, beside = real.taken
    assert through.content == beside.content
    assert through.content.startswith(HEAD)


def test_every_short_mail_is_read_to_its_end_and_no_further(tmp_path: Path) -> None:
    end = b"\r\n.\r\n"

    async def read(wire: bytes, limit: int) -> tuple[bytes, bytes]:
        reader = asyncio.StreamReader(limit=limit)
        reader.feed_data(wire + b"QUIT\r\n")
        reader.feed_eof()
        with Body(tmp_path, 1000) as body:
            await read_body(reader, body, lambda: None)
            return b"".join(body.chunks()), await reader.read()

    async def read_all() -> None:
        for length in range(6):
            for letters in itertools.product((b"\r", b"\n", b".", b"a"), repeat=length):
                before, _, _ = (b"\r\n" + b"".join(letters) + end).partition(end)
                wire = (before + end)[2:] if before else end[2:]
                wanted = before[2:] + b"\r\n" if before else b""
                for limit in (5, 64):
                    assert await read(wire, limit) == (wanted, b"QUIT\r\n"), wire

    # A browser of other tests has an event loop of its own in this thread.
    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, read_all()).result()


def test_a_large_mail_goes_through(gate: Running, real: RealServer, tmp_path: Path) -> None:
    mail = HEAD + (b"x" * 76 + b"\r\n") * 390_000  # 30 MB
    gate.send(ALLOWED[0], mail=mail)
    assert real.taken[0].content == mail
    assert not [path for path in tmp_path.iterdir() if path.name.startswith("tmp")]


def test_a_mail_larger_than_the_gate_takes_is_refused_and_not_kept(
    gate: Running, real: RealServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("worker.gate.session.MAX_SIZE", 1_000)
    with gate.tool() as tool:
        tool.mail(SENDER)
        tool.rcpt(ALLOWED[0])
        assert tool.data(HEAD + b"x" * 2_000)[0] == 552
        with pytest.raises(smtplib.SMTPSenderRefused) as refused:
            tool.sendmail(SENDER, ALLOWED[0], HEAD + b"x" * 2_000)  # it says the size before
        assert refused.value.smtp_code == 552
        assert tool.sendmail(SENDER, ALLOWED[0], MAIL) == {}
    assert len(real.taken) == 1


def test_half_of_the_recipients_are_blocked(gate: Running, real: RealServer) -> None:
    both = [it for pair in zip(ALLOWED, BLOCKED, strict=True) for it in pair]
    refused = gate.send(*both)
    assert refused.keys() == set(BLOCKED)
    assert [it.recipients for it in real.taken] == [tuple(f"<{it}>" for it in ALLOWED)]
    assert gate.record.counts == {"sent": 5, "refused": 5}


def test_options_pass_through(gate: Running, real: RealServer) -> None:
    with gate.tool() as tool:
        tool.ehlo()
        assert tool.mail(SENDER, ["BODY=8BITMIME", "RET=HDRS", "ENVID=QQ314159"])[0] == 250
        notify = ["NOTIFY=SUCCESS,FAILURE", f"ORCPT=rfc822;{ALLOWED[0]}"]
        assert tool.rcpt(ALLOWED[0], notify)[0] == 250
        assert tool.data(HEAD + "Grüße\r\n".encode())[0] == 250
    (mail,) = real.taken
    assert mail.sender == f"<{SENDER}> BODY=8BITMIME RET=HDRS ENVID=QQ314159"
    assert mail.recipients == (f"<{ALLOWED[0]}> NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;{ALLOWED[0]}",)


def test_addresses_beyond_ascii_pass_through(gate: Running, real: RealServer) -> None:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "händler@seller.example", "käufer@example.org", "Grüße"
    mail.set_content("Grüße\n")
    with gate.tool() as tool:
        tool.send_message(mail)
    assert real.taken[0].recipients == ("<käufer@example.org>",)
    assert "Subject: Grüße".encode() in real.taken[0].content


def test_a_sender_without_address_passes_through(gate: Running, real: RealServer) -> None:
    with gate.tool() as tool:
        tool.sendmail("", ALLOWED[0], MAIL)
    assert real.taken[0].sender.startswith("<>")


def test_the_gate_says_it_can_what_the_real_server_can(run: Callable[..., Running]) -> None:
    with RealServer(Script(features=("SIZE 1234567",), utf8=False)) as poor:
        gate = run(poor)
        for _ in range(2):  # asked of the real server, and known
            with gate.connect() as tool:
                tool.ehlo()
                assert tool.esmtp_features.keys() == {"size", "8bitmime", "pipelining", "auth"}
                assert tool.esmtp_features["size"] == "1234567"
        assert poor.sessions == 1
    with RealServer() as rich, run(rich).connect() as tool:
        tool.ehlo()
        assert tool.esmtp_features.keys() == {*FORWARDED_EXTENSIONS, "pipelining", "auth"}


def test_commands_may_come_all_at_once(gate: Running, real: RealServer) -> None:
    proof = base64.b64encode(f"\0buyerblock\0{gate.secret}".encode())
    start = (b"EHLO tool.example", b"AUTH PLAIN " + proof)
    mail = (b"MAIL FROM:<shop@seller.example>", b"RCPT TO:<%b>" % ALLOWED[0].encode(), b"DATA")
    answers = gate.raw(*start, *mail, MAIL + b".", *mail, MAIL + b".", b"QUIT").splitlines()
    ends = [line[:4] for line in answers if line[3:4] == b" "]
    assert ends == [b"220 ", b"250 ", b"235 ", *[b"250 ", b"250 ", b"354 ", b"250 "] * 2, b"221 "]
    assert [it.content for it in real.taken] == [MAIL, MAIL]


def test_a_session_has_one_connection_to_the_real_server(gate: Running, real: RealServer) -> None:
    with gate.tool() as tool:
        for _ in range(5):
            tool.sendmail(SENDER, ALLOWED[0], MAIL)
    assert (len(real.taken), real.sessions) == (5, 1)


def test_a_connection_that_ended_meanwhile_is_made_anew(gate: Running, real: RealServer) -> None:
    with gate.tool() as tool:
        tool.sendmail(SENDER, ALLOWED[0], MAIL)
        real.hang_up()
        tool.sendmail(SENDER, ALLOWED[0], MAIL)
    assert (len(real.taken), real.sessions) == (2, 2)


def test_a_server_that_takes_few_mails_in_a_session_gets_another_session(
    gate: Running, real: RealServer
) -> None:
    real.script.max_mails = 2
    with gate.tool() as tool:
        for _ in range(5):
            tool.sendmail(SENDER, ALLOWED[0], MAIL)
    assert (len(real.taken), real.sessions) == (5, 3)


def test_a_mail_that_was_given_up_leaves_nothing_to_the_next(gate: Running, real: RealServer) -> None:
    with gate.tool() as tool:
        tool.mail(SENDER)
        tool.rcpt(ALLOWED[0])
        tool.rset()
        tool.sendmail(SENDER, ALLOWED[1], MAIL)
        tool.mail(SENDER)
        tool.rcpt(ALLOWED[0])
        tool.ehlo()
        tool.sendmail(SENDER, ALLOWED[2], MAIL)
    assert [it.recipients for it in real.taken] == [(f"<{ALLOWED[1]}>",), (f"<{ALLOWED[2]}>",)]


def test_many_tools_send_at_the_same_time(gate: Running, real: RealServer) -> None:
    def send(number: int) -> None:
        for each in range(10):
            gate.send(ALLOWED[each % 5], BLOCKED[each % 5], mail=HEAD + b"%d-%d\r\n" % (number, each))

    with ThreadPoolExecutor(20) as tools:
        list(tools.map(send, range(20)))
    arrived = Counter(it.content.removeprefix(HEAD) for it in real.taken)
    assert len(arrived) == 200
    assert set(arrived.values()) == {1}
    assert gate.record.counts == {"sent": 200, "refused": 200}


def test_a_tool_too_many_is_told_to_come_again(
    gate: Running, real: RealServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("worker.gate.server.MAX_SESSIONS", 2)
    with gate.tool(), gate.tool():
        with pytest.raises(smtplib.SMTPConnectError) as refused:
            gate.connect()
        assert refused.value.smtp_code == 421
    until(lambda: not gate.gate._sessions)
    gate.send(ALLOWED[0])
    assert len(real.taken) == 1


@pytest.mark.parametrize("tls", ["implicit", "starttls"])
def test_the_real_server_is_reached_encrypted_and_signed_in_to(
    run: Callable[..., Running],
    certificate: Path,
    monkeypatch: pytest.MonkeyPatch,
    tls: str,
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    script = Script(asks_for_password=True)
    with RealServer(script, **{tls: server_context(certificate)}) as real:
        gate = run(real, upstream_tls=tls, upstream_user=USER, upstream_password=PASSWORD)
        gate.send(ALLOWED[0])
        assert len(real.taken) == 1


@pytest.mark.skipif(shutil.which("swaks") is None, reason="swaks is not installed")
@pytest.mark.parametrize("method", ["PLAIN", "LOGIN"])
@pytest.mark.parametrize("encrypted", [False, True])
def test_swaks_sends_through_the_gate(
    run: Callable[..., Running],
    real: RealServer,
    certificate: Path,
    encrypted: bool,
    method: str,
) -> None:
    beyond = {"host": "0.0.0.0", "certificate": str(certificate), "key": str(certificate)}
    gate = run(real, **beyond if encrypted else {})
    where = f"--server 127.0.0.1:{gate.port} --from {SENDER} --to {ALLOWED[0]},{BLOCKED[0]}"
    who = f"--auth {method} --auth-user buyerblock --auth-password {gate.secret}"
    command = [
        "swaks",
        *where.split(),
        *who.split(),
        *(["-tls"] if encrypted else []),
        "--body",
        "Thank you.",
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert "550 5.7.1" in done.stdout, done.stderr
    assert ("TLS started" in done.stdout) is encrypted
    assert [it.recipients for it in real.taken] == [(f"<{ALLOWED[0]}>",)]
