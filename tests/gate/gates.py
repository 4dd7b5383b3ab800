"""How the tests of the gate send."""

import smtplib
import socket
from dataclasses import dataclass

from worker.gate.record import GateRecord, Record
from worker.gate.server import Gate
from worker.gate.settings import MARKED_USER, USER

BLOCKED = [f"abcdef012345678{n}@marketplace.amazon.it" for n in range(5)]
ALLOWED = [f"zyxwvu987654321{n}@marketplace.amazon.it" for n in range(5)]
SENDER = "shop@seller.example"
MAIL = b"From: shop@seller.example\r\nSubject: Your order\r\n\r\nThank you.\r\n"
SINCE = "2026-11-23"


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


@dataclass(frozen=True)
class Running:
    """A gate that runs. secret: the password of tools."""

    gate: Gate
    port: int
    secret: str
    written: GateRecord

    @property
    def record(self) -> Record:
        self.written.flush()
        return self.written.read()

    def connect(self) -> smtplib.SMTP:
        return smtplib.SMTP("127.0.0.1", self.port, timeout=30)

    def tool(self, user: str = USER) -> smtplib.SMTP:
        """Return a tool that is signed in."""
        tool = self.connect()
        tool.login(user, self.secret)
        return tool

    def marked(self) -> smtplib.SMTP:
        return self.tool(MARKED_USER)

    def send(
        self, *recipients: str, mail: bytes = MAIL, options: tuple[str, ...] = ()
    ) -> dict[str, tuple[int, bytes]]:
        """Send as one mail; return what was refused, as smtplib does."""
        with self.tool() as tool:
            return tool.sendmail(SENDER, list(recipients), mail, options)

    def raw(self, *lines: bytes) -> bytes:
        """Send these at once and return all that comes back until the gate closes."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=30) as wire:
            wire.sendall(b"".join(line + b"\r\n" for line in lines))
            answers = b""
            while piece := wire.recv(65536):
                answers += piece
        return answers
