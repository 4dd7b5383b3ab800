"""One user's mailbox: messages in their threads, labels, filters, history.

With several threads, the caller must hold ``lock`` for every method.
"""

import itertools
import threading
from bisect import bisect_left, insort
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from oauth_web.demo.sandbox import mail as mime
from oauth_web.demo.sandbox.filters import MAX_FILTERS, Filter, already_exists, checked_filter
from oauth_web.demo.sandbox.history import History
from oauth_web.demo.sandbox.labels import FIXED, MAX_LABELS, Label, checked_label, system_labels
from oauth_web.demo.sandbox.refusals import Refusal, invalid, not_found
from oauth_web.demo.sandbox.search import Query
from oauth_web.demo.sandbox.stored import Stored, Threading, index, threading_of

MAX_THREAD = 100  # messages; then Gmail starts a new thread
_HIDDEN = frozenset({"SPAM", "TRASH"})


class Mailbox:
    """The state of one account.

    forwarding: address -> "accepted" or "pending". forwarded: (address, bytes) in order.
    filter_cap_is_bare: at the maximum of filters answer 500 without a body, as some reported.
    """

    def __init__(self, email: str, send_as: Iterable[str] = (), forwarding: Iterable[str] = ()) -> None:
        self.email = email
        self.lock = threading.RLock()
        self.messages: dict[str, Stored] = {}
        self.labels: dict[str, Label] = system_labels()
        self.filters: dict[str, Filter] = {}
        self.send_as = (email, *send_as)
        self.forwarding = {address.lower(): "accepted" for address in forwarding}
        self.forwarded: list[tuple[str, bytes]] = []
        self.history = History()
        self.filter_cap_is_bare = False
        self._ordered: list[tuple[int, str]] = []
        self._holders: dict[str, set[str]] = {}
        self._threads: dict[str, list[str]] = {}
        self._thread_of: dict[tuple[str, ...], str] = {}
        self._numbers = itertools.count(1)

    # --- new mail

    def deliver(self, raw: bytes, labels: Iterable[str], *, received_ms: int, now: float, lag: float) -> str:
        """Add a message, apply all filters, and return its id.

        Filters add labels to spam too, but it stays in Spam unless a filter removes SPAM, and it is not forwarded. A
        deleted label has no effect.
        """
        stored = self._store(raw, labels, received_ms=received_ms, searchable_at=now + lag)
        for rule in list(self.filters.values()):
            if rule.matches(stored.indexed, self.label_keys(stored), now):
                self._act(rule, stored)
        stored.history_id = self.history.added(stored)
        return stored.id

    def insert(self, raw: bytes, labels: Iterable[str], *, now: float) -> Stored:
        """Add a message without filters, like IMAP's APPEND."""
        stored = self._store(raw, labels, received_ms=int(now * 1000), searchable_at=now)
        stored.history_id = self.history.added(stored)
        return stored

    def _store(self, raw: bytes, labels: Iterable[str], *, received_ms: int, searchable_at: float) -> Stored:
        mail = mime.parse(raw)
        text = mime.text(mail)
        new_id = f"{(received_ms << 20) | next(self._numbers):016x}"
        indexed = index(mail, raw, text, received_ms // 1000)
        thread_id = self._thread_for(threading_of(mail), new_id)
        stored = Stored(new_id, thread_id, raw, received_ms, searchable_at, indexed, mime.snippet(text))
        self.messages[new_id] = stored
        insort(self._ordered, stored.order)
        self._relabel(stored, set(labels), set())
        return stored

    def _act(self, rule: Filter, stored: Stored) -> None:
        add = {label for label in rule.action.get("addLabelIds", ()) if label in self.labels}
        remove = set(rule.action.get("removeLabelIds", ()))
        if "SPAM" in remove and "SPAM" in stored.labels:
            add.add("INBOX")
        if "TRASH" in add:
            remove.add("INBOX")
        self._relabel(stored, add, remove)
        if "forward" in rule.action and "SPAM" not in stored.labels:
            self.forwarded.append((rule.action["forward"], stored.raw))

    def _thread_for(self, headers: Threading, new_id: str) -> str:
        """Join a thread by references and subject, or by sender and subject."""
        named = [("id", reference, headers.subject) for reference in headers.references]
        keys = [*named, ("sender", headers.sender, headers.subject)]
        found = next((self._thread_of[key] for key in keys if key in self._thread_of), new_id)
        if len(self._threads.get(found, ())) >= MAX_THREAD:
            found = new_id
        self._threads.setdefault(found, []).append(new_id)
        self._thread_of["id", headers.message_id, headers.subject] = found
        self._thread_of["sender", headers.sender, headers.subject] = found
        return found

    # --- messages

    def message(self, message_id: str) -> Stored:
        if message_id not in self.messages:
            raise not_found()
        return self.messages[message_id]

    def thread(self, thread_id: str) -> list[Stored]:
        """Return the messages of a thread, oldest first."""
        found = [self.messages[one] for one in self._threads.get(thread_id, ())]
        if not found:
            raise not_found()
        return sorted(found, key=lambda stored: stored.order)

    def label_keys(self, stored: Stored) -> frozenset[str]:
        """Return the labels of a message in search syntax."""
        return frozenset(self.labels[one].key for one in stored.labels)

    def find(
        self,
        query: Query | None,
        label_ids: Iterable[str],
        *,
        hidden_too: bool,
        before: tuple[int, str] | None,
        now: float,
    ) -> Iterator[Stored]:
        """Yield matching messages before ``before``, newest first.

        A search finds only indexed messages; a list by labels finds all.
        """
        wanted = set(label_ids)
        self.check_labels(wanted)
        hidden = _HIDDEN if not hidden_too and not (query and query.shows_hidden) else frozenset()
        hidden -= wanted
        for order in self._newest_first(wanted, before):
            stored = self.messages[order[1]]
            if not wanted <= stored.labels or hidden & stored.labels:
                continue
            if query is not None and (
                stored.searchable_at > now or not query.matches(stored.indexed, self.label_keys(stored))
            ):
                continue
            yield stored

    def _newest_first(self, wanted: set[str], before: tuple[int, str] | None) -> Iterator[tuple[int, str]]:
        orders = self._ordered
        if wanted:
            fewest = min((self._holders.get(label, set()) for label in wanted), key=len)
            orders = sorted(self.messages[one].order for one in fewest)
        end = len(orders) if before is None else bisect_left(orders, before)
        return (orders[at] for at in range(end - 1, -1, -1))

    def modify(self, stored: Stored, add: set[str], remove: set[str]) -> None:
        """Change labels and record the real changes in the history."""
        added, removed = add - stored.labels, (remove & stored.labels) - add
        if not added and not removed:
            return
        self._relabel(stored, added, removed)
        stored.history_id = self.history.relabelled(stored, added, removed)

    def trash(self, stored: Stored) -> None:
        self.modify(stored, {"TRASH"}, {"INBOX", "SPAM"})

    def delete(self, message_id: str) -> None:
        """Delete a message permanently."""
        stored = self.message(message_id)
        self._relabel(stored, set(), set(stored.labels))
        del self.messages[message_id]
        del self._ordered[bisect_left(self._ordered, stored.order)]
        self._threads[stored.thread_id].remove(message_id)
        self.history.deleted(stored)

    def check_labels(self, label_ids: Iterable[str]) -> None:
        for label_id in label_ids:
            if label_id not in self.labels:
                raise invalid(f"Invalid label: {label_id}")

    def check_change(self, add: Iterable[str], remove: Iterable[str]) -> None:
        """Raise Refusal for labels that clients cannot add or remove."""
        for label_id in (*add, *remove):
            if label_id not in self.labels or label_id in FIXED:
                raise invalid(f"Invalid label: {label_id}")

    def _relabel(self, stored: Stored, add: set[str], remove: set[str]) -> None:
        for label in remove:
            stored.labels.discard(label)
            self._holders.get(label, set()).discard(stored.id)
        for label in add:
            stored.labels.add(label)
            self._holders.setdefault(label, set()).add(stored.id)

    # --- labels

    def label(self, label_id: str) -> Label:
        if label_id not in self.labels:
            raise not_found()
        return self.labels[label_id]

    def counts(self, label_id: str) -> dict[str, int]:
        """Count the messages and threads with a label, including Spam and Trash."""
        holders = [self.messages[one] for one in self._holders.get(label_id, ())]
        unread = [stored for stored in holders if stored.unread]
        return {
            "messagesTotal": len(holders),
            "messagesUnread": len(unread),
            "threadsTotal": len({stored.thread_id for stored in holders}),
            "threadsUnread": len({stored.thread_id for stored in unread}),
        }

    def create_label(self, body: Mapping[str, Any]) -> Label:
        if len(self.labels) >= MAX_LABELS:
            raise invalid("Too many labels")
        label = checked_label(f"Label_{next(self._numbers)}", body, self.labels.values())
        self.labels[label.id] = label
        return label

    def change_label(self, label_id: str, body: Mapping[str, Any]) -> Label:
        """Replace all values of a label."""
        old = self._user_label(label_id)
        others = [label for label in self.labels.values() if label.id != label_id]
        self.labels[label_id] = checked_label(old.id, body, others)
        return self.labels[label_id]

    def delete_label(self, label_id: str) -> None:
        """Delete a label and remove it from all messages; filters keep its id."""
        del self.labels[self._user_label(label_id).id]
        for holder in list(self._holders.get(label_id, ())):
            self.modify(self.messages[holder], set(), {label_id})

    def _user_label(self, label_id: str) -> Label:
        label = self.label(label_id)
        if label.system:
            raise invalid("Invalid label: system labels cannot be changed")
        return label

    # --- filters

    def create_filter(self, body: Mapping[str, Any]) -> Filter:
        accepted = {address for address, status in self.forwarding.items() if status == "accepted"}
        new = checked_filter(
            f"ANe1Bm{next(self._numbers):08x}",
            body,
            labels=self.labels,
            system=system_labels(),
            forwarding=accepted,
        )
        if any((it.criteria, it.action) == (new.criteria, new.action) for it in self.filters.values()):
            raise already_exists()
        if len(self.filters) >= MAX_FILTERS:
            if self.filter_cap_is_bare:
                raise Refusal(500, "", bare=True)
            raise invalid("Too many filters")
        self.filters[new.id] = new
        return new

    def filter(self, filter_id: str) -> Filter:
        if filter_id not in self.filters:
            raise not_found()
        return self.filters[filter_id]

    def delete_filter(self, filter_id: str) -> None:
        del self.filters[self.filter(filter_id).id]
