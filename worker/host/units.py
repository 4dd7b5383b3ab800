"""The systemd units of a host's processes."""

import sys
from collections.abc import Sequence

_UNIT = """\
# To /etc/systemd/system/{name}.service; then: systemctl daemon-reload && systemctl enable --now {name}
# The settings (BUYERBLOCK_...) stand in /etc/buyerblock.env, a NAME=VALUE a line, for root alone: chmod 600
[Unit]
Description=buyerblock: {what}
Wants=network-online.target
After=network-online.target postgresql.service

[Service]
EnvironmentFile=/etc/buyerblock.env
ExecStart={command}
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


def unit(name: str, what: str, arguments: Sequence[str]) -> str:
    """Return a unit that runs this program with some arguments. what: the process is for, in a few words."""
    # -P: whatever lies in the folder that it starts in, it is not taken for a part of the program.
    command = " ".join((sys.executable, "-P", "-m", "oauth_web", *arguments))
    return _UNIT.format(name=name, what=what, command=command)
