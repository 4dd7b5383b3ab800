"""Whatever becomes of the real server, the tool knows, and nothing is lost or sent twice by the gate."""

import smtplib
from collections.abc import Callable
from pathlib import Path

import pytest
from certificates import server_context
from gates import ALLOWED, BLOCKED, MAIL, SENDER, Running, free_port
from real_server import PASSWORD, USER, RealServer, Script, until

STAGES = ("MAIL", "RCPT", "DATA", "END")
ANSWERS = {
    "for the moment": "451 4.3.2 busy just now",
    "for good": "554 5.7.1 refused by policy",
    "in several lines": "550-5.7.1 first line\r\n550-\r\n550 5.7.1 last line",
}


def outcome(gate: Running) -> tuple[int, bytes]:
    """Return the last answer that a tool gets, command by command; 250 if the mail was taken."""
    with gate.tool() as tool:
        code, text = tool.mail(SENDER)
        if code == 250:
            code, text = tool.rcpt(ALLOWED[0])
        if code == 250:
            code, text = tool.docmd("DATA")
        if code == 354:
            tool.send(MAIL + b".\r\n")
            code, text = tool.getreply()
    return code, text


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS)
def test_an_answer_of_the_real_server_comes_back_as_it_is(
    gate: Running, real: RealServer, stage: str, answer: str
) -> None:
    real.script.answers = {stage: answer}
    code, text = outcome(gate)
    with smtplib.SMTP("127.0.0.1", real.port) as direct:
        direct.ehlo()
        code_beside, text_beside = {
            "MAIL": lambda: direct.mail(SENDER),
            "RCPT": lambda: (direct.mail(SENDER), direct.rcpt(ALLOWED[0]))[1],
            "DATA": lambda: (direct.mail(SENDER), direct.rcpt(ALLOWED[0]), direct.docmd("DATA"))[2],
            "END": lambda: (direct.mail(SENDER), direct.rcpt(ALLOWED[0]), direct.data(MAIL))[2],
        }[stage]()
    assert (code, text) == (code_beside, text_beside)
    assert real.taken == []
    real.script.answers = {}
    assert outcome(gate)[0] == 250
    assert len(real.taken) == 1


def test_each_recipient_gets_the_real_servers_answer(gate: Running, real: RealServer) -> None:
    real.script.answers = {
        f"RCPT {ALLOWED[1]}": "550 5.1.1 no such user",
        f"RCPT {ALLOWED[2]}": "450 4.2.2 mailbox full",
    }
    refused = gate.send(*ALLOWED, BLOCKED[0])
    assert refused == {
        ALLOWED[1]: (550, b"5.1.1 no such user"),
        ALLOWED[2]: (450, b"4.2.2 mailbox full"),
        BLOCKED[0]: refused[BLOCKED[0]],
    }
    assert real.taken[0].recipients == tuple(f"<{ALLOWED[n]}>" for n in (0, 3, 4))
    assert gate.record.counts == {"sent": 3, "not_taken": 2, "refused": 1}


@pytest.mark.parametrize("stage", STAGES)
def test_a_real_server_that_dies_is_no_success(gate: Running, real: RealServer, stage: str) -> None:
    real.script.dies = stage
    code, text = outcome(gate)
    assert code == 451
    assert b"the connection to localhost ended" in text
    assert (b"may have taken" in text) is (stage == "END")
    assert real.taken == []
    assert sum(it.startswith("DATA") for it in real.commands) <= 1
    real.script.dies = ""
    assert outcome(gate)[0] == 250
    assert len(real.taken) == 1


def test_a_slow_server_is_waited_for(gate: Running, real: RealServer) -> None:
    real.script.waits = 0.5
    assert outcome(gate) == (250, b"2.0.0 taken")


