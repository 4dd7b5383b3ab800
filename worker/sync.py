"""One pass over one mailbox: put right what is missing, then drain the queue.

The order is the promise. A notice is read and judged; its buyer is made durable on the block list; only
then is the mail filed and taken out of the queue. Killed between any two steps, the next
pass does the rest again, and doing it again changes nothing.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from worker.accounts import Account, Accounts
from worker.block_list.block_list import BlockList
from worker.block_list.model import Sighting
from worker.block_list.review import Review, ReviewItem
from worker.clock import Clock
from worker.errors import LabelGoneError
from worker.filing import filing
from worker.gmail import rules
from worker.gmail.mailbox import PAGE, Mailbox
from worker.gmail.model import Change, Message, MessageRef
from worker.gmail.wanted import INBOX, OPT_OUTS, QUEUE, Net, net, wanted_filters
from worker.judged import Judged
from worker.notices.judge import judge
from worker.notices.model import OptOut, Suspect, Verdict
from worker.progress import Watch, unwatched

RULES_EVERY = timedelta(hours=1)
LIST_EVERY = timedelta(hours=1)
SWEEP_EVERY = timedelta(days=1)
SWEEP_OVER = timedelta(days=7)
# Gmail's clock and ours may differ, and mail may arrive while a pass ends.
OVERLAP = timedelta(hours=1)
# How many messages are judged before their verdicts are made durable together.
DURABLE_EVERY = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class PassReport:
    """What a pass did. steps: repairs of labels and filters; units: Gmail quota spent."""

    opt_outs: int = 0
    suspects: int = 0
    unrelated: int = 0
    queued: int = 0
    units: int = 0
    steps: tuple[rules.Step, ...] = ()

    @property
    def judged(self) -> int:
        return self.opt_outs + self.suspects + self.unrelated

    def __str__(self) -> str:
        return (
            f"{self.judged} judged: {self.opt_outs} opt-outs, {self.suspects} to review, "
            f"{self.unrelated} unrelated; {len(self.steps)} repairs; {self.units} quota units"
        )


class Sync:
    """Runs the passes of one account, one at a time.

    Between passes it remembers only what saves calls: when the rules were last seen in order, and a count of
    the queue that no list explains (queued mail in Trash, for example).
    """

    def __init__(
        self,
        email: str,
        *,
        mailbox: Mailbox,
        accounts: Accounts,
        block_list: BlockList,
        review: Review,
        judged: Judged,
        clock: Clock,
    ) -> None:
        self._email = email
        self._mailbox = mailbox
        self._accounts = accounts
        self._block_list = block_list
        self._review = review
        self._judged = judged
        self._clock = clock
        self._labels: dict[str, str] = {}
        self._trusted: frozenset[str] = frozenset()
        self._rules_seen: datetime | None = None
        self._unexplained: tuple[int, datetime] | None = None

    def run_pass(self, watch: Watch = unwatched) -> PassReport:
        """Run one pass and report it. watch is told (judged, found so far) as it goes.

        Raises the errors of Mailbox and BlockList; whatever was acknowledged by then stays.
        """
        try:
            return self._pass(watch)
        except LabelGoneError:
            # The user deleted a label in the middle of it: repair, and search for what fell out of the queue.
            self._rules_seen = None
            return self._pass(watch)

    def _pass(self, watch: Watch) -> PassReport:
        started, spent = self._clock.now(), self._mailbox.quota.spent
        account = self._accounts.get(self._email)
        steps = self._keep_rules(account) if self._due(self._rules_seen, RULES_EVERY) else ()
        self._queue_missed(account, repaired=bool(steps))
        counts = self._drain(watch)
        self._accounts.update(self._email, last_pass=started, last_good_pass=started, queued=0)
        return PassReport(
            opt_outs=counts[OptOut],
            suspects=counts[Suspect],
            unrelated=counts.total() - counts[OptOut] - counts[Suspect],
            units=self._mailbox.quota.spent - spent,
            steps=steps,
        )

    def _due(self, last: datetime | None, every: timedelta) -> bool:
        return last is None or self._clock.now() - last >= every

    # --- labels and filters

    def _keep_rules(self, account: Account) -> tuple[rules.Step, ...]:
        """Repair labels and filters; return what had to be done."""
        forward_to = account.forward_to
        if forward_to and forward_to not in self._mailbox.verified_forwarding_addresses():
            forward_to = None
        wanted = wanted_filters(net(account.personal_address), forward_to)
        there = rules.look(self._mailbox, labels=account.labels, filter_ids=account.filter_ids, wanted=wanted)
        steps = rules.plan(there, wanted)
        there = rules.apply(self._mailbox, there, steps)
        self._labels = dict(there.labels)
        self._accounts.update(self._email, labels=self._labels, filter_ids=there.filter_ids)
        self._trusted = self._mailbox.send_as_addresses() | {account.email, *account.trusted}
        self._rules_seen = self._clock.now()
        return steps

    # --- mail that the filters did not queue

    def _queue_missed(self, account: Account, *, repaired: bool) -> None:
        """Queue mail from before the filters were there, or from while they were broken; and once a day sweep."""
        searches = net(account.personal_address)
        if account.existing or (repaired and account.last_good_pass is None):
            self._tidy(searches)
            self._queue(searches, since=None, skip_judged=not account.existing)
            self._accounts.update(self._email, existing=False, swept_at=self._clock.now())
        elif repaired and account.last_good_pass is not None:
            self._queue(searches, since=account.last_good_pass - OVERLAP, skip_judged=True)
        elif self._due(account.swept_at, SWEEP_EVERY):
            self._queue(searches, since=self._clock.now() - SWEEP_OVER, skip_judged=True)
            self._accounts.update(self._email, swept_at=self._clock.now())

    def _tidy(self, searches: Net) -> None:
        """Do to old mail in the inbox what the tidy filter would have done."""
        change = Change(add=frozenset({self._labels[OPT_OUTS]}), remove=frozenset({INBOX}))
        for query in searches.tidy:
            found = self._found(f"in:inbox {query}")
            self._mailbox.change(found, change)

    def _queue(self, searches: Net, *, since: datetime | None, skip_judged: bool) -> None:
        """Do to old mail what the queue filter would have done."""
        after = f"after:{int(since.timestamp())} " if since else ""
        found = {message_id for query in searches.queue for message_id in self._found(f"{after}{query}")}
        wanted = [it for it in found if not (skip_judged and it in self._judged)]
        self._mailbox.change(wanted, Change(add=frozenset({self._labels[QUEUE]})))

    def _found(self, query: str) -> list[str]:
        return [ref.id for page in self._mailbox.find(query=query) for ref in page]

    # --- the queue

    def _drain(self, watch: Watch) -> Counter[type[Verdict]]:
        """Judge and file all that is queued, newest first, a page at a time, so that new mail never waits for old."""
        counts: Counter[type[Verdict]] = Counter()
        total = self._mailbox.count(self._labels[QUEUE])
        if total == 0 or self._explains_nothing(total):
            return counts
        seen: set[str] = set()
        while True:
            page = next(self._mailbox.find(label_id=self._labels[QUEUE]))
            refs = [ref for ref in page if ref.id not in seen]
            seen.update(ref.id for ref in refs)
            self._judge_and_file(refs, counts, lambda: watch(counts.total(), max(total, counts.total())))
            if len(page) < PAGE or not refs:
                break
        if not seen:
            self._unexplained = (total, self._clock.now())
        return counts

    def _explains_nothing(self, count: int) -> bool:
        if self._unexplained is None or self._unexplained[0] != count:
            return False
        return not self._due(self._unexplained[1], LIST_EVERY)

    def _judge_and_file(
        self, refs: list[MessageRef], counts: Counter[type[Verdict]], tell: Callable[[], None]
    ) -> None:
        changes: defaultdict[Change, list[str]] = defaultdict(list)
        for start in range(0, len(refs), DURABLE_EVERY):
            judged = [(it, self._judge(it)) for it in self._mailbox.read(refs[start : start + DURABLE_EVERY])]
            self._make_durable(judged)
            for message, verdict in judged:
                counts[type(verdict)] += 1
                changes[filing(verdict, message, self._labels)].append(message.id)
            tell()
        for change, message_ids in changes.items():
            self._mailbox.change(message_ids, change)
        self._judged.add([it for ids in changes.values() for it in ids], self._clock.now())

    def _judge(self, message: Message) -> Verdict:
        return judge(message.raw, trusted=self._trusted, from_owner="SENT" in message.label_ids)

    def _make_durable(self, judged: Iterable[tuple[Message, Verdict]]) -> None:
        """Persist, so that filing may acknowledge."""
        sightings, doubtful = [], []
        for message, verdict in judged:
            match verdict:
                case OptOut():
                    sightings.append(_sighting(self._email, message, verdict))
                case Suspect():
                    doubtful.append(_review_item(self._email, message, verdict))
                case _:
                    pass
        if sightings:
            self._block_list.record(sightings)
        if doubtful:
            self._review.add(doubtful)


def _sighting(email: str, message: Message, verdict: OptOut) -> Sighting:
    return Sighting(
        account=email,
        message_id=verdict.message_id or message.id,
        received_at=message.received_at,
        address=verdict.address,
        order_id=verdict.order_id,
        marketplace=verdict.marketplace,
        sent_on=verdict.sent_on,
    )


def _review_item(email: str, message: Message, verdict: Suspect) -> ReviewItem:
    return ReviewItem(
        account=email,
        gmail_id=message.id,
        message_id=verdict.message_id or message.id,
        received_at=message.received_at,
        reason=verdict.reason,
        subject=verdict.subject,
        sender=verdict.sender,
        address=verdict.address,
        order_id=verdict.order_id,
        marketplace=verdict.marketplace,
    )
