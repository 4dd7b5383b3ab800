"""The queue of one account: mail with the queue label is read, judged, made durable, and only then filed."""

from collections import Counter, defaultdict
from collections.abc import Callable, Container, Iterator, Mapping
from datetime import datetime, timedelta

from worker.block_list.block_list import BlockList
from worker.block_list.review import Review
from worker.clock import Clock, is_due
from worker.gmail.mailbox import PAGE, Mailbox
from worker.gmail.model import Change, MessageRef
from worker.gmail.quota import PRICES
from worker.gmail.wanted import QUEUE
from worker.mailbox_pass.filing import filing
from worker.mailbox_pass.judged import JudgedIds
from worker.mailbox_pass.progress import Progress, Watch
from worker.mailbox_pass.rhythm import latest
from worker.mailbox_pass.verdicts import Judged, judge_messages, make_durable
from worker.notices.judge import in_new_words
from worker.notices.model import OptOut, Verdict
from worker.owner.accounts import Accounts

LIST_EVERY = timedelta(hours=1)
# How long a long search or a long reading may keep from looking for new mail.
LOOK_EVERY = timedelta(seconds=45)
# How many messages are read before their verdicts are made durable together.
DURABLE_EVERY = 50
# How many are read between two looks for new mail, at the usual allowance: somewhat less than a minute's worth.
MAX_AT_ONCE = PAGE // 2


class Queue:
    """Drains the queue, newest mail first.

    labels: Gmail's ids by our names. trusted: whose forwards count. Both are set whenever the rules were looked at.
    unfiled: mail that was judged, by message id, but not filed yet. Besides that it remembers only what saves calls:
    when the queue was last listed, and a count of it that no list explains (queued mail in Trash, for example).
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
        self.labels: Mapping[str, str] = {}
        self.trusted: frozenset[str] = frozenset()
        self._email = email
        self._mailbox = mailbox
        self._accounts = accounts
        self._block_list = block_list
        self._review = review
        self._judged = judged
        self._clock = clock
        self._listed: datetime | None = None
        self._unexplained = 0
        self.unfiled: dict[str, Judged] = {}

    def drain(self, counts: Counter[type[Verdict]], watch: Watch) -> None:
        """Judge and file all that is queued, newest first; it looks again and again, so that new mail never waits.

        Looking is cheap and filing is dear, so mail is filed by whole pages.
        """
        total = self._mailbox.count(self.labels[QUEUE])
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
                len(page) == PAGE or len(fresh) > len(refs) or is_due(looked, LOOK_EVERY, self._clock.now())
            )
            if not more or len(seen & self.unfiled.keys()) + self._at_once() > PAGE:
                self._file(seen)
            self._accounts.update(self._email, queued=max(0, total - len(seen)))
        self._unexplained = 0 if seen else total

    def look_for_new_mail(self, counts: Counter[type[Verdict]]) -> None:
        """Judge and file the newest of the queue, unless that was done a moment ago."""
        if is_due(self._listed, LOOK_EVERY, self._clock.now()):
            refs = self._newest()[:DURABLE_EVERY]
            self._judge(refs, counts, lambda: None)
            self._file({ref.id for ref in refs})

    def _newest(self) -> list[MessageRef]:
        page = next(self.pages(self.labels))
        self._listed = self._clock.now()
        return page

    def _at_once(self) -> int:
        minute = self._mailbox.quota.allowance // PRICES["users.messages.get"]
        return min(MAX_AT_ONCE, max(DURABLE_EVERY, minute * 5 // 6))

    def _judge(
        self, refs: list[MessageRef], counts: Counter[type[Verdict]], told: Callable[[], None]
    ) -> None:
        for judged in self.read([ref for ref in refs if ref.id not in self.unfiled]):
            make_durable(judged, self._email, self._block_list, self._review)
            self.unfiled |= {it.message.id: it for it in judged}
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
        return count == self._unexplained and not is_due(self._listed, LIST_EVERY, self._clock.now())

    def pages(self, labels: Mapping[str, str]) -> Iterator[list[MessageRef]]:
        """Yield what is queued, page by page. labels: Gmail's ids by our names."""
        return self._mailbox.find(label_id=labels[QUEUE])

    def read(self, refs: list[MessageRef]) -> Iterator[list[Judged]]:
        """Yield these messages and their verdicts, some at a time; nothing is kept of them."""
        for start in range(0, len(refs), DURABLE_EVERY):
            messages = self._mailbox.read(refs[start : start + DURABLE_EVERY])
            yield judge_messages(messages, self.trusted)

    def _file(self, message_ids: Container[str]) -> None:
        changes: defaultdict[Change, list[str]] = defaultdict(list)
        filed = [it for message_id, it in self.unfiled.items() if message_id in message_ids]
        for it in filed:
            changes[filing(it.verdict, it.message, self.labels)].append(it.message.id)
        for change, ids in changes.items():
            self._mailbox.change(ids, change)
        for it in filed:
            del self.unfiled[it.message.id]
        self._judged.add([it.message.id for it in filed], self._clock.now())
