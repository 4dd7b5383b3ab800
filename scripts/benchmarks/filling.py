"""Invented buyers and doubtful mails for the benchmarks: two mailboxes, three marketplaces, one of them rare."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from time import perf_counter

from worker.block_list.block_list import BlockList
from worker.block_list.model import Sighting
from worker.block_list.review import Review, ReviewItem
from worker.notices.doubts import Doubt, Reason

OWNER = "seller@gmail.com"
RARE = "amazon.nl"
_AT_ONCE = 10_000
_YEARS = timedelta(days=3 * 365)


def address(n: int) -> str:
    """Return the alias of a buyer; neighbours on the list are no neighbours in the alphabet."""
    return f"b{n * 7919 % 10_000_019:014d}@marketplace.amazon.it"


def order(n: int) -> str:
    """Return a buyer's order."""
    return f"406-{n:07d}-1234567"


def sighting(n: int, *, of: int, now: datetime) -> Sighting:
    """Return the notice about a buyer of so many; number 0 is the newest."""
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
    for end in range(size, 0, -_AT_ONCE):
        numbers = range(end - 1, max(0, end - _AT_ONCE) - 1, -1)
        block_list.record([sighting(n, of=size, now=now) for n in numbers])


def fill_review(review: Review, size: int) -> None:
    """Let so many doubtful mails wait, as many of each group."""
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
    """Return how long something takes."""
    started = perf_counter()
    action()
    return (perf_counter() - started) * 1000
