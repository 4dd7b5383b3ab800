"""Install buyerblock as a service of systemd, launchd or Windows' Task Scheduler.

One table has the file and the commands for each system. On macOS and Windows this was never tested, only compared
with their documentation.
"""

import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from worker.clock import Clock
from worker.errors import StorageError, UsageError
from worker.files import delete_file, make_private_directory, write_atomically
from worker.operation.redaction import without_secrets
from worker.operation.service_files import LABEL, NAME, Service, launchd_agent, systemd_unit, windows_task

# Variables that the service takes over from the terminal it is installed from.
_PASSED_ON = (
    *("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"),
    *("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"),
)
_HIDDEN = ("BUYERBLOCK_SECRET_KEY",)


@dataclass(frozen=True, slots=True)
class Answer:
    """The exit code and the output of a program."""

    code: int
    words: str


Run = Callable[[Sequence[str]], Answer]


@dataclass(frozen=True, slots=True)
class Call:
    """A command of the system. advice: shown if it fails, and the installation continues; None: a failure ends it.

    patience: the command is repeated until it fails, at most for so many seconds.
    """

    command: tuple[str, ...]
    advice: str | None = None
    patience: float = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class System:
    """How a service is installed on one system. Placeholders in the commands: {file}, {domain}.

    after_uninstall: called after the file was deleted. keeps_log: the system keeps and rotates a service's output.
    """

    file: Callable[[Service, Mapping[str, str]], Path]
    render: Callable[[Service], bytes]
    install: tuple[Call, ...]
    uninstall: tuple[Call, ...]
    after_uninstall: tuple[Call, ...] = ()
    status: tuple[str, ...]
    missing: str
    keeps_log: bool = False


_NO_LINGER = (
    "It stops when you log out; to keep it running ask an administrator for: loginctl enable-linger {user}"
)


def _unit_file(_: Service, environ: Mapping[str, str]) -> Path:
    config = environ.get("XDG_CONFIG_HOME") or str(Path.home() / ".config")
    return Path(config) / "systemd" / "user" / f"{NAME}.service"


SYSTEMS = {
    "linux": System(
        file=_unit_file,
        render=systemd_unit,
        install=(
            Call(("systemctl", "--user", "daemon-reload")),
            Call(("systemctl", "--user", "enable", NAME)),
            Call(("systemctl", "--user", "restart", NAME)),
            Call(("loginctl", "enable-linger"), _NO_LINGER),
        ),
        uninstall=(Call(("systemctl", "--user", "disable", "--now", NAME), ""),),
        after_uninstall=(Call(("systemctl", "--user", "daemon-reload"), ""),),
        status=("systemctl", "--user", "status", "--no-pager", NAME),
        missing="There is no systemd here; let your own init system run: {command}",
        keeps_log=True,
    ),
    "darwin": System(
        file=lambda _, __: Path.home() / "Library" / "LaunchAgents" / f"{LABEL}.plist",
        render=launchd_agent,
        install=(
            Call(("launchctl", "bootout", f"{{domain}}/{LABEL}"), ""),
            # bootout may return before the service has ended, and until then bootstrap fails.
            Call(("launchctl", "print", f"{{domain}}/{LABEL}"), patience=30),
            Call(("launchctl", "bootstrap", "{domain}", "{file}")),
        ),
        uninstall=(Call(("launchctl", "bootout", f"{{domain}}/{LABEL}"), ""),),
        status=("launchctl", "print", f"{{domain}}/{LABEL}"),
        missing="launchctl was not found; let something else run: {command}",
    ),
    "win32": System(
        file=lambda service, _: service.data_dir / f"{NAME}-task.xml",
        render=windows_task,
        install=(
            Call(("schtasks", "/Create", "/F", "/TN", NAME, "/XML", "{file}")),
            Call(("schtasks", "/End", "/TN", NAME), ""),
            Call(("schtasks", "/Run", "/TN", NAME)),
        ),
        uninstall=(
            Call(("schtasks", "/End", "/TN", NAME), ""),
            Call(("schtasks", "/Delete", "/F", "/TN", NAME), ""),
        ),
        status=("schtasks", "/Query", "/FO", "LIST", "/TN", NAME),
        missing="schtasks was not found; let something else run: {command}",
    ),
}


def make_service(
    command: Sequence[str], data_dir: Path, client_secrets: Path, environ: Mapping[str, str]
) -> Service:
    """Return the service that runs a command with the settings of this environment."""
    kept = {name: environ[name] for name in _settings(environ)}
    # The caller gives absolute paths: the service starts in another folder.
    kept |= {"BUYERBLOCK_DATA_DIR": str(data_dir), "BUYERBLOCK_CLIENT_SECRETS": str(client_secrets)}
    user = "\\".join(filter(None, (environ.get("USERDOMAIN"), environ.get("USERNAME"))))
    return Service(command=tuple(command), data_dir=data_dir, environment=kept, user=user)


def _settings(environ: Mapping[str, str]) -> list[str]:
    return sorted(it for it in environ if it.startswith("BUYERBLOCK_") or it.upper() in _PASSED_ON)


def system_of(platform: str = sys.platform) -> System:
    """Return the row of the table for this system. Raises UsageError if there is none."""
    if platform not in SYSTEMS:
        raise UsageError(
            "No service can be installed on {platform}; let its own init system run buyerblock serve.",
            platform=platform,
        )
    return SYSTEMS[platform]


