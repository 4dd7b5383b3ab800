"""What runs passes: at home the scheduler of this process, on a host the jobs of many machines."""

from typing import Protocol

from worker.block_list.review import ReviewItem
from worker.mailbox_pass.decisions import Decision


class Jobs(Protocol):
    """The passes of a seller's accounts. On a host calls raise StorageError."""

    def claim(self, email: str) -> None:
        """Let the mailbox be this seller's. Raises UsageError where it is another's."""

    def add(self, email: str) -> None:
        """Give an account its passes, the first at once, and it looks at the rules."""

    def remove(self, email: str) -> None:
        """Take an account's passes away, if it has any."""

    def restart(self) -> None:
        """Have a pass of every account start at once, and the others at the present interval."""

    def file(self, items: list[ReviewItem], decision: Decision) -> None:
        """File mail that a person decided about, as soon as Gmail takes it; no page waits for that."""
