"""The queue of one account: mail with the queue label is read, judged, made durable, and only then filed."""

import logging
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from worker.clock import is_due
from worker.errors import GmailError
from worker.events import fields
from worker.gmail.mailbox import PAGE
from worker.gmail.model import Change, MessageRef
from worker.gmail.quota import PRICES
from worker.gmail.wanted import QUEUE
from worker.mailbox_pass.context import Context
from worker.mailbox_pass.filing import filing
from worker.mailbox_pass.judged import JudgedIds
from worker.mailbox_pass.progress import Progress, Watch
from worker.mailbox_pass.rhythm import latest
from worker.mailbox_pass.unreadable import Unreadable
from worker.mailbox_pass.verdicts import Judged, Trust, judge_messages, make_durable
from worker.notices.model import OptOut, Verdict

log = logging.getLogger(__name__)

LIST_EVERY = timedelta(hours=1)
# How long a long search or a long reading may keep from looking for new mail.
LOOK_EVERY = timedelta(seconds=45)
# How many messages are read before their verdicts are made durable together.
DURABLE_EVERY = 50
# How many are read between two looks for new mail, at the usual allowance: somewhat less than a minute's worth.
MAX_AT_ONCE = PAGE // 2


@dataclass(frozen=True, slots=True)
class QueueRules:
    """What mail is judged and filed by. labels: Gmail's ids by our names. trust: whose word counts."""

    labels: Mapping[str, str]
    trust: Trust


