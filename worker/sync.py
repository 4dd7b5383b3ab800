"""One pass over one mailbox: put right what is missing, then drain the queue.

The order is the promise. A notice is read and judged; its buyer is made durable on the block list; only
then is the mail filed and taken out of the queue. Killed between any two steps, the next
pass does the rest again, and doing it again changes nothing.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta

from worker.accounts import EVER, Account, Accounts
from worker.block_list.block_list import BlockList
from worker.block_list.review import Review
from worker.clock import Clock
from worker.errors import LabelGoneError
from worker.filing import filing
from worker.gmail import rules
from worker.gmail.mailbox import PAGE, Mailbox
from worker.gmail.model import Change, MessageRef
from worker.gmail.quota import PRICES
from worker.gmail.wanted import INBOX, OPT_OUTS, QUEUE, net, wanted_filters
from worker.judged import JudgedIds
from worker.missed import OVERLAP, Missed, find_missed
from worker.notices.judge import in_new_words
from worker.notices.model import OptOut, Suspect, Unrelated, Verdict
from worker.progress import Progress, Watch, unwatched
from worker.report import PassReport, Preview
from worker.rhythm import latest
from worker.verdicts import Judged, judge_messages, make_durable

RULES_EVERY = timedelta(hours=1)
LIST_EVERY = timedelta(hours=1)
SWEEP_EVERY = timedelta(days=1)
SWEEP_OVER = timedelta(days=7)
# How many messages are read before their verdicts are made durable together.
DURABLE_EVERY = 50


class Sync:
    """Runs the passes of one account, one at a time.

    Between passes it remembers only what saves calls: when the rules were last seen in order, a count of the queue that
    no list explains (queued mail in Trash, for example), and mail that was judged but could not be filed.
    """

    def __init__(
        self,
        email: str,
        *,
        mailbox: Mailbox,
        accounts: Accounts,
        block_list: BlockList,
        review: Review,
        judged: JudgedIds,
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
        self._advice = ""
        self._rules_seen: datetime | None = None
        self._unexplained: tuple[int, datetime] | None = None
        self._unfiled: dict[str, Judged] = {}

    def run_pass(self, watch: Watch = unwatched) -> PassReport:
        """Run one pass and report it. watch is told how far it is.

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
        steps: tuple[rules.Step, ...] = ()
        if self._advice or self._due(self._rules_seen, RULES_EVERY):
            account, steps = self._keep_rules(account)
        self._queue_missed(account, started)
        counts = self._drain(watch)
        self._accounts.update(self._email, last_pass=started, last_good_pass=started, queued=0)
        return PassReport(
            opt_outs=counts[OptOut],
            suspects=counts[Suspect],
            unrelated=counts[Unrelated],
            units=self._mailbox.quota.spent - spent,
            steps=steps,
            advice=self._advice,
        )

    def look_at_rules(self) -> None:
        """Have the next pass look at the rules; may be called while a pass runs."""
        self._rules_seen = None

    def preview(self, watch: Watch = unwatched, *, existing: bool = False) -> Preview:
        """Return what a pass would do, and do nothing. It reads, and judges, all that the pass would."""
        account = self._accounts.get(self._email)
        account = replace(account, search_from=EVER if existing else account.search_from)
        there, steps = self._plan(account)
        self._labels = dict(there.labels) | {
            step.name: "" for step in steps if isinstance(step, rules.CreateLabel)
        }
        since = self._search_from(account, self._clock.now(), broken=bool(steps))
        missed = self._find(account, since) if since else Missed()
        queued = [ref.id for page in self._queue_pages() for ref in page] if self._labels[QUEUE] else []
        refs = [MessageRef(it, "") for it in dict.fromkeys((*queued, *missed.queue))]
        judged: list[Judged] = []
        for messages in self._read(refs):
            judged += messages
            watch(Progress(done=len(judged), total=len(refs)))
        filings = tuple((it, filing(it.verdict, it.message, self._labels)) for it in judged)
        return Preview(steps=steps, missed=missed, filings=filings)

    def _due(self, last: datetime | None, every: timedelta) -> bool:
        # A clock that was set back must not keep us waiting until it is there again.
        return last is None or not timedelta() <= self._clock.now() - last < every

    # --- labels and filters

    def _keep_rules(self, account: Account) -> tuple[Account, tuple[rules.Step, ...]]:
        """Repair labels and filters; return what had to be done."""
        there, steps = self._plan(account)
        if steps:
            # First, durably: mail may have slipped past, whatever happens to this pass.
            since = self._search_from(account, self._clock.now(), broken=True)
            account = self._accounts.update(self._email, search_from=since) or account
        there = rules.apply(self._mailbox, there, steps)
        self._labels = dict(there.labels)
        self._accounts.update(self._email, labels=self._labels, filter_ids=there.filter_ids)
        self._rules_seen = self._clock.now()
        return account, steps

    def _plan(self, account: Account) -> tuple[rules.Rules, tuple[rules.Step, ...]]:
        self._trusted = self._mailbox.send_as_addresses() | {account.email, *account.trusted}
        wanted = wanted_filters(net(account.personal_address), self._forward_to(account))
        there = rules.look(self._mailbox, labels=account.labels, filter_ids=account.filter_ids, wanted=wanted)
        return there, rules.plan(there, wanted)

    def _forward_to(self, account: Account) -> str | None:
        self._advice = ""
        if account.forward_to and account.forward_to not in self._mailbox.verified_forwarding_addresses():
            self._advice = (
                f"Notices are not forwarded yet: add {account.forward_to} in Gmail under Settings, Forwarding and "
                "POP/IMAP, and confirm it by the mail that Gmail sends there."
            )
            return None
        return account.forward_to

    # --- mail that the filters did not queue

    def _search_from(self, account: Account, now: datetime, *, broken: bool) -> datetime | None:
        """Return from when on the mailbox has to be searched, if at all."""
        due = [account.search_from] if account.search_from else []
        if broken:
            due.append(account.last_good_pass - OVERLAP if account.last_good_pass else EVER)
        if self._due(account.swept_at, SWEEP_EVERY):
            due.append(now - SWEEP_OVER)
        return min(due, default=None)

    def _find(self, account: Account, since: datetime) -> Missed:
        # Whoever asks for the whole mailbox again wants all of it judged again.
        searches = net(account.personal_address)
        return find_missed(self._mailbox, searches, since, self._judged if since > EVER else frozenset())

    def _queue_missed(self, account: Account, now: datetime) -> None:
        """Do to missed mail what the filters would have done."""
        since = self._search_from(account, now, broken=False)
        if since is None:
            return
        missed = self._find(account, since)
        tidied = Change(add=frozenset({self._labels[OPT_OUTS]}), remove=frozenset({INBOX}))
        self._mailbox.change(missed.tidy, tidied)
        self._mailbox.change(missed.queue, Change(add=frozenset({self._labels[QUEUE]})))
        self._accounts.update(self._email, search_from=None, swept_at=now)

    # --- the queue

    def _drain(self, watch: Watch) -> Counter[type[Verdict]]:
        """Judge and file all that is queued, newest first, a page at a time, so that new mail never waits for old."""
        counts: Counter[type[Verdict]] = Counter()
        total = self._mailbox.count(self._labels[QUEUE])
        if total == 0 or self._is_known_to_hold_nothing(total):
            return counts
        self._accounts.update(self._email, queued=total)
        seen: set[str] = set()
        while True:
            page = next(self._queue_pages())
            refs = [ref for ref in page if ref.id not in seen]
            seen.update(ref.id for ref in refs)
            for judged in self._read([ref for ref in refs if ref.id not in self._unfiled]):
                make_durable(judged, self._email, self._block_list, self._review)
                self._unfiled |= {it.message.id: it for it in judged}
                counts.update(type(it.verdict) for it in judged)
                self._remember(judged)
                watch(self._progress(counts, total))
            self._file([ref.id for ref in refs])
            self._accounts.update(self._email, queued=max(0, total - len(seen)))
            if len(page) < PAGE or not refs:
                break
        self._unexplained = None if seen else (total, self._clock.now())
        return counts

    def _remember(self, judged: list[Judged]) -> None:
        """Keep what tells later whether notices stopped coming, or come in new words."""
        notices = [it.message.received_at for it in judged if isinstance(it.verdict, OptOut)]
        new_words = [it.message.received_at for it in judged if in_new_words(it.verdict)]
        if not notices and not new_words:
            return
        account = self._accounts.get(self._email)
        known = [account.new_wording_at] if account.new_wording_at else []
        self._accounts.update(
            self._email,
            notice_days=latest(account.notice_days, (moment.date() for moment in notices)),
            new_wording_at=max([*known, *new_words], default=None),
        )

    def _progress(self, counts: Counter[type[Verdict]], total: int) -> Progress:
        done = counts.total()
        left = timedelta(
            minutes=max(0, total - done) * PRICES["users.messages.get"] / self._mailbox.quota.allowance
        )
        return Progress(done=done, total=max(total, done), found=counts[OptOut], left=left)

    def _is_known_to_hold_nothing(self, count: int) -> bool:
        known = self._unexplained
        return known is not None and known[0] == count and not self._due(known[1], LIST_EVERY)

    def _queue_pages(self) -> Iterator[list[MessageRef]]:
        return self._mailbox.find(label_id=self._labels[QUEUE])

    def _read(self, refs: list[MessageRef]) -> Iterator[list[Judged]]:
        for start in range(0, len(refs), DURABLE_EVERY):
            messages = self._mailbox.read(refs[start : start + DURABLE_EVERY])
            yield judge_messages(messages, self._trusted)

    def _file(self, message_ids: list[str]) -> None:
        changes: defaultdict[Change, list[str]] = defaultdict(list)
        filed = [self._unfiled[it] for it in message_ids if it in self._unfiled]
        for it in filed:
            changes[filing(it.verdict, it.message, self._labels)].append(it.message.id)
        for change, ids in changes.items():
            self._mailbox.change(ids, change)
        for it in filed:
            del self._unfiled[it.message.id]
        self._judged.add([it.message.id for it in filed], self._clock.now())
