"""Mail that the filters did not catch: from before they were there, or from while they were broken."""

from collections.abc import Callable, Container
from dataclasses import dataclass
from datetime import datetime, timedelta

from worker.gmail.mailbox import Mailbox
from worker.gmail.model import MessageRef
from worker.gmail.wanted import Queries
from worker.owner.accounts import EVER

# Gmail's clock and ours may differ, and mail may arrive while a pass ends.
OVERLAP = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Missed:
    """Messages. archive: those to take out of the inbox, as our filter would have. queue: those to be judged.

    archived: those outside the inbox that our filter may have taken out of it.
    """

    archive: tuple[MessageRef, ...] = ()
    archived: tuple[MessageRef, ...] = ()
    queue: tuple[MessageRef, ...] = ()


def find_missed(
    mailbox: Mailbox,
    searches: Queries,
    since: datetime,
    judged: Container[str],
    *,
    label_lost: bool,
    between: Callable[[], None] = lambda: None,
) -> Missed:
    """Search the mail received since a moment, in the words of the filters.

    judged: ids that need no second look. label_lost: the label that shows what our filter archived was deleted.
    between: called after every page: searching a large mailbox takes minutes.
    """
    after = f"after:{int(since.timestamp())} " if since > EVER else ""

    def found(queries: list[str]) -> tuple[MessageRef, ...]:
        refs: dict[MessageRef, None] = {}
        for query in queries:
            for page in mailbox.find(query=query):
                refs |= dict.fromkeys(ref for ref in page if ref.id not in judged)
                between()
        return tuple(refs)

    return Missed(
        archive=found([f"in:inbox {after}{query}" for query in searches.archive]),
        archived=found([f"-in:inbox {after}{query}" for query in searches.archive if label_lost and after]),
        queue=found([f"{after}{query}" for query in searches.queue]),
    )
