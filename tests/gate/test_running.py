"""The gate as people run it: by the command, as part of ``serve``, and what it tells of itself."""

import os
import re
import signal
import smtplib
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from gates import ALLOWED, BLOCKED, MAIL, SENDER, Running, free_port
from prometheus_client.parser import text_string_to_metric_families
from real_server import PASSWORD, USER, RealServer, Script, until

from worker.app import App, build_app
from worker.cli.program import commands, run
from worker.clock import SystemClock
from worker.database import DATABASE, Database, open_database
from worker.errors import BusyError, DamagedFileError, UsageError
from worker.gate.follower import Follower
from worker.gate.record import GateRecord
from worker.gate.settings import GateSettings, StoredGate
from worker.operation.health import health
from worker.operation.metrics import metrics
from worker.sealing import Sealer, UnsealError
from worker.settings import Settings

KEY = "k" * 32
Call = Callable[..., str]


@pytest.fixture
def buyerblock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Call:
    """Run a command; return what it printed, errors included."""
    monkeypatch.setenv("BUYERBLOCK_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("BUYERBLOCK_SECRET_KEY", KEY)
    (tmp_path / "data").mkdir()
    open_database(tmp_path / "data").close()

    def call(*arguments: str) -> str:
        monkeypatch.setattr(sys, "argv", ["buyerblock", *arguments])
        run(commands)
        return "".join(capfd.readouterr())

    return call


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture
def set_up(buyerblock: Call, real: RealServer, port: int, tmp_path: Path) -> str:
    """Set the gate up by the command; return the password of the tools."""
    (tmp_path / "password").write_text(f"{PASSWORD}\n", encoding="utf-8")
    real.script = Script(asks_for_password=True)
    where = ("--upstream", f"localhost:{real.port}", "--tls", "none", "--listen", f"127.0.0.1:{port}")
    said = buyerblock("gate", "setup", *where, "--user", USER, "--password-file", str(tmp_path / "password"))
    buyerblock("block", BLOCKED[0])
    return said.splitlines()[0]


@contextmanager
def process(*command: str) -> Iterator["subprocess.Popen[str]"]:
    program = [sys.executable, "-m", "oauth_web", *command]
    with subprocess.Popen(program, env=os.environ, stderr=subprocess.PIPE, encoding="utf-8") as running:
        try:
            yield running
        finally:
            running.kill()


def answers(port: int) -> bool:
    with closing(socket.socket()) as wire:
        return wire.connect_ex(("127.0.0.1", port)) == 0


def signed_in(port: int, secret: str) -> smtplib.SMTP:
    tool = smtplib.SMTP("127.0.0.1", port, timeout=30)
    tool.login("buyerblock", secret)
    return tool


# --- the command


@pytest.mark.skipif(os.name != "posix", reason="Signals as POSIX systems have them.")
def test_a_gate_is_set_up_and_run_by_commands(set_up: str, real: RealServer, port: int) -> None:
    assert re.fullmatch(r"[\w-]{43}", set_up)
    with process("gate") as running:
        until(lambda: answers(port), 20)
        with signed_in(port, set_up) as tool:
            assert tool.sendmail(SENDER, [ALLOWED[0], BLOCKED[0]], MAIL).keys() == {BLOCKED[0]}
        running.send_signal(signal.SIGTERM)
        assert running.wait(10) == 0
    assert len(real.taken) == 1


def test_a_gate_that_is_killed_within_a_mail_has_promised_nothing(
    set_up: str, real: RealServer, port: int
) -> None:
    with process("gate") as running:
        until(lambda: answers(port), 20)
        tool = signed_in(port, set_up)
        tool.mail(SENDER)
        tool.rcpt(ALLOWED[0])
        assert tool.docmd("DATA")[0] == 354
        tool.send(MAIL * 100)
        running.kill()
        running.wait()
        with pytest.raises(smtplib.SMTPServerDisconnected):
            tool.docmd(".")
    assert real.taken == []


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is read as Linux shows it")
def test_large_mails_take_little_memory(set_up: str, real: RealServer, port: int) -> None:
    def peak(running: "subprocess.Popen[str]") -> int:
        status = Path(f"/proc/{running.pid}/status").read_text(encoding="ascii")
        return int(re.findall(r"VmHWM:\s+(\d+) kB", status)[0])

    mail = MAIL + (b"x" * 76 + b"\r\n") * 390_000  # 30 MB
    with process("gate") as running:
        until(lambda: answers(port), 20)
        with signed_in(port, set_up) as tool:
            tool.sendmail(SENDER, ALLOWED[0], MAIL)
            before = peak(running)
            for _ in range(2):
                tool.sendmail(SENDER, ALLOWED[0], mail)
            assert peak(running) - before < 6_000
    assert [it.content for it in real.taken] == [MAIL, mail, mail]


def test_a_password_file_that_is_no_text_is_refused(buyerblock: Call, tmp_path: Path) -> None:
    (tmp_path / "password").write_bytes(b"\xff\x00\x81")
    where = ("--upstream", "localhost:25", "--tls", "none", "--user", USER)
    said = buyerblock("gate", "setup", *where, "--password-file", str(tmp_path / "password"))
    assert said == "buyerblock: The password file is no text; save it as UTF-8.\n"


def test_a_new_password_takes_the_place_of_the_former(set_up: str, buyerblock: Call, tmp_path: Path) -> None:
    secret = buyerblock("gate", "password").strip()
    with closing(open_database(tmp_path / "data")) as database:
        found = StoredGate(database, Sealer(KEY)).existing()
        assert found.accepts_login(b"buyerblock", secret.encode())
        assert not found.accepts_login(b"buyerblock", set_up.encode())


@pytest.mark.usefixtures("set_up")
def test_the_outgoing_server_is_tested_by_a_command(buyerblock: Call, real: RealServer) -> None:
    assert "lets the gate in" in buyerblock("gate", "test")
    real.script.greeting = "554 5.3.2 no mail today"
    assert "no mail today" in buyerblock("gate", "test")
    assert real.taken == []


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--upstream", "smtp.example.com:0"), "no address"),
        (("--upstream", "smtp.example.com", "--listen", "0.0.0.0:25"), "name a certificate"),
        (("--upstream", "smtp.example.com", "--tls", "none"), "Without encryption"),
        (("--upstream", "user@smtp.example.com"), "no name of a server"),
    ],
)
def test_settings_that_will_not_do_are_refused(buyerblock: Call, options: tuple[str, ...], said: str) -> None:
    assert said in buyerblock("gate", "setup", *options)
    assert "not set up" in buyerblock("gate")


