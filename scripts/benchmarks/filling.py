"""Test data of the benchmarks: invented buyers and suspect mails, two mailboxes, three marketplaces, one rare."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from time import perf_counter

from worker.block_list.block_list import BlockList
from worker.block_list.model import Sighting
from worker.block_list.review import Review, ReviewItem
from worker.notices.doubts import Doubt, Reason

OWNER = "seller@gmail.com"
RARE = "amazon.nl"
_BATCH = 10_000
_YEARS = timedelta(days=3 * 365)


def address(n: int) -> str:
    """Return the alias of a buyer. The alphabetical order differs from the order of the list."""
    return f"b{n * 7919 % 10_000_019:014d}@marketplace.amazon.it"


def order(n: int) -> str:
    return f"406-{n:07d}-1234567"


def sighting(n: int, *, of: int, now: datetime) -> Sighting:
    """Return the notice about buyer n. of: number of all buyers; buyer 0 has the newest notice."""
    return Sighting(
        account=OWNER if n % 4 else "other@gmail.com",
        message_id=f"0102018e{n:032x}-000000@eu-west-1.amazonses.com",
        received_at=now - _YEARS * (n / of),
        address=address(n),
        order_id=order(n),
        marketplace=RARE if n % 10_007 == 0 else "amazon.it" if n % 3 else "amazon.de",
    )


def fill(block_list: BlockList, size: int) -> None:
    """Block so many buyers, in the order of their notices."""
    now = datetime.now(UTC).replace(microsecond=0)
    for end in range(size, 0, -_BATCH):
        numbers = range(end - 1, max(0, end - _BATCH) - 1, -1)
        block_list.record([sighting(n, of=size, now=now) for n in numbers])


def fill_review(review: Review, size: int) -> None:
    """Add so many suspect mails, equally of each doubt."""
    now = datetime.now(UTC).replace(microsecond=0)
    doubts = (Doubt.GUESSED_WORDING, Doubt.FORWARDED_BY_STRANGER, Doubt.DMARC_FAILED)
    review.add(
        ReviewItem(
            account=OWNER,
            gmail_id=f"{n:016x}",
            message_id=f"{n}@eu-west-1.amazonses.com",
            received_at=now - timedelta(hours=n),
            reason=Reason(doubts[n % len(doubts)], "colleague@shop.example"),
            subject="Your message to a buyer could not be delivered",
            sender="Amazon <donotreply@amazon.it>",
            address=address(n),
            order_id=order(n),
        )
        for n in range(size)
    )


def milliseconds(action: Callable[[], object]) -> float:
    started = perf_counter()
    action()
    return (perf_counter() - started) * 1000
