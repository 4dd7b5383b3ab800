"""Postfix on loopback with an access map, in a temporary folder; needs root, and Debian's package postfix."""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_SERVICES = Path("/etc/postfix/master.cf.proto")
_SETTINGS = """\
compatibility_level = 3.6
queue_directory = {folder}/queue
data_directory = {folder}/data
maillog_file =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mynetworks = 127.0.0.0/8
mydestination =
relayhost = [127.0.0.1]:{relay_port}
default_transport = smtp
smtp_tls_security_level = none
smtpd_recipient_restrictions = check_recipient_access {kind}:{folder}/blocked, permit_mynetworks, reject
smtpd_client_connection_count_limit = 0
smtpd_client_connection_rate_limit = 0
smtpd_error_sleep_time = 0
smtpd_hard_error_limit = 100000
smtpd_soft_error_limit = 100000
smtpd_junk_command_limit = 100000
smtpd_recipient_limit = 10000
"""


def is_available() -> bool:
    return _SERVICES.exists() and hasattr(os, "geteuid") and os.geteuid() == 0


def services(port: int) -> str:
    """Return Debian's master.cf without chroots, with SMTP at this port of loopback."""
    lines = [it.split() for it in _SERVICES.read_text(encoding="ascii").splitlines() if it[:1].isalpha()]
    kept = [[*it[:4], "n", *it[5:]] for it in lines if it[1] != "inet" and it[-1] != "pipe"]
    return (
        "\n".join(map(" ".join, [[f"127.0.0.1:{port}", "inet", "n", "-", "n", "-", "-", "smtpd"], *kept]))
        + "\n"
    )


@contextmanager
def postfix(folder: Path, port: int, relay_port: int, blocked: list[str]) -> Iterator[None]:
    """Run Postfix at a port. relay_port: of the next server. blocked: refused recipients."""
    for name in ("queue", "data"):
        (folder / name).mkdir(parents=True)
    shutil.chown(folder / "data", "postfix")
    kinds = subprocess.run(("postconf", "-m"), capture_output=True, text=True, check=True).stdout.split()
    kind = next(it for it in ("lmdb", "cdb", "hash") if it in kinds)
    text = "this buyer opted out of unsolicited messages"
    (folder / "blocked").write_text("".join(f"{it} 550 5.7.1 {text}\n" for it in blocked), encoding="ascii")
    (folder / "master.cf").write_text(services(port), encoding="ascii")
    settings = _SETTINGS.format(folder=folder, relay_port=relay_port, kind=kind)
    (folder / "main.cf").write_text(settings, encoding="ascii")
    subprocess.run(("postmap", "-c", str(folder), f"{kind}:{folder}/blocked"), check=True)
    subprocess.run(("postfix", "-c", str(folder), "start"), check=True, stderr=subprocess.DEVNULL)
    try:
        wait_for_port(port)
        yield
    finally:
        subprocess.run(("postfix", "-c", str(folder), "stop"), check=False, stderr=subprocess.DEVNULL)


def wait_for_port(port: int) -> None:
    """Wait for a server, at most 30 seconds. Raises TimeoutError."""
    end = time.monotonic() + 30
    while True:
        with socket.socket() as wire:
            if wire.connect_ex(("127.0.0.1", port)) == 0:
                return
        if time.monotonic() > end:
            raise TimeoutError(port)
        time.sleep(0.05)
