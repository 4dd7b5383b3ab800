"""One Gmail mailbox: the few verbs that the engine needs, at the speed that Gmail allows.

Every verb waits for its share of the quota, retries transient failures, and raises the errors of
``worker.errors``: SignInAgainError, GoneError, ConflictError, GmailError, which are permanent; TransientError after
the last try; StoppedError while waiting.
"""

import base64
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from worker.clock import Clock
from worker.errors import (
    ConflictError,
    GmailError,
    GoneError,
    LabelGoneError,
    StoppedError,
    TransientError,
)
from worker.gmail.answers import concerns_one, understood
from worker.gmail.credentials import Grant
from worker.gmail.model import Change, Filter, Label, Message, MessageRef
from worker.gmail.quota import MAX_IN_FLIGHT, PRICES, Quota
from worker.gmail.rebuilt import rebuilt
from worker.gmail.sessions import Sessions
from worker.problems import Cause

MAX_IDS = 1000  # of one batchModify
PAGE = 500  # of one messages.list
# One batchModify costs as much as ten single ones.
_BATCH_PAYS_FROM = 10
_EPOCH = datetime.fromtimestamp(0, UTC)


@dataclass(frozen=True, slots=True)
class _Failed:
    """A message that cannot be read."""

    id: str
    error: GmailError


_Read = list[Message | _Failed]


