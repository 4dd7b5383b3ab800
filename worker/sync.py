"""One pass over one mailbox: put right what is missing, then drain the queue.

The order is the promise. A notice is read and judged; its buyer is made durable on the block list; only
then is the mail filed and taken out of the queue. Killed between any two steps, the next
pass does the rest again, and doing it again changes nothing.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Container, Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from worker.accounts import EVER, Account, Accounts
from worker.block_list.block_list import BlockList
from worker.block_list.review import Review
from worker.clock import Clock
from worker.errors import GmailError, LabelGoneError
from worker.filing import filing
from worker.gmail import rules
from worker.gmail.mailbox import MOST_IDS, PAGE, Mailbox
from worker.gmail.model import Change, MessageRef
from worker.gmail.quota import PRICES
from worker.gmail.wanted import INBOX, LABELS, OPT_OUTS, QUEUE, net, wanted_filters
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
# How long a long search or a long reading may keep from looking for new mail.
LOOK_EVERY = timedelta(seconds=45)
SWEEP_EVERY = timedelta(days=1)
SWEEP_OVER = timedelta(days=7)
# How many messages are read before their verdicts are made durable together.
DURABLE_EVERY = 50
# How many are read between two looks for new mail, at the usual allowance: somewhat less than a minute's worth.
MOST_AT_ONCE = PAGE // 2


class Sync:
    """Runs the passes of one account, one at a time.

    Between passes it remembers only what saves calls: when the rules were last seen in order, when the queue was last
    listed, a count of it that no list explains (queued mail in Trash, for example), and mail that was judged but could
    not be filed.
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
        self._listed: datetime | None = None
        self._unexplained = 0
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
        if account.undoing:
            raise GmailError(
                "Our filters and labels are being removed from this mailbox: disconnect it again to finish "
                "that, or sign in again to keep it."
            )
        steps: tuple[rules.Step, ...] = ()
        if self._advice or self._due(self._rules_seen, RULES_EVERY):
            account, steps = self._keep_rules(account)
        counts: Counter[type[Verdict]] = Counter()
        self._queue_missed(account, started, counts)
        self._drain(counts, watch)
        self._accounts.update(
            self._email, last_pass=started, last_good_pass=started, queued=0, queued_since=None
        )
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
        # A label that is still to be created stands in by its name.
        labels = {name: there.labels.get(name, label.name) for name, label in LABELS.items()}
        since = self._search_from(account, self._clock.now(), broken=bool(steps))
        missed = self._find(account, since) if since else Missed()
        queued = [ref for page in self._queue_pages(labels) for ref in page] if QUEUE in there.labels else []
        refs = list(dict.fromkeys((*queued, *missed.queue)))
        judged: list[Judged] = []
        for messages in self._read(refs):
            judged += messages
            watch(Progress(done=len(judged), total=len(refs)))
        tidied = {ref.id for ref in missed.tidy}
        filings = tuple((it, self._would_file(it, labels, tidied)) for it in judged)
        return Preview(steps=steps, missed=missed, filings=filings)

    def _would_file(self, it: Judged, labels: Mapping[str, str], tidied: Container[str]) -> Change:
        # A pass would already have archived and queued it.
        added = {labels[QUEUE]} | ({labels[OPT_OUTS]} if it.message.id in tidied else set())
        taken = {INBOX} if it.message.id in tidied else set()
        message = replace(it.message, label_ids=(it.message.label_ids | added) - taken)
        return filing(it.verdict, message, labels)

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
            last = account.last_good_pass
            # By a clock that was wrong then, or is now, nobody knows when that was.
            due.append(last - OVERLAP if last is not None and last <= now else EVER)
            # Older mail that a search had queued may have fallen out of the queue together with the rest.
            due += [account.queued_since] if account.queued_since else []
        if self._due(account.swept_at, SWEEP_EVERY):
            due.append(now - SWEEP_OVER)
        return min(due, default=None)

    def _find(self, account: Account, since: datetime, between: Callable[[], None] = lambda: None) -> Missed:
        # Whoever asks for the whole mailbox again wants all of it judged again.
        judged = self._judged if since > EVER else frozenset[str]()
        return find_missed(self._mailbox, net(account.personal_address), since, judged, between)

    def _queue_missed(self, account: Account, now: datetime, counts: Counter[type[Verdict]]) -> None:
        """Do to missed mail what the filters would have done, new mail going before it."""
        since = self._search_from(account, now, broken=False)
        if since is None:
            return

        def look() -> None:
            self._look_for_new_mail(counts)

        missed = self._find(account, since, look)
        tidied = Change(add=frozenset({self._labels[OPT_OUTS]}), remove=frozenset({INBOX}))
        queued = Change(add=frozenset({self._labels[QUEUE]}))
        for refs, change in ((missed.tidy, tidied), (missed.queue, queued)):
            for start in range(0, len(refs), MOST_IDS):
                self._mailbox.change([ref.id for ref in refs[start : start + MOST_IDS]], change)
                look()
        self._accounts.update(
            self._email,
            search_from=None,
            swept_at=now,
            queued_since=min(since, account.queued_since or since),
        )

    # --- the queue

    def _drain(self, counts: Counter[type[Verdict]], watch: Watch) -> None:
        """Judge and file all that is queued, newest first; it looks again and again, so that new mail never waits.

        Looking is cheap and filing is dear, so mail is filed by whole pages.
        """
        total = self._mailbox.count(self._labels[QUEUE])
        if self._is_known_to_hold_nothing(total):
            return
        self._accounts.update(self._email, queued=total)
        seen: set[str] = set()
        more = True
        while more:
            page, looked = self._newest(), self._clock.now()
            fresh = [ref for ref in page if ref.id not in seen]
            refs = fresh[: self._at_once()]
            seen.update(ref.id for ref in refs)
            self._judge(refs, counts, lambda: watch(self._progress(counts, total)))
            more = bool(refs) and (
                len(page) == PAGE or len(fresh) > len(refs) or self._due(looked, LOOK_EVERY)
            )
            if not more or len(seen & self._unfiled.keys()) + self._at_once() > PAGE:
                self._file(seen)
            self._accounts.update(self._email, queued=max(0, total - len(seen)))
        self._unexplained = 0 if seen else total

    def _look_for_new_mail(self, counts: Counter[type[Verdict]]) -> None:
        """Judge and file the newest of the queue, unless that was done a moment ago."""
        if self._due(self._listed, LOOK_EVERY):
            refs = self._newest()[:DURABLE_EVERY]
            self._judge(refs, counts, lambda: None)
            self._file({ref.id for ref in refs})

    def _newest(self) -> list[MessageRef]:
        page = next(self._queue_pages(self._labels))
        self._listed = self._clock.now()
        return page

    def _at_once(self) -> int:
        minute = self._mailbox.quota.allowance // PRICES["users.messages.get"]
        return min(MOST_AT_ONCE, max(DURABLE_EVERY, minute * 5 // 6))

    def _judge(
        self, refs: list[MessageRef], counts: Counter[type[Verdict]], told: Callable[[], None]
    ) -> None:
        for judged in self._read([ref for ref in refs if ref.id not in self._unfiled]):
            make_durable(judged, self._email, self._block_list, self._review)
            self._unfiled |= {it.message.id: it for it in judged}
            counts.update(type(it.verdict) for it in judged)
            self._remember(judged)
            told()

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
        # Counts can be late. So whatever they say, the list is asked from time to time.
        return count == self._unexplained and not self._due(self._listed, LIST_EVERY)

    def _queue_pages(self, labels: Mapping[str, str]) -> Iterator[list[MessageRef]]:
        return self._mailbox.find(label_id=labels[QUEUE])

    def _read(self, refs: list[MessageRef]) -> Iterator[list[Judged]]:
        for start in range(0, len(refs), DURABLE_EVERY):
            messages = self._mailbox.read(refs[start : start + DURABLE_EVERY])
            yield judge_messages(messages, self._trusted)

    def _file(self, message_ids: Container[str]) -> None:
        changes: defaultdict[Change, list[str]] = defaultdict(list)
        filed = [it for message_id, it in self._unfiled.items() if message_id in message_ids]
        for it in filed:
            changes[filing(it.verdict, it.message, self._labels)].append(it.message.id)
        for change, ids in changes.items():
            self._mailbox.change(ids, change)
        for it in filed:
            del self._unfiled[it.message.id]
        self._judged.add([it.message.id for it in filed], self._clock.now())