@pytest.mark.usefixtures("set_up")
def test_a_port_that_is_taken_is_named(buyerblock: Call, port: int) -> None:
    with socket.create_server(("127.0.0.1", port)):
        assert f"port {port}" in buyerblock("gate")


def test_who_runs_no_gate_does_not_load_a_mail_server() -> None:
    code = "import sys, oauth_web.server, worker.cli.program, worker.gate.follower; sys.exit('aiosmtpd' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


# --- as part of serve


def test_it_follows_its_settings(database: Database, real: RealServer, tmp_path: Path) -> None:
    sealer, first, second = Sealer(KEY), free_port(), free_port()
    stored = StoredGate(database, sealer)
    follower = Follower(database, sealer, now=SystemClock().now, folder=tmp_path)
    follower.look()  # there is none
    wanted = GateSettings(upstream="localhost", upstream_port=real.port, upstream_tls="none", port=first)
    stored.save(wanted)
    follower.look()
    assert not answers(first), "it is off"
    stored.save(replace(wanted, enabled=True))
    follower.look()
    assert answers(first)
    stored.save(replace(wanted, enabled=True, port=second))
    follower.look()
    assert (answers(first), answers(second)) == (False, True)
    with socket.create_server(("127.0.0.1", first)):
        stored.save(replace(wanted, enabled=True))
        follower.look()
        assert f"port {first}" in GateRecord(database).read().problem
    follower.look()
    assert answers(first)
    stored.save(wanted)
    follower.look()
    assert not answers(first)
    assert GateRecord(database).read().problem == ""