class Queue:
    """Drains the queue, newest mail first.

    It remembers mail that was judged but not filed yet, and what saves calls: when the queue was last listed, and, as
    ``unexplained``, how many mails carried the label at the last draining that no list explains: in Trash,
    for example.
    """

    def __init__(self, context: Context, judged: JudgedIds) -> None:
        self._email = context.email
        self._mailbox = context.mailbox
        self._accounts = context.accounts
        self._block_list = context.block_list
        self._review = context.review
        self._clock = context.clock
        self._judged = judged
        self._listed: datetime | None = None
        self.unexplained = 0
        self._unfiled: dict[str, Judged] = {}  # by message id
        self._unreadable = Unreadable(context.database, context.email)
        self._set_aside: set[str] = set()  # of those that are queued

    def drain(self, rules: QueueRules, counts: Counter[type[Verdict]], watch: Watch) -> None:
        """Judge and file all that is queued, newest first; it is listed again and again, so that new mail never waits.

        Listing is cheap and filing is expensive, so mail is filed by whole pages.
        """
        total = self._mailbox.count(rules.labels[QUEUE])
        if self._is_known_to_hold_nothing(total):
            self._accounts.update(self._email, unlisted=max(0, total - len(self._set_aside)))
            return
        self._accounts.update(self._email, queued=total)
        seen: set[str] = set()
        self._set_aside.clear()
        more = True
        while more:
            refs, more = self._next(rules.labels, seen)
            seen.update(ref.id for ref in refs)
            self._judge(refs, rules.trust, counts, lambda: watch(self._progress(counts, total)))
            more = more or self._is_time_to_look()
            if not more or len(seen & self._unfiled.keys()) + self._max_at_once() > PAGE:
                self._file(seen, rules.labels)
            self._accounts.update(self._email, queued=max(0, total - len(seen)))
        self._unreadable.keep_only(self._set_aside)
        self.unexplained = len(self._set_aside) if seen else total

    def look_for_new_mail(self, rules: QueueRules, counts: Counter[type[Verdict]]) -> None:
        """Judge and file the newest of the queue, unless that was done a moment ago."""
        if self._is_time_to_look():
            refs = self._newest(rules.labels)[:DURABLE_EVERY]
            self._judge(refs, rules.trust, counts, lambda: None)
            self._file({ref.id for ref in refs}, rules.labels)

    def pages(self, labels: Mapping[str, str]) -> Iterator[list[MessageRef]]:
        """Yield what is queued, page by page. labels: Gmail's ids by our names."""
        return self._mailbox.find(label_id=labels[QUEUE])

    def read(
        self, refs: list[MessageRef], trust: Trust, failed: dict[str, GmailError]
    ) -> Iterator[list[Judged]]:
        """Yield these messages and their verdicts, some at a time; nothing is kept of them. failed: as of Mailbox."""
        for start in range(0, len(refs), DURABLE_EVERY):
            messages = self._mailbox.read(refs[start : start + DURABLE_EVERY], failed)
            yield judge_messages(messages, trust)

    def holds_judged(self, message_id: str) -> bool:
        """Return whether a message was judged and is still to be filed by its verdict."""
        return message_id in self._unfiled

    def _next(self, labels: Mapping[str, str], seen: Collection[str]) -> tuple[list[MessageRef], bool]:
        """Return the newest messages that were not seen, and whether there may be more of them."""
        page = self._newest(labels)
        fresh = [ref for ref in page if ref.id not in seen]
        refs = fresh[: self._max_at_once()]
        return refs, bool(refs) and (len(page) == PAGE or len(fresh) > len(refs))

    def _newest(self, labels: Mapping[str, str]) -> list[MessageRef]:
        # Gmail may answer an empty page and say that there are more; one of mail that was set aside hides the rest.
        pages = self.pages(labels)
        page = next((page for page in pages if any(ref.id not in self._set_aside for ref in page)), [])
        self._listed = self._clock.now()
        return page

    def _max_at_once(self) -> int:
        minute = self._mailbox.quota.allowance // PRICES["users.messages.get"]
        return min(MAX_AT_ONCE, max(DURABLE_EVERY, minute * 5 // 6))

    def _judge(
        self,
        refs: list[MessageRef],
        trust: Trust,
        counts: Counter[type[Verdict]],
        report: Callable[[], None],
    ) -> None:
        waiting = self._unreadable.waiting(self._clock.now())
        self._set_aside |= waiting & {ref.id for ref in refs}
        failed: dict[str, GmailError] = {}
        try:
            for judged in self.read(
                [ref for ref in refs if ref.id not in self._unfiled and ref.id not in waiting], trust, failed
            ):
                make_durable(judged, self._email, self._block_list, self._review)
                self._unfiled |= {it.message.id: it for it in judged}
                counts.update(type(it.verdict) for it in judged)
                self._remember(judged)
                self._put_aside(failed, alone=not judged)
                report()
        except GmailError:
            self._unreadable.failed(failed, self._clock.now(), alone=True)
            raise

    def _put_aside(self, failed: dict[str, GmailError], *, alone: bool) -> None:
        """Set messages aside that could not be read or filed. Raises their error where it may be Gmail's own."""
        if failed:
            errors = list(failed.values())
            if not self._unreadable.failed(failed, self._clock.now(), alone=alone):
                failed.clear()
                raise errors[0]
            log.warning(
                "Messages that Gmail did not hand over are set aside: %s",
                errors[0],
                extra=fields(account=self._email, messages=len(failed)),
            )
            self._set_aside |= failed.keys()
            failed.clear()

    def _remember(self, judged: list[Judged]) -> None:
        """Store by what the health check sees that notices stopped coming."""
        days = {it.message.received_at.date() for it in judged if isinstance(it.verdict, OptOut)}
        if days:
            known = self._accounts.get(self._email).notice_days
            self._accounts.update(self._email, notice_days=latest(known, days))

    def _progress(self, counts: Counter[type[Verdict]], total: int) -> Progress:
        done = counts.total()
        left = timedelta(
            minutes=max(0, total - done) * PRICES["users.messages.get"] / self._mailbox.quota.allowance
        )
        return Progress(done=done, total=max(total, done), found=counts[OptOut], left=left)

    def _is_known_to_hold_nothing(self, count: int) -> bool:
        # Counts can be late. So the list is fetched from time to time in any case.
        now = self._clock.now()
        return (
            count == self.unexplained
            and not is_due(self._listed, LIST_EVERY, now)
            and (not self._set_aside or self._set_aside <= self._unreadable.waiting(now))
        )

    def _is_time_to_look(self) -> bool:
        return is_due(self._listed, LOOK_EVERY, self._clock.now())

    def _file(self, message_ids: Collection[str], labels: Mapping[str, str]) -> None:
        changes: defaultdict[Change, list[str]] = defaultdict(list)
        mark_read = self._accounts.get(self._email).mark_read
        filed = [it for message_id, it in self._unfiled.items() if message_id in message_ids]
        for it in filed:
            changes[filing(it.verdict, it.message, labels, mark_read=mark_read)].append(it.message.id)
        failed: dict[str, GmailError] = {}
        for change, ids in changes.items():
            self._mailbox.change(ids, change, failed)
        for it in filed:
            del self._unfiled[it.message.id]
        self._judged.add([it.message.id for it in filed if it.message.id not in failed], self._clock.now())
        self._put_aside(failed, alone=len(failed) == len(filed))