def describe(system: System, service: Service, environ: Mapping[str, str]) -> str:
    """Return the path and the content of the service file, with hidden secrets."""
    # The address of a proxy may contain a password.
    shown = {
        name: "(hidden)" if name in _HIDDEN else without_secrets(value)
        for name, value in service.environment.items()
    }
    text = system.render(replace(service, environment=shown))
    decoded = text.decode("utf-16" if text[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8")
    return f"{system.file(service, environ)}\n\n{decoded}"


def install(
    system: System, service: Service, environ: Mapping[str, str], run: Run, clock: Clock
) -> list[str]:
    """Write the service file and start the service, now and at every start of the system; return advice, if any.

    Raises UsageError if a program of the system is missing or fails, StorageError for the file.
    """
    make_private_directory(service.data_dir)
    advice = []
    if system.render is systemd_unit and not _allows_sandbox(run):
        service = replace(service, sandbox=False)
        advice.append(
            "This system lets no user's service hide files from itself, so that protection is left out."
        )
    if system.render is windows_task and (names := _settings(environ)):
        advice.append(
            f"A task of Windows has no settings of its own; make these last with setx: {', '.join(names)}."
        )
    path = system.file(service, environ)
    make_private_directory(path.parent)
    new = not path.exists()
    write_atomically(path, system.render(service))  # readable only by its owner: it may contain secrets
    try:
        return advice + _call_all(system, system.install, service, path, run, clock)
    except (UsageError, StorageError):
        if new:
            delete_file(path)
        raise


def uninstall(system: System, service: Service, environ: Mapping[str, str], run: Run, clock: Clock) -> bool:
    """Stop the service and remove its file; return False if there was none. Data and accounts stay."""
    path = system.file(service, environ)
    if not path.exists():
        return False
    _call_all(system, system.uninstall, service, path, run, clock)
    delete_file(path)
    _call_all(system, system.after_uninstall, service, path, run, clock)
    return True


def status(
    system: System,
    service: Service,
    environ: Mapping[str, str],
    run: Run,
    url: str,
    answers: Callable[[str], bool],
) -> Answer:
    """Return the system's status of the service, and whether its page answers; code 0 if all is well.

    url: of the page. answers: checks the page, since Windows reports success even for a task that ended long ago.
    """
    path = system.file(service, environ)
    if not path.exists():
        return Answer(3, f"The service is not installed ({path} does not exist).")
    said = run(_filled(system.status, path))
    if answers(url):
        return Answer(said.code, f"{said.words}\nIt answers at {url}.")
    return Answer(
        said.code or 1,
        f"{said.words}\nIt does not answer at {url}; its log says why. If it has another port, name that in "
        "BUYERBLOCK_PORT.",
    )


def run_program(command: Sequence[str]) -> Answer:
    """Run a program of the system. Raises FileNotFoundError if it is missing."""
    done = subprocess.run(command, capture_output=True, check=False, text=True, errors="replace", timeout=120)  # noqa: S603 - only commands of the table above
    return Answer(done.returncode, (done.stdout + done.stderr).strip())


def page_answers(url: str) -> bool:
    """Return whether the page at this local address is healthy."""
    import requests  # noqa: PLC0415 - a server need not keep it in memory

    with requests.Session() as session:
        session.trust_env = False  # no proxy for a local address
        try:
            return session.get(f"{url}healthz", timeout=10).text == "ok\n"
        except requests.RequestException:
            return False


def _call_all(
    system: System, calls: Sequence[Call], service: Service, path: Path, run: Run, clock: Clock
) -> list[str]:
    advice = []
    for call in calls:
        command = _filled(call.command, path)
        try:
            answer = run(command)
            ends = clock.monotonic() + call.patience
            while call.patience and not answer.code and clock.monotonic() < ends:
                clock.pause(0.5)
                answer = run(command)
        except FileNotFoundError as error:
            raise UsageError(system.missing, command=subprocess.list2cmdline(service.command)) from error
        except (OSError, subprocess.TimeoutExpired) as error:
            raise StorageError(
                "“{command}” could not be run: {error}.", command=" ".join(command), error=error
            ) from error
        if call.patience:
            continue  # if the wait was too short, the next call fails with the system's own message
        if answer.code and call.advice is None:
            said = f"“{' '.join(command)}” was refused: {answer.words or answer.code}"
            if "connect to bus" in answer.words:
                said += (
                    ". systemd serves only users who logged in themselves, not by su or sudo; log in as the one who is "
                    f"to run it, or let something else run: {subprocess.list2cmdline(service.command)}"
                )
            raise UsageError(said)
        if answer.code and call.advice:
            advice.append(call.advice.format(user=os.environ.get("USER", "YOUR-NAME")))
    return advice


def _filled(command: Sequence[str], path: Path) -> list[str]:
    domain = f"gui/{os.getuid()}" if sys.platform != "win32" else ""
    return [word.replace("{file}", str(path)).replace("{domain}", domain) for word in command]


def _allows_sandbox(run: Run) -> bool:
    # Some distributions forbid user namespaces to programs without a profile, so try it.
    wanted = ("PrivateUsers=yes", "PrivateTmp=yes", "ProtectSystem=strict", "ProtectHome=read-only")
    options = [word for it in wanted for word in ("-p", it)]
    try:
        return run(["systemd-run", "--user", "--wait", "--quiet", "--collect", *options, "true"]).code == 0
    except FileNotFoundError:
        return False
