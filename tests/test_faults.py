"""Random faults, by fixed seeds: whatever goes wrong on the way, the outcome is that of a day without faults.

The program runs in a child process (a fork, so that it starts at once), the stand-in for Google in this one. A schedule
puts faults on some of the calls, kills the program at most once, and goes on until a pass succeeds.
"""

import os
import random
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from forks import Child, seller_with_mail
from sellers import EMAIL, Seller

from oauth_web.demo.sandbox import Fault

SCHEDULES = int(os.environ.get("BUYERBLOCK_TEST_SCHEDULES", "60"))
MAILS = (
    "opt_out/it_specimen_shape.eml",
    "opt_out/en_order_only.eml",
    "opt_out/ja_utf8.eml",
    "suspect/several_orders.eml",
    "unrelated/copy_with_quoted_notice.eml",
    "unrelated/copy_without_type_quoting_notice.eml",
)
# This one the user deletes between list and read, in some schedules; no outcome depends on it.
DOOMED = "unrelated/failed_for_another_reason.eml"
# A schedule ends when a pass succeeds; the most that one needed so far is 4.
MAX_PASSES = 12
QUEUE = "Amazon opt-outs/Queue"

PASSING = (
    Fault(status=500),
    Fault(status=502),
    Fault(status=503, retry_after=3),
    Fault(status=503, effect=True),
    Fault(status=403, reason="rateLimitExceeded", message="Quota exceeded"),
    Fault(status=403, reason="userRateLimitExceeded", message="User-rate limit exceeded", retry_after=10),
    Fault(status=429, reason="rateLimitExceeded", message="Too many concurrent requests for user"),
    Fault(slow=0.002),
    Fault(cut="before"),
    Fault(cut="after"),
    Fault(cut="body"),
    Fault(garble="half"),
    Fault(garble="not_json"),
)

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="This system has no fork.")


class Schedule:
    """The faults of one seed, as the hook that the stand-in for Google asks before every call."""

    def __init__(self, seed: int, seller: Seller, doomed: str, child: Child) -> None:
        self._random = random.Random(seed)
        self._google, self._user = seller.google, seller.google.user(EMAIL)
        self._doomed = doomed
        self._rate = self._random.choice((0.02, 0.04, 0.06))
        self._calls = 0
        happenings = [
            Fault(before=child.kill, cut="before"),
            Fault(after=child.kill),
            Fault(before=self._user.expire_access_tokens),
            Fault(before=self._delete_queue),
            Fault(before=lambda: self._user.delete_message(self._doomed)),
        ]
        # What happens once, and at which call; a program is killed at most once.
        del happenings[self._random.randrange(2)]
        self._once = {self._random.randrange(2, 50): it for it in self._random.sample(happenings, 2)}

    def __call__(self, _number: int, _method: str, _email: str) -> Fault | None:
        self._calls += 1
        if once := self._once.pop(self._calls, None):
            return once
        # Bad times end; otherwise a schedule might never.
        if self._calls < 100 and self._random.random() < self._rate:
            return self._random.choice(PASSING)
        return None

    def _delete_queue(self) -> None:
        if QUEUE in self._google.labels(EMAIL):
            self._user.delete_label(QUEUE)


@contextmanager
def seller_and_doomed(folder: Path) -> Iterator[tuple[Seller, str]]:
    with seller_with_mail(folder, MAILS) as seller:
        yield seller, seller.receive(DOOMED)


def outcome(seller: Seller, doomed: str) -> tuple[object, ...]:
    """Return all that the passes left behind: the block list, the review list, every message's labels."""
    blocks = [(it.key, it.orders, it.notices, it.evidence) for it in seller.block_list.blocks()]
    mailbox = {
        message_id: labels
        for message_id, labels in seller.google.mailbox(EMAIL).items()
        if message_id != doomed
    }
    return blocks, seller.review.items(), mailbox, seller.google.labels(EMAIL)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> tuple[tuple[object, ...], int]:
    with seller_and_doomed(tmp_path_factory.mktemp("undisturbed")) as (seller, doomed):
        assert Child(seller).run_pass() == 0
        return outcome(seller, doomed), seller.google.units(EMAIL)


@pytest.mark.parametrize("seed", range(SCHEDULES))
def test_faults_change_neither_the_lists_nor_the_mailbox_and_cost_little(
    seed: int, undisturbed: tuple[tuple[object, ...], int], tmp_path: Path
) -> None:
    expected, units = undisturbed
    with seller_and_doomed(tmp_path) as (seller, doomed):
        child = Child(seller)
        seller.google.fault = Schedule(seed, seller, doomed, child)
        for _ in range(MAX_PASSES):
            if child.run_pass() == 0:
                break
            seller.later(minutes=1)
        else:
            pytest.fail("no pass succeeded")
        assert outcome(seller, doomed) == expected
        assert seller.google.units(EMAIL) <= 2 * units
