"""What runs passes: at home the scheduler of this process, on a host the jobs of many machines."""

from typing import Protocol

from worker.block_list.review import ReviewItem
from worker.mailbox_pass.decisions import Decision


class Jobs(Protocol):
    """The passes of a seller's accounts. On a host all methods may raise StorageError."""

    def claim(self, email: str) -> None:
        """Assign the mailbox to this seller. Raises UsageError if it belongs to another seller."""

    def add(self, email: str) -> None:
        """Start the passes of an account. The first one starts at once and checks the rules."""

    def remove(self, email: str) -> None:
        """Stop the passes of an account, if it has any."""

    def restart(self) -> None:
        """Start a pass of every account at once, and later ones at the current interval."""

    def file(self, items: list[ReviewItem], decision: Decision) -> None:
        """File mail that a person decided about, in the background."""
