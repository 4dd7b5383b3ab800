"""The service's files as each system reads them, and the commands that make them known."""

import os
import plistlib
import shutil
import stat
import subprocess
import sys
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from xml.etree import ElementTree

import pytest
from clocks import FakeClock

from worker.errors import UsageError
from worker.operation.service import (
    SYSTEMS,
    Answer,
    System,
    describe,
    install,
    make_service,
    page_answers,
    run_program,
    status,
    system_of,
    uninstall,
)
from worker.operation.service_files import Service, launchd_agent, systemd_unit, windows_task

AWKWARD = "we\"ird '50%' $HOME \\x & <y>"
LINUX, MACOS, WINDOWS = SYSTEMS["linux"], SYSTEMS["darwin"], SYSTEMS["win32"]
SECRET = "k" * 32
URL = "http://localhost:8000/"


def service_in(folder: Path, *, sandbox: bool = True) -> Service:
    command = (str(folder / "py thon"), "-m", "a b", 'q"u%o$te\\')
    return Service(
        command=command,
        data_dir=folder / "data",
        environment={"BUYERBLOCK_NOTE": AWKWARD, "BUYERBLOCK_SECRET_KEY": SECRET},
        user="DESKTOP\\seller",
        sandbox=sandbox,
    )


@dataclass
class FakeSystem:
    """Answers commands by their first words and keeps them."""

    answers: dict[str, Answer] = field(default_factory=dict)
    missing: str = ""
    asked: list[str] = field(default_factory=list)

    def __call__(self, command: Sequence[str]) -> Answer:
        self.asked.append(" ".join(command))
        if command[0] == self.missing:
            raise FileNotFoundError(command[0])
        return next((it for words, it in self.answers.items() if words in self.asked[-1]), Answer(0, ""))


