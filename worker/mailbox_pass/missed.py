"""Mail that the filters missed: from before they existed, or while they were broken."""

from collections.abc import Callable, Container
from dataclasses import dataclass
from datetime import datetime, timedelta

from worker.gmail.mailbox import Mailbox
from worker.gmail.model import MessageRef
from worker.gmail.wanted import Queries
from worker.owner.accounts import BEGINNING

# Gmail's clock may differ from ours, and mail may arrive while a pass ends.
OVERLAP = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Missed:
    """Missed messages. archive: in the inbox, to be archived like our filter does. queue: to be judged.

    archived: outside the inbox, perhaps archived by our filter.
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
    """Search the mail received since a moment, with the queries of the filters.

    judged: ids to skip. label_lost: the label that marks what our filter archived was deleted.
    between: called after every page, since searching a large mailbox takes minutes.
    """
    after = f"after:{int(since.timestamp())} " if since > BEGINNING else ""

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
