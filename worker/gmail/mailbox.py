"""One Gmail mailbox, with the few methods that the engine needs.

Every method waits for quota, retries transient failures, and raises the errors of ``worker.errors``. Permanent:
SignInAgainError, GoneError, ConflictError, GmailError. TransientError after the last try, StoppedError while waiting.
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
from worker.gmail.answers import checking_shape, may_concern_one_message
from worker.gmail.credentials import Grant
from worker.gmail.model import Change, Filter, Label, Message, MessageRef
from worker.gmail.quota import MAX_IN_FLIGHT, PRICES, Quota
from worker.gmail.rebuild import rebuild_mail
from worker.gmail.sessions import Sessions
from worker.problems import Cause

MAX_IDS = 1000  # of one batchModify
PAGE = 500  # of one messages.list
# One batchModify costs as much as ten modify calls.
_MIN_BATCH = 10
_EPOCH = datetime.fromtimestamp(0, UTC)


@dataclass(frozen=True, slots=True)
class _Failed:
    id: str
    error: GmailError


_Read = list[Message | _Failed]


class Mailbox:
    """A connected mailbox, thread-safe. Close it after use.

    sessions: shared with other mailboxes; the caller closes them.
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
        """Close the mailbox: running calls of other threads finish, later ones get StoppedError."""
        self._readers.shutdown(wait=False, cancel_futures=True)
        self._calls.close()

    def address(self) -> str:
        """Return the address of the account, lower case."""
        profile = self._calls.make(self._api.users.getProfile(userId="me"))
        with checking_shape():
            return str(profile["emailAddress"]).lower()

    # --- messages

    def count(self, label_id: str) -> int:
        """Return how many messages carry the label, Trash and Spam included. Raises LabelGoneError."""
        try:
            label = self._calls.make(self._api.labels.get(userId="me", id=label_id))
        except GoneError as error:
            raise LabelGoneError(Cause.LABEL_GONE) from error
        with checking_shape():
            return int(label.get("messagesTotal", 0))

    def find(
        self, *, query: str | None = None, label_id: str | None = None, page_size: int = PAGE
    ) -> Iterator[list[MessageRef]]:
        """Yield pages of messages that match a query or have a label, roughly newest first; no Spam, no Trash."""
        messages = self._api.messages
        parameters: dict[str, Any] = {"userId": "me", "maxResults": page_size}
        if query is not None:
            parameters["q"] = query
        if label_id is not None:
            parameters["labelIds"] = [label_id]
        request = messages.list(**parameters)
        while request is not None:
            reply = self._calls.make(request)
            with checking_shape():
                page = [MessageRef(item["id"], item["threadId"]) for item in reply.get("messages", [])]
            yield page
            request = messages.list_next(request, reply)

    def read(
        self, refs: Iterable[MessageRef], failed: dict[str, GmailError] | None = None
    ) -> Iterator[Message]:
        """Yield the messages, several requests at a time; deleted messages are skipped.

        If many are from one thread, one request for the thread is cheaper than one for each.
        failed: receives the errors of messages that cannot be read, by id. Without it, or if several fail and none can
        be read, the error is raised.
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
                # popleft frees each mail after its use: one may have 25 MB.
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
        """Return one message for a person who waits, None if it was deleted.

        patience: seconds. Raises TransientError after that time, and at once if the quota is spent.
        """
        if self.quota.left() < PRICES["users.messages.get"]:
            raise TransientError(Cause.SPEED_LIMIT)
        future = self._submit(self._read_each, [message_id])
        try:
            found = next(iter(future.result(patience)), None)
        except TimeoutError as error:
            future.cancel()
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
            found = self._rebuild_thread(thread_id, message_ids)
        except GmailError as error:
            if not may_concern_one_message(error):
                raise
            found = []
        # A message that is missing in the thread was deleted, or moved to another thread.
        found_ids = {it.id for it in found}
        return [*found, *self._read_each([it for it in message_ids if it not in found_ids])]

    def _rebuild_thread(self, thread_id: str, message_ids: list[str]) -> list[Message]:
        """Return those of the messages that can be rebuilt from the thread."""
        request = self._api.threads.get(
            userId="me", id=thread_id, format="full", fields="messages(id,labelIds,internalDate,payload)"
        )
        if (reply := self._calls.make_unless_gone(request)) is None:
            return []
        with checking_shape():
            items = {item["id"]: item for item in reply.get("messages", [])}
            mails = {it: rebuild_mail(items[it].get("payload", {})) for it in message_ids if it in items}
            return [self._message(items[it], raw) for it, raw in mails.items() if raw]

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
            with checking_shape():
                if not reply["raw"]:
                    raise ValueError("an empty mail")
                return self._message(reply, base64.urlsafe_b64decode(reply["raw"] + "=="))
        except GmailError as error:
            if not may_concern_one_message(error):
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
        """Add and remove labels, in the cheapest way. Deleted messages are no error.

        failed: receives the errors of messages that cannot be changed, by id. Without it the error is raised.
        """
        body = {"addLabelIds": sorted(change.add), "removeLabelIds": sorted(change.remove)}
        if len(message_ids) < _MIN_BATCH:
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
            # The error may concern one message. What a batch does with a deleted message is undocumented.
            self._change_each(message_ids, body, failed)

    def _change_each(
        self, message_ids: Sequence[str], body: dict[str, list[str]], failed: dict[str, GmailError] | None
    ) -> None:
        for message_id in message_ids:
            try:
                self._calls.make_unless_gone(self._api.messages.modify(userId="me", id=message_id, body=body))
            except GmailError as error:
                if failed is None or not may_concern_one_message(error):
                    raise
                failed[message_id] = error

    def put_in_inbox(self, raw: bytes, message_id: str) -> None:
        """Insert a mail into the inbox as unread, if it is not there. message_id: its Message-ID, without brackets.

        No retry: Gmail may have stored the mail although its answer was lost. A later call finds it.
        """
        if any(self.find(query=f"rfc822msgid:{message_id}", page_size=1)):
            return
        body = {"raw": base64.urlsafe_b64encode(raw).decode(), "labelIds": ["INBOX", "UNREAD"]}
        self._calls.make_once(self._api.messages.insert(userId="me", body=body))

    # --- labels and filters

    def labels(self) -> list[Label]:
        """Return the user's own labels."""
        reply = self._calls.make(self._api.labels.list(userId="me"))
        with checking_shape():
            return [_label(item) for item in reply.get("labels", []) if item.get("type") == "user"]

    def create_label(self, label: Label) -> str:
        """Create a label, unless one with this name exists; return its id."""
        body = {
            "name": label.name,
            "labelListVisibility": label.list_visibility,
            "messageListVisibility": label.message_visibility,
        }
        try:
            reply = self._calls.make(self._api.labels.create(userId="me", body=body))
        except ConflictError:
            # Created by another program, or by our own earlier try whose answer was lost.
            existing = [it.id for it in self.labels() if it.name.casefold() == label.name.casefold()]
            if not existing:
                raise
            return existing[0]
        with checking_shape():
            return str(reply["id"])

    def delete_label(self, label_id: str) -> None:
        """Delete a label; its messages stay. A missing label is no error."""
        self._calls.make_unless_gone(self._api.labels.delete(userId="me", id=label_id))

    def filters(self) -> list[Filter]:
        """Return all filters of the account."""
        reply = self._calls.make(self._api.filters.list(userId="me"))
        with checking_shape():
            return [_filter(item) for item in reply.get("filter", [])]

    def create_filter(self, wanted: Filter) -> str:
        """Create a filter and return its id. Raises ConflictError if the same filter exists."""
        action: dict[str, Any] = {"addLabelIds": sorted(wanted.add), "removeLabelIds": sorted(wanted.remove)}
        if wanted.forward:
            action["forward"] = wanted.forward
        body = {"criteria": {"query": wanted.query}, "action": action}
        reply = self._calls.make(self._api.filters.create(userId="me", body=body))
        with checking_shape():
            return str(reply["id"])

    def delete_filter(self, filter_id: str) -> None:
        """Delete a filter; a missing filter is no error."""
        self._calls.make_unless_gone(self._api.filters.delete(userId="me", id=filter_id))

    def verified_forwarding_addresses(self) -> frozenset[str]:
        """Return the verified forwarding addresses in Gmail's settings, lower case."""
        reply = self._calls.make(self._api.forwarding.list(userId="me"))
        with checking_shape():
            return frozenset(
                str(item["forwardingEmail"]).lower()
                for item in reply.get("forwardingAddresses", [])
                if item.get("verificationStatus") == "accepted"
            )

    def send_as_addresses(self) -> frozenset[str]:
        """Return the verified addresses that the account sends mail as, including its own, lower case."""
        reply = self._calls.make(self._api.send_as.list(userId="me"))
        with checking_shape():
            return frozenset(
                str(item["sendAsEmail"]).lower()
                for item in reply.get("sendAs", [])
                if item.get("isPrimary") or item.get("verificationStatus") == "accepted"
            )


def _received(internal_date: object, now: datetime) -> datetime:
    """Return when Gmail received a mail: at most now, and 1970 if Gmail states an impossible time.

    A notice dated in the future would block its buyer again after an unblock.
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