class Mailbox:
    """A connected mailbox. Close it after use; its verbs may be called from several threads.

    sessions: shared with other mailboxes, and closed by whom they belong to.
    """

    def __init__(
        self,
        grant: Grant,
        *,
        gmail_url: str | None,
        units_per_minute: int,
        clock: Clock,
        sessions: Sessions,
    ) -> None:
        # Google's client library, for the memory of a program without a mailbox.
        from worker.gmail.api import api  # noqa: PLC0415
        from worker.gmail.calls import Calls  # noqa: PLC0415

        self.quota = Quota(units_per_minute, clock)
        self._clock = clock
        self._calls = Calls(grant, self.quota, clock, sessions)
        self._readers = ThreadPoolExecutor(MAX_IN_FLIGHT, thread_name_prefix="gmail")
        self._api = api(gmail_url)

    def close(self) -> None:
        """Give up the mailbox; calls under way in other threads come to their end, later ones get StoppedError."""
        self._readers.shutdown(wait=False, cancel_futures=True)
        self._calls.close()

    def address(self) -> str:
        """Return the address of the account, lower case."""
        profile = self._calls.make(self._api.users.getProfile(userId="me"))
        with understood():
            return str(profile["emailAddress"]).lower()

    # --- messages

    def count(self, label_id: str) -> int:
        """Return how many messages carry the label, Trash and Spam included. Raises LabelGoneError."""
        try:
            label = self._calls.make(self._api.labels.get(userId="me", id=label_id))
        except GoneError as error:
            raise LabelGoneError(Cause.LABEL_GONE) from error
        with understood():
            return int(label.get("messagesTotal", 0))

    def find(
        self, *, query: str | None = None, label_id: str | None = None, page_size: int = PAGE
    ) -> Iterator[list[MessageRef]]:
        """Yield pages of messages that a search finds or a label holds, roughly newest first; no Spam, no Trash."""
        messages = self._api.messages
        asked: dict[str, Any] = {"userId": "me", "maxResults": page_size}
        if query is not None:
            asked["q"] = query
        if label_id is not None:
            asked["labelIds"] = [label_id]
        request = messages.list(**asked)
        while request is not None:
            reply = self._calls.make(request)
            with understood():
                page = [MessageRef(item["id"], item["threadId"]) for item in reply.get("messages", [])]
            yield page
            request = messages.list_next(request, reply)

    def read(
        self, refs: Iterable[MessageRef], failed: dict[str, GmailError] | None = None
    ) -> Iterator[Message]:
        """Yield the messages, several requests at a time; those deleted meanwhile are left out.

        Where many of one thread are asked for, one request for the thread is cheaper than one for each.
        failed: gets the errors of those that cannot be read, by id; without it, or where several fail and none can be
        read, the error is raised.
        """
        threads: dict[str, list[str]] = {}
        for ref in refs:
            threads.setdefault(ref.thread_id, []).append(ref.id)
        futures = deque(
            self._submit(self._read_thread, thread_id, ids)
            if len(ids) * PRICES["users.messages.get"] > PRICES["users.threads.get"]
            else self._submit(self._read_each, ids)
            for thread_id, ids in threads.items()
        )
        try:
            none_read = True
            while futures:
                # A mail may have 25 MB: what was handed over is not kept.
                for found in futures.popleft().result():
                    if isinstance(found, Message):
                        none_read = False
                        yield found
                    elif failed is None or (none_read and len(failed) >= MAX_IN_FLIGHT):
                        raise found.error
                    else:
                        failed[found.id] = found.error
        finally:
            for future in futures:
                future.cancel()

    def read_one(self, message_id: str, *, patience: float) -> Message | None:
        """Return one message to somebody who waits for it, None if it is gone.

        patience: seconds. Raises TransientError when they are over, and at once where the quota is spent.
        """
        if self.quota.left() < PRICES["users.messages.get"]:
            raise TransientError(Cause.SPEED_LIMIT)
        reading = self._submit(self._read_each, [message_id])
        try:
            found = next(iter(reading.result(patience)), None)
        except TimeoutError as error:
            reading.cancel()
            raise TransientError(Cause.UNREACHABLE, why="no answer in time") from error
        if isinstance(found, _Failed):
            raise found.error
        return found

    def _submit(self, work: Callable[..., _Read], *arguments: Any) -> "Future[_Read]":
        try:
            return self._readers.submit(work, *arguments)
        except RuntimeError as error:
            raise StoppedError("The mailbox was disconnected.") from error

    def _read_thread(self, thread_id: str, message_ids: list[str]) -> _Read:
        try:
            found = self._rebuilt(thread_id, message_ids)
        except GmailError as error:
            if not concerns_one(error):
                raise
            found = []
        # One that the thread does not have may be gone, or have moved to another thread.
        have = {it.id for it in found}
        return [*found, *self._read_each([it for it in message_ids if it not in have])]

    def _rebuilt(self, thread_id: str, message_ids: list[str]) -> list[Message]:
        """Return those messages of a thread that can be put together again from it."""
        request = self._api.threads.get(
            userId="me", id=thread_id, format="full", fields="messages(id,labelIds,internalDate,payload)"
        )
        if (reply := self._calls.make_unless_gone(request)) is None:
            return []
        with understood():
            items = {item["id"]: item for item in reply.get("messages", [])}
            whole = {it: rebuilt(items[it].get("payload", {})) for it in message_ids if it in items}
            return [self._message(items[it], raw) for it, raw in whole.items() if raw]

    def _read_each(self, message_ids: list[str]) -> _Read:
        found = (self._read_one(message_id) for message_id in message_ids)
        return [it for it in found if it is not None]

    def _read_one(self, message_id: str) -> Message | _Failed | None:
        request = self._api.messages.get(
            userId="me", id=message_id, format="raw", fields="id,labelIds,internalDate,raw"
        )
        try:
            if (reply := self._calls.make_unless_gone(request)) is None:
                return None
            with understood():
                if not reply["raw"]:
                    raise ValueError("an empty mail")
                return self._message(reply, base64.urlsafe_b64decode(reply["raw"] + "=="))
        except GmailError as error:
            if not concerns_one(error):
                raise
            return _Failed(message_id, error)

    def _message(self, item: dict[str, Any], raw: bytes) -> Message:
        return Message(
            id=item["id"],
            label_ids=frozenset(item.get("labelIds", ())),
            received_at=_received(item.get("internalDate"), self._clock.now()),
            raw=raw,
        )

    def change(
        self, message_ids: Sequence[str], change: Change, failed: dict[str, GmailError] | None = None
    ) -> None:
        """Add labels to messages and take labels off, in the cheapest way. Messages deleted meanwhile are no error.

        failed: gets the errors of those that cannot be changed, by id; without it the error is raised.
        """
        body = {"addLabelIds": sorted(change.add), "removeLabelIds": sorted(change.remove)}
        if len(message_ids) < _BATCH_PAYS_FROM:
            self._change_each(message_ids, body, failed)
            return
        for start in range(0, len(message_ids), MAX_IDS):
            self._change_many(list(message_ids[start : start + MAX_IDS]), body, failed)

    def _change_many(
        self, message_ids: list[str], body: dict[str, list[str]], failed: dict[str, GmailError] | None
    ) -> None:
        request = self._api.messages.batchModify(userId="me", body={"ids": message_ids, **body})
        try:
            self._calls.make(request)
        except GmailError as error:
            if error.problem.cause not in (Cause.GONE, Cause.REFUSED):
                raise
            # It may be for one of them; what a batch does with an id that is gone is undocumented.
            self._change_each(message_ids, body, failed)

    def _change_each(
        self, message_ids: Sequence[str], body: dict[str, list[str]], failed: dict[str, GmailError] | None
    ) -> None:
        for message_id in message_ids:
            try:
                self._calls.make_unless_gone(self._api.messages.modify(userId="me", id=message_id, body=body))
            except GmailError as error:
                if failed is None or not concerns_one(error):
                    raise
                failed[message_id] = error

    def put_in_inbox(self, raw: bytes, message_id: str) -> None:
        """Put a mail of ours into the inbox, unread, unless it is there. message_id: its Message-ID, without brackets.

        Makes one try: its answer may be lost after Gmail took the mail, which a later call then finds.
        """
        if any(self.find(query=f"rfc822msgid:{message_id}", page_size=1)):
            return
        body = {"raw": base64.urlsafe_b64encode(raw).decode(), "labelIds": ["INBOX", "UNREAD"]}
        self._calls.make_once(self._api.messages.insert(userId="me", body=body))

    # --- labels and filters

    def labels(self) -> list[Label]:
        """Return the user's own labels."""
        reply = self._calls.make(self._api.labels.list(userId="me"))
        with understood():
            return [_label(item) for item in reply.get("labels", []) if item.get("type") == "user"]

    def create_label(self, label: Label) -> str:
        """Return the id of a new label with this name, or of the one that has the name already."""
        body = {
            "name": label.name,
            "labelListVisibility": label.list_visibility,
            "messageListVisibility": label.message_visibility,
        }
        try:
            reply = self._calls.make(self._api.labels.create(userId="me", body=body))
        except ConflictError:
            # Another program, or our own earlier try whose answer was lost, has made it.
            taken = [it.id for it in self.labels() if it.name.casefold() == label.name.casefold()]
            if not taken:
                raise
            return taken[0]
        with understood():
            return str(reply["id"])

    def delete_label(self, label_id: str) -> None:
        """Delete a label; messages that carry it stay. A label that is gone is no error."""
        self._calls.make_unless_gone(self._api.labels.delete(userId="me", id=label_id))

    def filters(self) -> list[Filter]:
        """Return all filters of the account."""
        reply = self._calls.make(self._api.filters.list(userId="me"))
        with understood():
            return [_filter(item) for item in reply.get("filter", [])]

    def create_filter(self, wanted: Filter) -> str:
        """Create a filter and return its id. Raises ConflictError if there is the same one already."""
        action: dict[str, Any] = {"addLabelIds": sorted(wanted.add), "removeLabelIds": sorted(wanted.remove)}
        if wanted.forward:
            action["forward"] = wanted.forward
        body = {"criteria": {"query": wanted.query}, "action": action}
        reply = self._calls.make(self._api.filters.create(userId="me", body=body))
        with understood():
            return str(reply["id"])

    def delete_filter(self, filter_id: str) -> None:
        """Delete a filter; one that is gone is no error."""
        self._calls.make_unless_gone(self._api.filters.delete(userId="me", id=filter_id))

    def verified_forwarding_addresses(self) -> frozenset[str]:
        """Return the addresses that the user added and verified in Gmail's settings, lower case."""
        reply = self._calls.make(self._api.forwarding.list(userId="me"))
        with understood():
            return frozenset(
                str(item["forwardingEmail"]).lower()
                for item in reply.get("forwardingAddresses", [])
                if item.get("verificationStatus") == "accepted"
            )

    def send_as_addresses(self) -> frozenset[str]:
        """Return the verified addresses that the account sends mail as, its own included, lower case."""
        reply = self._calls.make(self._api.send_as.list(userId="me"))
        with understood():
            return frozenset(
                str(item["sendAsEmail"]).lower()
                for item in reply.get("sendAs", [])
                if item.get("isPrimary") or item.get("verificationStatus") == "accepted"
            )


def _received(internal_date: object, now: datetime) -> datetime:
    """Return when Gmail took a mail: never later than now, and long ago where Gmail states no time that there can be.

    A notice dated in the future would outlive its buyer's being unblocked.
    """
    try:
        since = timedelta(milliseconds=int(str(internal_date)))
        return min(max(_EPOCH, _EPOCH + since), now)
    except OverflowError:
        return _EPOCH if str(internal_date).startswith("-") else now
    except ValueError:
        return _EPOCH


def _label(item: dict[str, Any]) -> Label:
    return Label(
        id=item["id"],
        name=item["name"],
        list_visibility=item.get("labelListVisibility", "labelShow"),
        message_visibility=item.get("messageListVisibility", "show"),
    )


def _filter(item: dict[str, Any]) -> Filter:
    criteria, action = item.get("criteria", {}), item.get("action", {})
    return Filter(
        id=item["id"],
        query=criteria.get("query") if set(criteria) <= {"query"} else None,
        add=frozenset(action.get("addLabelIds", ())),
        remove=frozenset(action.get("removeLabelIds", ())),
        forward=action.get("forward"),
    )
