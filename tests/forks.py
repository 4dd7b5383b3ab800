"""A pass of the program in a child process: a fork, so that it starts at once, and can be killed."""

import os
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from clocks import FakeClock
from sellers import EMAIL, Seller, connected

from oauth_web.demo.sandbox import Sandbox


class Child:
    """Runs passes, one at a time; the stand-in for Google, which is in this process, may kill one."""

    def __init__(self, seller: Seller) -> None:
        self._seller = seller
        self._pid = 0

    def run_pass(self) -> int:
        """Return how the process ended: 0 after a pass that succeeded, -9 when it was killed."""
        sys.stdout.flush()
        self._pid = os.fork()
        if self._pid == 0:
            try:
                self._seller.restart()
                self._seller.run_pass()
            except BaseException:
                os._exit(1)
            os._exit(0)
        _, status = os.waitpid(self._pid, 0)
        return os.waitstatus_to_exitcode(status)

    def kill(self) -> None:
        os.kill(self._pid, signal.SIGKILL)


@contextmanager
def seller_with_mail(folder: Path, mails: Sequence[str]) -> Iterator[Seller]:
    clock = FakeClock()
    with Sandbox(clock=clock) as google:
        google.add_user(EMAIL)
        with connected(google, clock, folder) as seller:
            for name in mails:
                seller.receive(name)
            yield seller