def test_a_server_that_is_too_slow_leaves_the_tool_to_try_again(
    gate: Running, real: RealServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("worker.gate.upstream.END_OF_MAIL_TIMEOUT", 0.1)
    real.script.waits = 0.5
    code, text = outcome(gate)
    assert code == 451
    assert b"may have taken the mail or not" in text


@pytest.mark.parametrize("greeting", ["554 5.3.2 no mail today", "421 4.3.2 too busy"])
def test_a_greeting_that_refuses_comes_back(gate: Running, real: RealServer, greeting: str) -> None:
    real.script.greeting = greeting
    with gate.tool() as tool:
        code, text = tool.mail(SENDER)
    assert f"{code} {text.decode()}" == greeting


def test_a_server_that_cannot_be_reached_is_a_failure_for_the_moment(
    run: Callable[..., Running], real: RealServer
) -> None:
    gate = run(real, upstream_port=free_port())
    code, text = outcome(gate)
    assert code == 451
    assert text.startswith(b"4.4.1 localhost cannot be reached (")
    assert "cannot be reached" in gate.record.problem


@pytest.mark.parametrize("greeting", ["HTTP/1.1 400 Bad Request", "250 welcome", "", "99999"])
def test_what_is_no_mail_server_is_no_success(gate: Running, real: RealServer, greeting: str) -> None:
    real.script.greeting = greeting or "\r\n"
    assert outcome(gate)[0] == 451


@pytest.mark.parametrize("answer", ["250 taken without a look", "200 fine", "garbage"])
def test_a_server_that_does_not_ask_for_the_mail_has_not_taken_it(
    gate: Running, real: RealServer, answer: str
) -> None:
    real.script.answers = {"DATA": answer}
    assert outcome(gate)[0] == 451
    real.script.answers = {}
    assert outcome(gate)[0] == 250
    assert len(real.taken) == 1


def test_a_wrong_password_of_the_real_server_loses_no_mail(run: Callable[..., Running]) -> None:
    with RealServer(Script(asks_for_password=True)) as real:
        gate = run(real, upstream_user=USER, upstream_password="changed meanwhile")
        code, text = outcome(gate)
        assert code == 451
        assert b"did not let the gate sign in" in text
        assert "did not let the gate sign in" in gate.record.problem


def test_a_problem_that_is_over_is_forgotten(run: Callable[..., Running]) -> None:
    with RealServer(Script(greeting="554 5.3.2 no mail today")) as real:
        gate = run(real, upstream_user=USER, upstream_password=PASSWORD)
        outcome(gate)
        assert gate.record.problem
        real.script.greeting = ""
        outcome(gate)
        assert gate.record.problem == ""


@pytest.mark.parametrize("tls", ["implicit", "starttls"])
def test_a_server_with_an_untrusted_certificate_gets_no_password_and_no_mail(
    run: Callable[..., Running], certificate: Path, tls: str
) -> None:
    with RealServer(Script(asks_for_password=True), **{tls: server_context(certificate)}) as real:
        gate = run(real, upstream_tls=tls, upstream_user=USER, upstream_password=PASSWORD)
        code, text = outcome(gate)
        assert code == 451
        assert b"certificate" in text
        assert real.commands == []


def test_a_server_without_starttls_gets_no_password(run: Callable[..., Running], real: RealServer) -> None:
    gate = run(real, upstream_tls="starttls", upstream_user=USER, upstream_password=PASSWORD)
    code, text = outcome(gate)
    assert code == 451
    assert b"STARTTLS" in text
    assert real.commands == []


def test_a_server_that_ends_the_session_ends_the_tools_too(gate: Running, real: RealServer) -> None:
    real.script.answers = {"RCPT": "421 4.7.0 going down"}
    with gate.tool() as tool:
        tool.mail(SENDER)
        assert tool.rcpt(ALLOWED[0])[0] == 421
        with pytest.raises(smtplib.SMTPServerDisconnected):
            tool.noop()


def test_a_full_disk_takes_no_mail(gate: Running, real: RealServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("worker.gate.body.IN_MEMORY", 1000)

    def full(**_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("tempfile.TemporaryFile", full)
    with gate.tool() as tool:
        tool.mail(SENDER)
        tool.rcpt(ALLOWED[0])
        assert tool.data(MAIL * 100)[0] == 452
    assert real.taken == []


def test_a_mail_that_cannot_be_read_is_not_read_as_commands(
    gate: Running, real: RealServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise TypeError

    monkeypatch.setattr("worker.gate.body.Body.write", fail)
    command = b"RCPT TO:<%b>\r\n" % ALLOWED[1].encode()
    with gate.tool() as tool:
        tool.mail(SENDER)
        tool.rcpt(ALLOWED[0])
        with pytest.raises(smtplib.SMTPServerDisconnected):
            tool.data(command * 10)
    assert sum(it.startswith("RCPT") for it in real.commands) == 1


def test_a_tool_that_dies_within_a_mail_has_sent_nothing(gate: Running, real: RealServer) -> None:
    tool = gate.tool()
    tool.mail(SENDER)
    tool.rcpt(ALLOWED[0])
    tool.docmd("DATA")
    tool.send(MAIL * 1000)
    tool.close()
    assert gate.send(ALLOWED[1]) == {}
    assert [it.recipients for it in real.taken] == [(f"<{ALLOWED[1]}>",)]


def test_a_mail_under_way_is_finished_when_the_gate_stops(gate: Running, real: RealServer) -> None:
    real.script.waits = 0.3
    with gate.tool() as tool:
        tool.mail(SENDER)
        tool.rcpt(ALLOWED[0])
        tool.docmd("DATA")
        tool.send(MAIL + b".\r\n")
        until(lambda: any(it.busy for it in gate.gate._sessions))
        gate.gate.stop()
        assert tool.getreply()[0] == 250
        tool.close()
    assert len(real.taken) == 1