@pytest.fixture
def environ(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    return {"XDG_CONFIG_HOME": str(tmp_path / "con fig")}


# --- systemd


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed.")
@pytest.mark.parametrize("name", ["plain", "with space", "100%d", AWKWARD.replace("/", "")])
@pytest.mark.parametrize("sandbox", [True, False])
def test_systemd_finds_nothing_wrong_with_the_unit(tmp_path: Path, name: str, *, sandbox: bool) -> None:
    folder = tmp_path / name
    folder.mkdir()
    (folder / "py thon").symlink_to("/bin/true")
    unit = tmp_path / "buyerblock.service"
    unit.write_bytes(systemd_unit(service_in(folder, sandbox=sandbox)))

    verify = ["systemd-analyze", "verify", "--user", "--man=no", str(unit)]
    environment = {**os.environ, "XDG_RUNTIME_DIR": str(tmp_path)}
    done = subprocess.run(verify, env=environment, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def lines_of(service: Service) -> list[str]:
    return systemd_unit(service).decode().splitlines()


@pytest.mark.parametrize(
    "line",
    [
        "Type=notify",
        "WatchdogSec=300",
        "Restart=on-failure",
        "NoNewPrivileges=yes",
        "PrivateTmp=yes",
        "PrivateUsers=yes",
        "ProtectSystem=strict",
        "ProtectHome=read-only",
        'ReadWritePaths="/home/seller/50%% \\"off\\"/data"',
        (
            'ExecStart=:"/bin/sh" "-c" "exec \\"$@\\"" "sh" "/home/seller/50%% \\"off\\"/py thon" "-m" "a b" '
            '"q\\"u%%o$te\\\\"'
        ),
        f'Environment="BUYERBLOCK_SECRET_KEY={SECRET}"',
        'Environment="BUYERBLOCK_NOTE=we\\"ird \'50%%\' $HOME \\\\x & <y>"',
    ],
)
@pytest.mark.skipif(os.name != "posix", reason="Paths as POSIX systems write them.")
def test_the_unit_says(line: str) -> None:
    assert line in lines_of(service_in(Path('/home/seller/50% "off"')))


def test_without_a_sandbox_what_needs_none_stays() -> None:
    given = lines_of(service_in(Path("/home/seller"), sandbox=False))
    assert "NoNewPrivileges=yes" in given
    assert not [it for it in given if it.startswith(("Protect", "Private", "ReadWrite"))]


def test_a_path_with_a_line_break_is_refused() -> None:
    with pytest.raises(UsageError, match="line break"):
        service_in(Path("/home/seller\nExecStart=/bin/evil"))


# --- macOS, Windows


def test_the_launchd_agent_says_what_it_is_given(tmp_path: Path) -> None:
    service = service_in(tmp_path / AWKWARD)
    agent = plistlib.loads(launchd_agent(service))

    assert agent["ProgramArguments"] == list(service.command)
    assert agent["EnvironmentVariables"] == service.environment
    assert agent["KeepAlive"] == {"SuccessfulExit": False}
    assert agent["RunAtLoad"] is True
    assert "StandardErrorPath" not in agent, "launchd lets such a file grow for ever"


def _text(task: ElementTree.Element, path: str) -> str | None:
    names = (f"{{http://schemas.microsoft.com/windows/2004/02/mit/task}}{it}" for it in path.split("/"))
    return task.findtext("/".join(names))


def test_the_windows_task_runs_python_without_a_window_and_quotes_its_arguments() -> None:
    service = Service(
        command=("C:\\Program Files\\x & y\\python.exe", "-m", "a b", 'say "<hi>"'),
        data_dir=Path("C:/data"),
        environment={},
        user="DESKTOP\\seller",
    )
    data = windows_task(service)
    task = ElementTree.fromstring(data)

    assert data[:2] in (b"\xff\xfe", b"\xfe\xff")
    assert _text(task, "Actions/Exec/Command") == "C:\\Program Files\\x & y\\pythonw.exe"
    assert _text(task, "Actions/Exec/Arguments") == '-m "a b" "say \\"<hi>\\""'
    assert _text(task, "Triggers/LogonTrigger/UserId") == "DESKTOP\\seller"
    assert _text(task, "Settings/ExecutionTimeLimit") == "PT0S"
    assert _text(task, "Settings/DisallowStartIfOnBatteries") == "false"
    assert _text(task, "Settings/RestartOnFailure/Interval") == "PT1M"
    assert 1 <= int(_text(task, "Settings/RestartOnFailure/Count") or 0) <= 255, "what the schema allows"


def test_the_windows_task_is_started_every_few_minutes_unless_it_runs(tmp_path: Path) -> None:
    task = ElementTree.fromstring(windows_task(service_in(tmp_path)))
    assert _text(task, "Triggers/TimeTrigger/Repetition/Interval") == "PT5M"
    assert _text(task, "Triggers/TimeTrigger/Repetition/Duration") is None, "without an end"
    assert _text(task, "Settings/MultipleInstancesPolicy") == "IgnoreNew"


# --- making it known


def test_installing_writes_a_private_file_and_starts_it(tmp_path: Path, environ: dict[str, str]) -> None:
    ask = FakeSystem()
    assert install(LINUX, service_in(tmp_path), environ, ask, FakeClock()) == []

    unit = tmp_path / "con fig" / "systemd" / "user" / "buyerblock.service"
    assert unit.read_bytes() == systemd_unit(service_in(tmp_path))
    if sys.platform != "win32":
        assert stat.S_IMODE(unit.stat().st_mode) == 0o600
    assert (tmp_path / "data").is_dir()
    assert ask.asked[1:] == [
        "systemctl --user daemon-reload",
        "systemctl --user enable buyerblock",
        "systemctl --user restart buyerblock",
        "loginctl enable-linger",
    ]


def test_installing_again_changes_nothing_but_starts_it_anew(tmp_path: Path, environ: dict[str, str]) -> None:
    asked = []
    for _ in range(2):
        ask = FakeSystem()
        install(LINUX, service_in(tmp_path), environ, ask, FakeClock())
        asked.append(ask.asked)
    assert asked[0] == asked[1]
    assert len(list((tmp_path / "con fig").rglob("*.*"))) == 1


def test_where_the_kernel_allows_no_sandbox_it_is_left_out_and_said(
    tmp_path: Path, environ: dict[str, str]
) -> None:
    advice = install(
        LINUX, service_in(tmp_path), environ, FakeSystem({"systemd-run": Answer(217, "")}), FakeClock()
    )
    assert ["protection is left out" in it for it in advice] == [True]
    unit = tmp_path / "con fig" / "systemd" / "user" / "buyerblock.service"
    assert unit.read_bytes() == systemd_unit(service_in(tmp_path, sandbox=False))


def test_a_service_that_ends_at_log_out_says_so(tmp_path: Path, environ: dict[str, str]) -> None:
    advice = install(
        LINUX, service_in(tmp_path), environ, FakeSystem({"linger": Answer(1, "denied")}), FakeClock()
    )
    assert ["loginctl enable-linger" in it for it in advice] == [True]


def test_a_refusal_is_a_sentence_with_the_systems_own_words(tmp_path: Path, environ: dict[str, str]) -> None:
    ask = FakeSystem({"daemon-reload": Answer(1, "Failed to connect to bus")})
    with pytest.raises(
        UsageError,
        match=r"“systemctl --user daemon-reload” was refused: Failed to connect to bus\. .*"
        r"not by su or sudo; .* let something else run: ",
    ):
        install(LINUX, service_in(tmp_path), environ, ask, FakeClock())
    assert not LINUX.file(service_in(tmp_path), environ).exists(), "what was refused is not installed"


def test_a_refused_update_leaves_the_service_that_was_installed(
    tmp_path: Path, environ: dict[str, str]
) -> None:
    install(LINUX, service_in(tmp_path), environ, FakeSystem(), FakeClock())
    ask = FakeSystem({"restart": Answer(1, "Job failed")})
    with pytest.raises(UsageError, match="Job failed"):
        install(LINUX, service_in(tmp_path), environ, ask, FakeClock())
    assert LINUX.file(service_in(tmp_path), environ).exists()


@pytest.mark.parametrize(
    ("system", "program"), [(LINUX, "systemctl"), (MACOS, "launchctl"), (WINDOWS, "schtasks")]
)
def test_a_missing_program_is_a_sentence_that_says_what_to_run(
    tmp_path: Path, environ: dict[str, str], system: System, program: str
) -> None:
    with pytest.raises(UsageError, match="py thon"):
        install(system, service_in(tmp_path), environ, FakeSystem(missing=program), FakeClock())


def test_on_macos_the_agent_is_loaded_for_this_user(tmp_path: Path, environ: dict[str, str]) -> None:
    ask = FakeSystem({"bootout": Answer(3, "No such process"), "print": Answer(113, "")})
    assert install(MACOS, service_in(tmp_path), environ, ask, FakeClock()) == []
    path = tmp_path / "Library" / "LaunchAgents" / "local.buyerblock.plist"
    assert path.read_bytes() == launchd_agent(service_in(tmp_path))
    domain = f"gui/{os.getuid()}" if sys.platform != "win32" else ""
    assert ask.asked == [
        f"launchctl bootout {domain}/local.buyerblock",
        f"launchctl print {domain}/local.buyerblock",
        f"launchctl bootstrap {domain} {path}",
    ]


@pytest.mark.parametrize(("lasts", "asked"), [(0, 1), (3.2, 8), (1000, 61)])
def test_on_macos_the_new_agent_waits_until_the_former_has_ended_but_not_for_ever(
    tmp_path: Path, environ: dict[str, str], lasts: float, asked: int
) -> None:
    clock, calls = FakeClock(), []

    def ask(command: Sequence[str]) -> Answer:
        calls.append(command[1])
        gone = command[1] == "print" and clock.monotonic() >= begins + lasts
        return Answer(113 if gone else 0, "")

    begins = clock.monotonic()
    install(MACOS, service_in(tmp_path), environ, ask, clock)
    assert calls == ["bootout", *["print"] * asked, "bootstrap"]


def test_on_windows_the_task_is_made_and_run_and_settings_are_left_to_setx(
    tmp_path: Path, environ: dict[str, str]
) -> None:
    ask = FakeSystem()
    advice = install(WINDOWS, service_in(tmp_path), environ | {"BUYERBLOCK_PORT": "8001"}, ask, FakeClock())
    path = tmp_path / "data" / "buyerblock-task.xml"
    assert path.read_bytes() == windows_task(service_in(tmp_path))
    assert ask.asked == [
        f"schtasks /Create /F /TN buyerblock /XML {path}",
        "schtasks /End /TN buyerblock",
        "schtasks /Run /TN buyerblock",
    ]
    assert ["setx: BUYERBLOCK_PORT" in it for it in advice] == [True]
    assert install(WINDOWS, service_in(tmp_path), environ, ask, FakeClock()) == []


@pytest.mark.parametrize("system", SYSTEMS.values(), ids=SYSTEMS.keys())
def test_uninstalling_takes_the_file_away_once(
    tmp_path: Path, environ: dict[str, str], system: System
) -> None:
    service = service_in(tmp_path)
    install(system, service, environ, FakeSystem(), FakeClock())
    ask = FakeSystem({"": Answer(1, "it is stopped already")})

    assert uninstall(system, service, environ, ask, FakeClock())
    assert ask.asked
    assert not system.file(service, environ).exists()
    assert not uninstall(system, service, environ, FakeSystem(missing=""), FakeClock())


def test_status_is_what_the_system_says(tmp_path: Path, environ: dict[str, str]) -> None:
    service, ask = service_in(tmp_path), FakeSystem({"status": Answer(0, "active (running)")})
    assert "not installed" in status(LINUX, service, environ, ask, URL, lambda _: True).words
    assert ask.asked == []

    install(LINUX, service, environ, ask, FakeClock())
    answer = status(LINUX, service, environ, ask, URL, lambda _: True)
    assert answer == Answer(0, f"active (running)\nIt answers at {URL}.")


@pytest.mark.parametrize("system", SYSTEMS.values(), ids=SYSTEMS.keys())
def test_a_service_that_is_known_but_does_not_answer_is_not_well(
    tmp_path: Path, environ: dict[str, str], system: System
) -> None:
    service, ask = service_in(tmp_path), FakeSystem()
    install(system, service, environ, ask, FakeClock())
    answer = status(system, service, environ, ask, URL, lambda _: False)
    assert answer.code == 1
    assert f"does not answer at {URL}" in answer.words


class _Page(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"ok\n" if self.path == "/healthz" else b"something else")

    def log_message(self, *_: object) -> None:
        pass


def test_the_page_answers_if_it_says_so_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    with HTTPServer(("127.0.0.1", 0), _Page) as server:
        url = f"http://127.0.0.1:{server.server_port}/"
        threading.Thread(target=server.serve_forever, daemon=True).start()
        assert page_answers(url)
        assert not page_answers(f"{url}elsewhere/")
        server.shutdown()
    assert not page_answers(url)


@pytest.mark.parametrize("system", SYSTEMS.values(), ids=SYSTEMS.keys())
def test_what_is_printed_hides_the_secret_and_is_otherwise_what_is_written(
    tmp_path: Path, environ: dict[str, str], system: System
) -> None:
    service = service_in(tmp_path)
    behind = replace(service, environment={**service.environment, "HTTPS_PROXY": "http://me:hush@proxy:3128"})
    shown = describe(system, behind, environ)
    assert SECRET not in shown
    assert "hush" not in shown
    assert shown.startswith(str(system.file(service, environ)))
    assert "py thon" in shown


def test_the_service_gets_the_settings_of_the_terminal_and_nothing_else(tmp_path: Path) -> None:
    network = {"https_proxy": "http://proxy.example", "REQUESTS_CA_BUNDLE": "/etc/ssl/ours.pem"}
    environ = {"BUYERBLOCK_PORT": "8001", "PATH": "/bin", **network}
    service = make_service(["python"], tmp_path, tmp_path / "client.json", environ)
    assert service.environment == {
        "BUYERBLOCK_PORT": "8001",
        "BUYERBLOCK_DATA_DIR": str(tmp_path),
        "BUYERBLOCK_CLIENT_SECRETS": str(tmp_path / "client.json"),
        **network,
    }


def test_on_windows_the_service_starts_with_the_log_on_of_this_user(tmp_path: Path) -> None:
    environ = {"USERDOMAIN": "DESKTOP", "USERNAME": "seller"}
    assert make_service(["python"], tmp_path, tmp_path, environ).user == "DESKTOP\\seller"


def test_a_system_without_a_row_gets_a_sentence() -> None:
    with pytest.raises(UsageError, match="on freebsd14"):
        system_of("freebsd14")
    assert system_of("linux") is LINUX


def test_a_real_program_answers_with_its_code_and_words() -> None:
    answer = run_program([sys.executable, "-c", "import sys; print('words'); sys.exit(4)"])
    assert answer == Answer(4, "words")
