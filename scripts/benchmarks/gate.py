"""Measure the gate with 100,000 blocks: 1,000 mails through and 1,000 refused, by one tool and by ten at once.

It is compared with no gate, and with Postfix with an access map of the same buyers, if it can run here. Postfix replies
when a mail is in its queue, the gate when the real server has accepted it.
"""

import hashlib
import multiprocessing
import os
import smtplib
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from multiprocessing.queues import Queue
from pathlib import Path

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from benchmarks.filling import address, fill
from benchmarks.postfix import is_available, postfix, wait_for_port
from worker.block_list import BlockList
from worker.database import open_database
from worker.gate.settings import USER, GateSettings, StoredGate
from worker.sealing import Sealer

BLOCKS = 100_000
MAILS = 1_000
TOOLS = (1, 10)
KEY = "k" * 32
SENDER = "shop@seller.example"

Connect = Callable[[], smtplib.SMTP]


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)  # Postfix's processes run as other users
        real, gate, postfix_port = free_port(), free_port(), free_port()
        arrived: Queue[str] = multiprocessing.get_context("spawn").Queue()
        secret = set_up(folder / "data", gate, real)
        print(f"{MAILS:,} mails of 6 KB, {BLOCKS:,} blocks:")
        with real_server(real, arrived):
            measure("without a gate", lambda: connected(real), arrived, refused=False)
            with running_gate(folder / "data", gate):
                for refused in (False, True):
                    measure("the gate", lambda: connected(gate, secret), arrived, refused=refused)
            if not is_available():
                print("  Postfix cannot be run here: it needs root, and Debian's package postfix")
                return
            with postfix(folder / "postfix", postfix_port, real, [address(n) for n in range(BLOCKS)]):
                for refused in (False, True):
                    measure("Postfix", lambda: connected(postfix_port), arrived, refused=refused)


def measure(name: str, connect: Connect, arrived: "Queue[str]", *, refused: bool) -> None:
    """Print mails per second and milliseconds per mail; check that all arrived, or none."""
    for tools in TOOLS:
        shares = [range(n, MAILS, tools) for n in range(tools)]
        started = time.perf_counter()
        with ThreadPoolExecutor(tools) as pool:
            times = sorted(
                it
                for share_times in pool.map(lambda share: send(connect, share, refused=refused), shares)
                for it in share_times
            )
        seconds = time.perf_counter() - started
        found = [arrived.get(timeout=60) for _ in range(0 if refused else MAILS)]
        arrival = time.perf_counter() - started
        changed = len(set(found) - {digest(mail(n)) for n in range(MAILS)})
        print(
            f"  {name}, {'refused' if refused else 'through'}, {tools} at once: {MAILS / seconds:,.0f} a second, "
            f"median {statistics.median(times):.2f} ms, 99 of 100 {times[len(times) * 99 // 100]:.2f} ms"
            + ("" if refused else f"; all arrived after {arrival:.2f} s, {changed:,} with other bytes")
        )


def send(connect: Connect, numbers: range, *, refused: bool) -> list[float]:
    """Send these mails with one connection; return the milliseconds of each."""
    times = []
    with closing(connect()) as tool:
        for n in numbers:
            content = mail(n)
            recipient = address(n if refused else BLOCKS + n)
            started = time.perf_counter()
            try:
                tool.sendmail(SENDER, recipient, content)
                assert not refused
            except smtplib.SMTPRecipientsRefused:
                assert refused
            times.append((time.perf_counter() - started) * 1000)
        tool.quit()
    return times


def mail(n: int) -> bytes:
    """Return a typical mail of a shop, 6 KB."""
    return b"From: shop@seller.example\r\nSubject: Order %d\r\n\r\n" % n + (b"x" * 76 + b"\r\n") * 75


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def connected(port: int, secret: str = "") -> smtplib.SMTP:
    tool = smtplib.SMTP("127.0.0.1", port, timeout=60)
    if secret:
        tool.login(USER, secret)
    return tool


def set_up(folder: Path, port: int, real: int) -> str:
    """Fill a block list and set up a gate; return the password of its tools."""
    folder.mkdir()
    with closing(open_database(folder)) as database:
        fill(BlockList(database), BLOCKS)
        settings = GateSettings(upstream="localhost", upstream_port=real, upstream_tls="none", port=port)
        return StoredGate(database, Sealer(KEY)).save(settings) or ""


@contextmanager
def running_gate(folder: Path, port: int) -> Iterator[None]:
    """Run the gate in its own process."""
    environment = os.environ | {"BUYERBLOCK_DATA_DIR": str(folder), "BUYERBLOCK_SECRET_KEY": KEY}
    with subprocess.Popen(
        [sys.executable, "-m", "oauth_web", "gate"], env=environment, stderr=subprocess.DEVNULL
    ) as process:
        try:
            wait_for_port(port)
            yield
        finally:
            process.terminate()


@contextmanager
def real_server(port: int, arrived: "Queue[str]") -> Iterator[None]:
    """Run the real server in its own process."""
    process = multiprocessing.get_context("spawn").Process(
        target=accept_mail, args=(port, arrived), daemon=True
    )
    process.start()
    wait_for_port(port)
    yield
    process.terminate()


def accept_mail(port: int, arrived: "Queue[str]") -> None:
    """Accept mail forever, and put the digest of each mail into the queue."""
    Controller(_Handler(arrived), hostname="127.0.0.1", port=port).start()
    while True:
        time.sleep(60)


class _Handler:
    def __init__(self, arrived: "Queue[str]") -> None:
        self._arrived = arrived

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        content = envelope.original_content or b""
        self._arrived.put(digest(content))
        return "250 taken"


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


if __name__ == "__main__":
    main()
