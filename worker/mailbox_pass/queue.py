"""The queue of one account: mail with the queue label is read, judged, stored, and only then filed."""

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
from worker.mailbox_pass.notice_days import latest
from worker.mailbox_pass.progress import Progress, Watch
from worker.mailbox_pass.unreadable import Unreadable
from worker.mailbox_pass.verdicts import Judged, Trust, judge_messages, make_durable
from worker.notices.model import OptOut, Verdict

log = logging.getLogger(__name__)

LIST_EVERY = timedelta(hours=1)
# During a long search or a long queue, new mail is looked for at this interval.
LOOK_EVERY = timedelta(seconds=45)
# The verdicts of so many messages are stored together.
DURABLE_EVERY = 50
# The most messages read between two looks for new mail: less than a minute's worth at the usual quota.
MAX_AT_ONCE = PAGE // 2


@dataclass(frozen=True, slots=True)
class QueueRules:
    """How mail is judged and filed. labels: Gmail's ids by our names."""

    labels: Mapping[str, str]
    trust: Trust


class Queue:
    """Drains the queue, newest mail first.

    unexplained: how many mails had the label after the last drain although no list contains them, such as mail in
    Trash. While the count is the same, the queue needs no listing.
    """

    def __init__(self, context: Context, judged: JudgedIds) -> None:
        self._email = context.email
        self._mailbox = context.mailbox
        self._accounts = context.accounts
        self._block_list = context.block_list
        self._review = context.review
        self._clock = context.clock
        self._judged = judged
        self._listed_at: datetime | None = None
        self.unexplained = 0
        self._unfiled: dict[str, Judged] = {}  # judged, not filed yet; by message id
        self._unreadable = Unreadable(context.database, context.email)
        self._set_aside: set[str] = set()  # ids of queued messages

    def drain(self, rules: QueueRules, counts: Counter[type[Verdict]], watch: Watch) -> None:
        """Judge and file all queued mail, newest first. The queue is listed repeatedly, so that new mail never waits.

        Listing is cheap and filing is expensive, so mail is filed in whole pages.
        """
        total = self._mailbox.count(rules.labels[QUEUE])
        if self._has_nothing_new(total):
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
            more = more or self._is_listing_due()
            if not more or len(seen & self._unfiled.keys()) + self._max_at_once() > PAGE:
                self._file(seen, rules.labels)
            self._accounts.update(self._email, queued=max(0, total - len(seen)))
        self._unreadable.keep_only(self._set_aside)
        self.unexplained = len(self._set_aside) if seen else total

    def look_for_new_mail(self, rules: QueueRules, counts: Counter[type[Verdict]]) -> None:
        """Judge and file the newest queued mail, at most once in LOOK_EVERY."""
        if self._is_listing_due():
            refs = self._newest(rules.labels)[:DURABLE_EVERY]
            self._judge(refs, rules.trust, counts, lambda: None)
            self._file({ref.id for ref in refs}, rules.labels)

    def pages(self, labels: Mapping[str, str]) -> Iterator[list[MessageRef]]:
        """Yield the queued messages, page by page. labels: Gmail's ids by our names."""
        return self._mailbox.find(label_id=labels[QUEUE])

    def read(
        self, refs: list[MessageRef], trust: Trust, failed: dict[str, GmailError]
    ) -> Iterator[list[Judged]]:
        """Yield these messages and their verdicts in batches; store nothing. failed: see ``Mailbox.read``."""
        for start in range(0, len(refs), DURABLE_EVERY):
            messages = self._mailbox.read(refs[start : start + DURABLE_EVERY], failed)
            yield judge_messages(messages, trust)

    def waits_for_filing(self, message_id: str) -> bool:
        """Return whether a message was judged but not filed yet."""
        return message_id in self._unfiled

    def _next(self, labels: Mapping[str, str], seen: Collection[str]) -> tuple[list[MessageRef], bool]:
        """Return the newest unseen messages, and whether there may be more of them."""
        page = self._newest(labels)
        unseen = [ref for ref in page if ref.id not in seen]
        refs = unseen[: self._max_at_once()]
        return refs, bool(refs) and (len(page) == PAGE or len(unseen) > len(refs))

    def _newest(self, labels: Mapping[str, str]) -> list[MessageRef]:
        # Skip pages that are empty, although more pages follow, and pages with only set-aside mail.
        pages = self.pages(labels)
        page = next((page for page in pages if any(ref.id not in self._set_aside for ref in page)), [])
        self._listed_at = self._clock.now()
        return page

    def _max_at_once(self) -> int:
        reads_per_minute = self._mailbox.quota.allowance // PRICES["users.messages.get"]
        return min(MAX_AT_ONCE, max(DURABLE_EVERY, reads_per_minute * 5 // 6))

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
                self._store_notice_days(judged)
                self._set_failed_aside(failed, alone=not judged)
                report()
        except GmailError:
            self._unreadable.failed(failed, self._clock.now(), alone=True)
            raise

    def _set_failed_aside(self, failed: dict[str, GmailError], *, alone: bool) -> None:
        """Set messages aside that could not be read or filed. Raises the error if all of Gmail may be failing."""
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

    def _store_notice_days(self, judged: list[Judged]) -> None:
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

    def _has_nothing_new(self, count: int) -> bool:
        # Gmail's counts can be late, so the queue is listed every LIST_EVERY in any case.
        now = self._clock.now()
        return (
            count == self.unexplained
            and not is_due(self._listed_at, LIST_EVERY, now)
            and (not self._set_aside or self._set_aside <= self._unreadable.waiting(now))
        )

    def _is_listing_due(self) -> bool:
        return is_due(self._listed_at, LOOK_EVERY, self._clock.now())

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
        self._set_failed_aside(failed, alone=len(failed) == len(filed))
