"""One pass over one mailbox: repair labels and filters, then drain the queue. The order matters, see the package."""

from collections import Counter
from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from worker.clock import is_due
from worker.errors import GmailError, LabelGoneError, TransientError
from worker.gmail import rules
from worker.gmail.mailbox import MAX_IDS
from worker.gmail.model import Change
from worker.gmail.wanted import LABELS, OPT_OUTS, QUEUE, archiving, queries, wanted_filters
from worker.mailbox_pass.context import Context
from worker.mailbox_pass.filing import filing
from worker.mailbox_pass.judged import JudgedIds
from worker.mailbox_pass.missed import OVERLAP, Missed, find_missed
from worker.mailbox_pass.progress import Progress, Watch, unwatched
from worker.mailbox_pass.queue import Queue, QueueRules
from worker.mailbox_pass.report import PassReport, Preview
from worker.mailbox_pass.verdicts import Judged, Trust
from worker.notices.model import OptOut, Suspect, Unrelated, Verdict
from worker.owner.accounts import BEGINNING, Account
from worker.problems import Cause, MailboxProblem

RULES_EVERY = timedelta(hours=1)
SWEEP_EVERY = timedelta(days=1)
# When much mail arrives, Gmail's filters may miss some.
SWEEP_EVERY_WHEN_BUSY = timedelta(hours=3)
BUSY_FROM = 200  # messages since the last sweep
SWEEP_OVER = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class _RulesCheck:
    """steps: the repairs that are needed. advice: a problem that only the user can fix."""

    current: rules.Rules
    steps: tuple[rules.Step, ...]
    trust: Trust
    advice: MailboxProblem | None


