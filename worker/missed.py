"""Mail that the filters did not catch: from before they were there, or from while they were broken."""

from collections.abc import Container
from dataclasses import dataclass
from datetime import datetime, timedelta

from worker.accounts import EVER
from worker.gmail.mailbox import Mailbox
from worker.gmail.wanted import Net

# Gmail's clock and ours may differ, and mail may arrive while a pass ends.
OVERLAP = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Missed:
    """Message ids. tidy: those that the tidy filter would have archived. queue: those that are to be judged."""

    tidy: tuple[str, ...] = ()
    queue: tuple[str, ...] = ()


def find_missed(mailbox: Mailbox, searches: Net, since: datetime, judged: Container[str]) -> Missed:
    """Search the mail received since a moment, in the words of the filters. judged: ids that need no second look."""
    after = f"after:{int(since.timestamp())} " if since > EVER else ""
    tidy = _found(mailbox, [f"in:inbox {after}{query}" for query in searches.tidy])
    queue = _found(mailbox, [f"{after}{query}" for query in searches.queue])
    return Missed(
        tidy=tuple(it for it in tidy if it not in judged), queue=tuple(it for it in queue if it not in judged)
    )


def _found(mailbox: Mailbox, queries: list[str]) -> list[str]:
    found = (ref.id for query in queries for page in mailbox.find(query=query) for ref in page)
    return list(dict.fromkeys(found))
