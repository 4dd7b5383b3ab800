"""The content of the service file for each system, and how it escapes paths. Pure."""

import plistlib
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PureWindowsPath
from xml.sax.saxutils import escape

from worker.errors import UsageError

NAME = "buyerblock"
LABEL = f"local.{NAME}"  # launchd needs a reversed domain; nobody owns .local
WATCHDOG_SECONDS = 300
_DESCRIPTION = "Block list of Amazon buyers who opted out of messages"
_RESTART_SECONDS = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """What a service runs.

    command: program and arguments. environment: variables besides the system's own; they may contain secrets. user:
    whose log-on starts it on Windows, such as ``DESKTOP\\seller``. sandbox: False if the kernel does not allow user
    services their own file system.
    """

    command: tuple[str, ...]
    data_dir: Path
    environment: Mapping[str, str]
    user: str = ""
    sandbox: bool = True

    def __post_init__(self) -> None:
        for text in (*self.command, str(self.data_dir), *self.environment.values(), self.user):
            if any(ord(character) < 32 for character in text):
                raise UsageError(
                    "A service cannot be given {text!r}: there is a line break or the like in it.", text=text
                )


# Each option needs a separate file system for the service. Before systemd 253 a user service silently ignores them
# without PrivateUsers.
_SANDBOX = """\
PrivateUsers=yes
PrivateTmp=yes
ProtectSystem=strict
ProtectHome=read-only
ReadWritePaths={data_dir}
ProtectControlGroups=yes
ProtectKernelTunables=yes
"""
# StartLimitIntervalSec=0: unlimited restarts. The colon before the command: dollar signs are no variables.
_UNIT = """\
[Unit]
Description={description}
StartLimitIntervalSec=0

[Service]
Type=notify
ExecStart=:{command}
{environment}\
Restart=on-failure
RestartSec={restart}
WatchdogSec={watchdog}
TimeoutStopSec=15
UMask=0077
NoNewPrivileges=yes
{sandbox}\
LockPersonality=yes
RestrictAddressFamilies=AF_INET AF_INET6 AF_NETLINK AF_UNIX
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
SystemCallArchitectures=native

[Install]
WantedBy=default.target
"""


def systemd_unit(service: Service) -> bytes:
    """Return a unit for systemd's user manager: systemd.service(5), systemd.exec(5)."""
    data_dir = _quoted(str(service.data_dir))
    unit = _UNIT.format(
        description=_DESCRIPTION,
        command=" ".join(map(_quoted, _runnable(service.command))),
        environment="".join(
            f"Environment={_quoted(f'{name}={value}')}\n"
            for name, value in sorted(service.environment.items())
        ),
        restart=_RESTART_SECONDS,
        watchdog=WATCHDOG_SECONDS,
        sandbox=_SANDBOX.format(data_dir=data_dir) if service.sandbox else "",
    )
    return unit.encode()


def _runnable(command: tuple[str, ...]) -> tuple[str, ...]:
    # systemd accepts any character in an argument, but not these in the name of a program, even escaped.
    if set(command[0]) & set("'\"\\"):
        return ("/bin/sh", "-c", 'exec "$@"', "sh", *command)
    return command


def _quoted(text: str) -> str:
    # In a unit file a percent sign starts a specifier.
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
    return f'"{escaped}"'


def launchd_agent(service: Service) -> bytes:
    """Return a property list for a launchd agent: launchd.plist(5)."""
    return plistlib.dumps(
        {
            "Label": LABEL,
            "ProgramArguments": list(service.command),
            "EnvironmentVariables": dict(service.environment),
            "RunAtLoad": True,
            "KeepAlive": {"SuccessfulExit": False},
            "ThrottleInterval": _RESTART_SECONDS,
            "ProcessType": "Background",
            "ExitTimeOut": 15,
            "Umask": 0o077,
        }
    )


# With IgnoreNew, the time trigger restarts a task that has ended. PT0S: no limit. RestartOnFailure has the shortest
# interval and the largest count that are allowed.
_TASK = """\
<?xml version="1.0" encoding="UTF-16"?>
<Task version="1.2" xmlns="http://schemas.microsoft.com/windows/2004/02/mit/task">
  <RegistrationInfo><Description>{description}</Description></RegistrationInfo>
  <Triggers>
    <LogonTrigger><Enabled>true</Enabled><UserId>{user}</UserId></LogonTrigger>
    <TimeTrigger>
      <Repetition><Interval>PT5M</Interval><StopAtDurationEnd>false</StopAtDurationEnd></Repetition>
      <StartBoundary>2020-01-01T00:00:00</StartBoundary>
      <Enabled>true</Enabled>
    </TimeTrigger>
  </Triggers>
  <Principals>
    <Principal>
      <UserId>{user}</UserId>
      <LogonType>InteractiveToken</LogonType>
      <RunLevel>LeastPrivilege</RunLevel>
    </Principal>
  </Principals>
  <Settings>
    <MultipleInstancesPolicy>IgnoreNew</MultipleInstancesPolicy>
    <DisallowStartIfOnBatteries>false</DisallowStartIfOnBatteries>
    <StopIfGoingOnBatteries>false</StopIfGoingOnBatteries>
    <StartWhenAvailable>true</StartWhenAvailable>
    <ExecutionTimeLimit>PT0S</ExecutionTimeLimit>
    <RestartOnFailure><Interval>PT1M</Interval><Count>255</Count></RestartOnFailure>
  </Settings>
  <Actions>
    <Exec><Command>{program}</Command><Arguments>{arguments}</Arguments></Exec>
  </Actions>
</Task>
"""


def windows_task(service: Service) -> bytes:
    """Return a task for Windows' Task Scheduler. A task cannot set environment variables.

    The schema: learn.microsoft.com/windows/win32/taskschd/task-scheduler-schema.
    """
    program, *arguments = service.command
    task = _TASK.format(
        description=_DESCRIPTION,
        user=escape(service.user),
        program=escape(_windowless(program)),
        arguments=escape(subprocess.list2cmdline(arguments)),
    )
    return task.encode("utf-16")  # the only encoding that schtasks reads reliably


def _windowless(program: str) -> str:
    # pythonw.exe opens no console window.
    path = PureWindowsPath(program)
    return str(path.with_name("pythonw.exe")) if path.name.lower() == "python.exe" else program