class Sync:
    """Runs the passes of one account, one at a time. Keeps the rules between them."""

    def __init__(self, context: Context) -> None:
        self._email = context.email
        self._mailbox = context.mailbox
        self._accounts = context.accounts
        self._clock = context.clock
        self._judged = JudgedIds(context.database, context.email)
        self.queue = Queue(context, self._judged)
        self._advice: MailboxProblem | None = None
        self._rules = QueueRules({}, Trust())
        self._rules_checked_at: datetime | None = None
        self._judged_since_sweep = 0

    def run_pass(self, watch: Watch = unwatched) -> PassReport:
        """Run one pass. watch: called with the progress.

        Raises the errors of Mailbox and BlockList; mail that was filed before the error stays filed.
        """
        try:
            return self._pass(watch)
        except LabelGoneError:
            # The user deleted a label during the pass: repair it, and search for the mail that lost it.
            self._rules_checked_at = None
            return self._pass(watch)

    def _pass(self, watch: Watch) -> PassReport:
        started, spent = self._clock.now(), self._mailbox.quota.spent
        account = self._accounts.get(self._email)
        if account.undoing:
            raise GmailError(Cause.BEING_REMOVED)
        steps: tuple[rules.Step, ...] = ()
        unverified = self._advice is not None and self._advice.cause is Cause.FORWARDING_UNVERIFIED
        if unverified or is_due(self._rules_checked_at, RULES_EVERY, self._clock.now()):
            account, steps = self._repair_rules(account)
        counts: Counter[type[Verdict]] = Counter()
        self._queue_missed(account, started, counts)
        self.queue.drain(self._rules, counts, watch)
        self._judged_since_sweep += counts.total()
        self._accounts.update(
            self._email, last_pass=started, last_good_pass=started, queued=0, queued_since=None, progress=None
        )
        return PassReport(
            opt_outs=counts[OptOut],
            suspects=counts[Suspect],
            unrelated=counts[Unrelated],
            units=self._mailbox.quota.spent - spent,
            steps=steps,
            advice=self._advice,
        )

    def recheck_rules(self) -> None:
        """Make the next pass check the rules; may be called while a pass runs."""
        self._rules_checked_at = None

    def preview(self, watch: Watch = unwatched, *, existing: bool = False) -> Preview:
        """Return what a pass would do, without doing it. It reads and judges the same mail."""
        account = self._accounts.get(self._email)
        account = replace(account, search_from=BEGINNING if existing else account.search_from)
        check = self._check_rules(account)
        # A label that does not exist yet is represented by its name.
        labels = {name: check.current.labels.get(name, label.name) for name, label in LABELS.items()}
        since = self._search_from(account, self._clock.now(), broken=bool(check.steps))
        missed = self._find(account, since) if since else Missed()
        pages = self.queue.pages(labels) if QUEUE in check.current.labels else ()
        refs = list(dict.fromkeys((*(ref for page in pages for ref in page), *missed.queue)))
        judged: list[Judged] = []
        for messages in self.queue.read(refs, check.trust, {}):
            judged += messages
            watch(Progress(done=len(judged), total=len(refs)))
        archived = {ref.id for ref in missed.archive}
        mark_read = account.mark_read
        filings = tuple((it, self._would_file(it, labels, archived, mark_read=mark_read)) for it in judged)
        return Preview(steps=check.steps, missed=missed, filings=filings)

    def _would_file(
        self, it: Judged, labels: Mapping[str, str], archived: Container[str], *, mark_read: bool
    ) -> Change:
        # A pass would already have archived and queued it.
        added = {labels[QUEUE]} | ({labels[OPT_OUTS]} if it.message.id in archived else set())
        removed = archiving(mark_read=mark_read).remove if it.message.id in archived else set()
        message = replace(it.message, label_ids=(it.message.label_ids | added) - removed)
        return filing(it.verdict, message, labels, mark_read=mark_read)

    # --- labels and filters

    def _repair_rules(self, account: Account) -> tuple[Account, tuple[rules.Step, ...]]:
        """Repair labels and filters; return the updated account and the repairs."""
        check = self._check_rules(account)
        if account.adopted is None:
            # Before the first repair: what exists now was not made by us.
            known = {*account.labels.values(), *account.filter_ids}
            ids = {*check.current.labels.values(), *check.current.filter_ids} - known
            account = self._accounts.update(self._email, adopted=tuple(sorted(ids))) or account
        if check.steps:
            # Stored before the repair: if this pass fails, the next one must still search for missed mail.
            since = self._search_from(account, self._clock.now(), broken=True)
            lost = rules.CreateLabel(OPT_OUTS) in check.steps and OPT_OUTS in account.labels
            account = (
                self._accounts.update(self._email, search_from=since, label_lost=lost or account.label_lost)
                or account
            )
        current = rules.apply(self._mailbox, check.current, check.steps)
        self._accounts.update(self._email, labels=dict(current.labels), filter_ids=current.filter_ids)
        self._rules, self._advice = QueueRules(current.labels, check.trust), check.advice
        self._rules_checked_at = self._clock.now()
        return account, check.steps

    def _check_rules(self, account: Account) -> _RulesCheck:
        forwarders = self._mailbox.send_as_addresses() | {account.email, *account.trusted}
        forward_to, advice = account.forward_to, None
        if forward_to and forward_to not in self._mailbox.verified_forwarding_addresses():
            advice = MailboxProblem(Cause.FORWARDING_UNVERIFIED, {"address": forward_to})
            forward_to = None
        searches = queries(account.personal_address)
        wanted = wanted_filters(searches, forward_to, mark_read=account.mark_read)
        trust = Trust(frozenset(forwarders), frozenset(account.redirectors))
        current = rules.read_current(
            self._mailbox, labels=account.labels, filter_ids=account.filter_ids, wanted=wanted
        )
        if advice is None and (address := rules.other_program_address(current)):
            advice = MailboxProblem(Cause.ANOTHER_PROGRAM, {"address": address})
        adopted = account.adopted or ()
        steps = (
            it
            for it in rules.plan(current, wanted)
            if not (isinstance(it, rules.DeleteFilter) and it.filter.id in adopted)
        )
        return _RulesCheck(current, tuple(steps), trust, advice)

    # --- mail that the filters did not queue

    def _search_from(self, account: Account, now: datetime, *, broken: bool) -> datetime | None:
        """Return the time since which mail must be searched, None if no search is due. broken: rules need repair."""
        due = [account.search_from] if account.search_from else []
        if broken:
            last = account.last_good_pass
            # A time in the future means that the clock was or is wrong.
            due.append(last - OVERLAP if last is not None and last <= now else BEGINNING)
            # Older mail that a search had queued may have lost its label too.
            due += [account.queued_since] if account.queued_since else []
        every = SWEEP_EVERY_WHEN_BUSY if self._judged_since_sweep >= BUSY_FROM else SWEEP_EVERY
        if is_due(account.swept_at, every, self._clock.now()):
            due.append(now - SWEEP_OVER)
        return min(due, default=None)

    def _find(self, account: Account, since: datetime, between: Callable[[], None] = lambda: None) -> Missed:
        # A search of the whole mailbox judges everything again.
        judged = self._judged if since > BEGINNING else frozenset[str]()
        return find_missed(
            self._mailbox,
            queries(account.personal_address),
            since,
            judged,
            label_lost=account.label_lost,
            between=between,
        )

    def _queue_missed(self, account: Account, now: datetime, counts: Counter[type[Verdict]]) -> None:
        """Archive and queue missed mail as the filters would have done. New mail is judged in between."""
        since = self._search_from(account, now, broken=False)
        if since is None:
            return

        def look() -> None:
            self.queue.look_for_new_mail(self._rules, counts)

        missed = self._find(account, since, look)
        effect = archiving(mark_read=account.mark_read)
        archived = replace(effect, add=frozenset({self._rules.labels[OPT_OUTS]}))
        # Because of the label, mail that is no notice goes back to the inbox when it is filed.
        labelled = Change(add=archived.add)
        queued = Change(add=frozenset({self._rules.labels[QUEUE]}))
        # Judged mail is filed by its verdict.
        to_archive = [ref for ref in missed.archive if not self.queue.waits_for_filing(ref.id)]
        for refs, change in ((to_archive, archived), (missed.archived, labelled), (missed.queue, queued)):
            for start in range(0, len(refs), MAX_IDS):
                failed: dict[str, GmailError] = {}
                self._mailbox.change([ref.id for ref in refs[start : start + MAX_IDS]], change, failed)
                for error in failed.values():
                    if isinstance(error, TransientError):
                        raise error
                look()
        self._judged_since_sweep = 0
        self._accounts.update(
            self._email,
            search_from=None,
            label_lost=False,
            swept_at=now,
            queued_since=min(since, account.queued_since or since),
        )
