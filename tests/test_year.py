"""A year in virtual time: arrivals, sleep, restarts, faults and repairs.

At its end the list is exact and nothing has grown.
"""

import random
import threading
from pathlib import Path

import pytest
from sellers import EMAIL, EXPECTED, Seller, sample

from sandbox import Fault
from worker.errors import BuyerblockError

TEXT = "opt_out/en_text_only.eml"
ORDER = EXPECTED[TEXT]["order_id"].encode()
ALIAS = EXPECTED[TEXT]["address"].partition("@")[0].encode()
OTHERS = (
    "unrelated/refund_issued.eml",
    "unrelated/copy_with_quoted_notice.eml",
    "suspect/several_orders.eml",
)
PASSING = (
    Fault(status=503),
    Fault(status=429, reason="rateLimitExceeded"),
    Fault(cut="before"),
    Fault(cut="after"),
    Fault(garble="half"),
)


class Year:
    """What happens to a seller and the machine, by a fixed seed."""

    def __init__(self, seller: Seller) -> None:
        self._seller = seller
        self._user = seller.google.user(EMAIL)
        self._random = random.Random(2026)
        self._number = 0
        self.told: list[str] = []

    def day(self) -> None:
        """Let one day go by: some mail comes, and most hours the program runs."""
        for _ in range(4):
            self._arrivals()
            self._mishap()
            self._pass()
            self._seller.later(hours=self._random.choice((1, 6, 11)))
        if self._random.random() < 0.03:
            self._seller.later(days=self._random.randrange(1, 9))  # the laptop was closed

    def _arrivals(self) -> None:
        if self._random.random() < 0.4:
            n = self._number = self._number + 1
            mail = sample(TEXT).replace(ORDER, b"406-%07d-%07d" % (n, n)).replace(ALIAS, b"b%014d" % n)
            mail = mail.replace(b"Message-ID: <", b"Message-ID: <%d." % n)
            self._seller.google.deliver(EMAIL, mail, received_at=self._seller.clock.now())
        if self._random.random() < 0.1:
            self._seller.receive(self._random.choice(OTHERS))

    def _mishap(self) -> None:
        what = self._random.random()
        if what < 0.01 and "Amazon opt-outs/Queue" in self._seller.google.labels(EMAIL):
            self._user.delete_label("Amazon opt-outs/Queue")
        elif what < 0.02 and (filters := self._user.filters()):
            self._user.delete_filter(str(self._random.choice(filters)["id"]))
        elif what < 0.05:
            self._seller.restart()
        elif what < 0.08:
            self._user.expire_access_tokens()

    def _pass(self) -> None:
        rate = self._random.choice((0, 0, 0, 0.1, 0.6))

        def fault(_number: int, _method: str, _email: str) -> Fault | None:
            return self._random.choice(PASSING) if self._random.random() < rate else None

        self._seller.google.fault = fault if rate else None
        try:
            self._seller.run_pass()
        except BuyerblockError as error:
            self.told.append(str(error))
        self._seller.google.fault = None

    @property
    def buyers(self) -> set[str]:
        domain = EXPECTED[TEXT]["address"].partition("@")[2]
        return {f"b{n:014d}@{domain}" for n in range(1, self._number + 1)}


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="Open files are counted as Linux shows them.")
def test_a_year_of_sleep_faults_and_repairs_ends_with_an_exact_list_and_nothing_grown(seller: Seller) -> None:
    year = Year(seller)
    for _ in range(30):
        year.day()
    files, threads = open_files(), threading.active_count()
    for _ in range(335):
        year.day()
    seller.run_pass()
    assert seller.blocked() == year.buyers
    assert len(year.buyers) > 400
    assert all("Queue" not in label for labels in seller.google.mailbox(EMAIL).values() for label in labels)
    # Every connection has two ends in this one process.
    assert open_files() <= files + 20
    assert threading.active_count() <= threads + 20
    assert year.told, "the faults were meant to end some passes"
    remembered = sum(path.stat().st_size for path in seller.folder.glob("judged*"))
    assert remembered < 10_000, "ids of judged mail are forgotten after some days"
