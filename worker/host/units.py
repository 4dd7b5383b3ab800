"""The systemd units of a host's processes."""

import sys
from pathlib import Path

# A template unit: each process is an instance, named after the @. The name of a web process is its port.
_UNIT = """\
# To /etc/systemd/system/{name}@.service; then: systemctl daemon-reload && systemctl enable --now {name}@{first}
# The settings (BUYERBLOCK_...) are in /etc/buyerblock.env, a NAME=VALUE a line, for root alone: chmod 600
[Unit]
Description=buyerblock: {what} (%i)
Wants=network-online.target
After=network-online.target postgresql.service

[Service]
# Its user is made up and has no home directory; nothing is kept on this machine.
Environment=BUYERBLOCK_DATA_DIR=/nonexistent
EnvironmentFile=/etc/buyerblock.env
{more}ExecStart={command}
Restart=always
RestartSec=2
TimeoutStopSec=10
DynamicUser=yes
ProtectSystem=strict
ProtectHome=yes
PrivateTmp=yes
NoNewPrivileges=yes

[Install]
WantedBy=multi-user.target
"""
# -P: Python does not import modules from the current folder.
_PROGRAM = (sys.executable, "-P", "-m", "oauth_web", "host")
# Only root can read the client file: systemd gives the process a copy.
_CREDENTIAL = "LoadCredential=client.json:{file}\n"
_WITH_CLIENT = ("/usr/bin/env", "BUYERBLOCK_CLIENT_SECRETS=${CREDENTIALS_DIRECTORY}/client.json")


def worker_unit(*options: str) -> str:
    return _unit("buyerblock-work", "1", "passes", *_PROGRAM, "work", *options)


def web_unit(client_file: Path, *options: str) -> str:
    command = (*_WITH_CLIENT, *_PROGRAM, "serve", *options)
    return _unit(
        "buyerblock-serve", "8001", "page and API", *command, more=_CREDENTIAL.format(file=client_file)
    )


def _unit(name: str, first: str, what: str, *command: str, more: str = "") -> str:
    return _UNIT.format(name=name, first=first, what=what, more=more, command=" ".join(command))
