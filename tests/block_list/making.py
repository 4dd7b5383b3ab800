"""Invented buyers, orders and notices for the tests of the block list."""

from datetime import UTC, datetime, timedelta

from worker.block_list.model import Sighting

START = datetime(2026, 9, 10, 0, 4, 50, tzinfo=UTC)
SELLER = "seller@gmail.example"


def alias(number: int) -> str:
    """Return the alias of an invented buyer."""
    return f"buyer{number:010d}@marketplace.amazon.it"


def order(number: int) -> str:
    """Return the ID of an invented order."""
    return f"406-{number:07d}-{number % 1000:07d}"


def notice(
    number: int, *, buyer: int | None = None, order_of: int | None = None, days: float = 0
) -> Sighting:
    """Return notice number; buyer and order_of say what it names, days when it came after START."""
    return Sighting(
        account=SELLER,
        message_id=f"{number}@eu-west-1.amazonses.example",
        received_at=START + timedelta(days=days),
        address=None if buyer is None else alias(buyer),
        order_id=None if order_of is None else order(order_of),
    )


class Now:
    """A clock that stands still until a test moves it."""

    def __init__(self, moment: datetime = START) -> None:
        self.moment = moment

    def __call__(self) -> datetime:
        return self.moment

    def after(self, *, days: float) -> None:
        """Let it be this many days after START."""
        self.moment = START + timedelta(days=days)