def test_a_problem_of_a_gate_that_runs_by_itself_stays(database: Database, tmp_path: Path) -> None:
    record = GateRecord(database)
    record.problem("It cannot send.")
    record.flush()
    follower = Follower(database, Sealer(KEY), now=SystemClock().now, folder=tmp_path)
    for _ in range(2):
        follower.look()
    assert record.read().problem == "It cannot send."


@pytest.mark.skipif(os.name != "posix", reason="Signals as POSIX systems have them.")
def test_serve_runs_the_gate_and_ends_it(
    set_up: str, real: RealServer, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BUYERBLOCK_PORT", str(free_port()))
    with process("serve", "--no-open") as running:
        until(lambda: answers(port), 30)
        with signed_in(port, set_up) as tool:
            assert tool.sendmail(SENDER, [ALLOWED[0], BLOCKED[0]], MAIL).keys() == {BLOCKED[0]}
        running.send_signal(signal.SIGTERM)
        assert running.wait(10) == 0
    assert not answers(port)
    assert len(real.taken) == 1


# --- what it keeps, and tells


@pytest.fixture
def whole(tmp_path: Path) -> Iterator[App]:
    folder = tmp_path / "whole"
    app = build_app(Settings(data_dir=folder, client_secrets=folder / "client.json", secret_key=KEY))
    with closing(app):
        yield app


def test_monitors_read_how_many_were_refused(whole: App) -> None:
    record = GateRecord(whole.database)
    record.count("sent", 3)
    record.refused(BLOCKED[0], whole.clock.now())
    record.flush()
    found = {
        sample.labels["outcome"]: sample.value
        for family in text_string_to_metric_families(metrics(whole, whole.clock.now()).decode())
        for sample in family.samples
        if sample.name == "buyerblock_gate_recipients_total"
    }
    assert found == {"sent": 3, "refused": 1, "marked": 0, "not_taken": 0}
    assert BLOCKED[0] not in metrics(whole, whole.clock.now()).decode()


def test_the_owner_is_told_what_keeps_the_gate_from_working(whole: App) -> None:
    record = GateRecord(whole.database)
    record.problem("smtp.example.com cannot be reached")
    record.flush()
    (problem,) = health(whole, whole.clock.now()).problems
    assert (problem.kind, problem.stopping) == ("gate", False)
    assert "smtp.example.com cannot be reached" in problem.sentence
    record.problem("")
    record.flush()
    assert health(whole, whole.clock.now()).problems == ()


def test_no_password_is_stored_as_it_is(whole: App) -> None:
    settings = GateSettings(
        upstream="smtp.example.com", upstream_port=465, upstream_user=USER, upstream_password=PASSWORD
    )
    secret = StoredGate(whole.database, whole.sealer).save(settings)
    assert secret is not None
    content = b"".join(path.read_bytes() for path in whole.settings.data_dir.iterdir())
    assert secret.encode() not in content
    assert PASSWORD.encode() not in content
    assert PASSWORD not in repr(StoredGate(whole.database, whole.sealer).get())
    with pytest.raises(UnsealError):
        StoredGate(whole.database, Sealer("another key")).get()


def test_settings_that_cannot_be_read_start_no_gate(database: Database) -> None:
    database.documents("gate").put({"settings": {"host": 7}})
    stored = StoredGate(database, Sealer(KEY))
    with pytest.raises((DamagedFileError, UsageError)):
        stored.existing()


def test_numbers_that_could_not_be_stored_are_stored_later(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    def busy() -> None:
        raise BusyError("Another program writes.")

    record = GateRecord(database)
    record.count("sent")
    with monkeypatch.context() as patched:
        patched.setattr(database, "together", busy)
        with pytest.raises(BusyError):
            record.flush()
    record.count("sent")
    record.flush()
    assert record.read().counts == {"sent": 2}


def test_mail_goes_through_while_the_numbers_cannot_be_stored(
    gate: Running, real: RealServer, tmp_path: Path
) -> None:
    other = open_database(tmp_path)
    assert (tmp_path / DATABASE).exists()
    with closing(other), other.together():
        assert gate.send(ALLOWED[0], BLOCKED[0]).keys() == {BLOCKED[0]}
    assert len(real.taken) == 1
