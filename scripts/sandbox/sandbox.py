"""The sandbox as one object: a Google on loopback, with handles for tests and demos."""

import threading
from collections.abc import Callable, Container, Iterable
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

from sandbox import control, oauth
from sandbox.browser import walk_consent
from sandbox.clients import Clients
from sandbox.clock import Clock, RealClock
from sandbox.faults import FaultHook
from sandbox.gmail.api import answer
from sandbox.gmail.batch import answer_batch
from sandbox.grants import Grants
from sandbox.mailbox import Mailbox
from sandbox.quota import Call, Quota
from sandbox.refusals import not_found
from sandbox.server import Server
from sandbox.users import User
from sandbox.wire import Reply, Request
from sandbox.world import World


class Sandbox:
    """A stand-in for Google. Use it as a context manager, or call ``start`` and ``stop``.

    port: 0 picks a free one. clock: what all times, quota windows and expiries go by. latency:
    seconds that every request takes. allowance: quota units in 60 seconds and user, None to count
    without refusing. concurrency: requests of a user in flight at once, or None.
    """

    def __init__(
        self,
        *,
        port: int = 0,
        clock: Clock | None = None,
        latency: float = 0.0,
        allowance: int | None = 6000,
        concurrency: int | None = 20,
    ) -> None:
        clock = clock or RealClock()
        self.quota = Quota(clock, allowance=allowance, concurrency=concurrency)
        self.world = World(clock, self.quota, Grants(clock), latency=latency)
        self.clients = Clients()
        self._server = Server(self._dispatch, port)
        self._rooms = self._by_line()
        self._requests = 0
        self._lock = threading.Lock()

    # --- running

    @property
    def url(self) -> str:
        """The root of everything: OAuth, the Gmail API, ``/sandbox``; without a slash at the end."""
        return self._server.url

    @property
    def revoke_url(self) -> str:
        return f"{self.url}/revoke"

    def start(self) -> Self:
        self._server.start()
        return self

    def stop(self) -> None:
        """End every connection and free the port."""
        self._server.stop()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    # --- switches

    @property
    def clock(self) -> Clock:
        return self.world.clock

    @property
    def fault(self) -> FaultHook | None:
        """Asked before every call, with its number, its method such as "messages.get", and the user."""
        return self.world.fault

    @fault.setter
    def fault(self, hook: FaultHook | None) -> None:
        self.world.fault = hook

    @property
    def latency(self) -> float:
        return self.world.latency

    @latency.setter
    def latency(self, seconds: float) -> None:
        self.world.latency = seconds

    # --- users and their sign-in

    def add_user(self, email: str, *, send_as: Iterable[str] = (), forwarding: Iterable[str] = ()) -> User:
        """Create an account; its forwarding addresses are verified ones."""
        email = email.lower()
        self.world.mailboxes[email] = Mailbox(email, send_as, forwarding)
        return self.user(email)

    def user(self, email: str) -> User:
        """Return the person behind an account, to act as in Gmail's own pages."""
        return User(self.world, email.lower())

    def client_secrets(
        self, kind: Literal["installed", "web"] = "installed", redirect_uris: Iterable[str] = ()
    ) -> dict[str, Any]:
        """Make an OAuth client and return its file in Google's format."""
        return self.clients.create(kind, redirect_uris).file(self.url)

    def consent(
        self, auth_url: str, *, email: str = "", untick: Container[str] = (), cancel: bool = False
    ) -> str:
        """Walk the consent page over HTTP and return the callback address that the browser would open."""
        return walk_consent(auth_url, email=email, untick=untick, cancel=cancel)

    # --- mail

    def deliver(
        self,
        email: str,
        raw: bytes,
        *,
        received_at: datetime | None = None,
        labels: Iterable[str] = ("INBOX", "UNREAD"),
        spam: bool = False,
        sent: bool = False,
    ) -> str:
        """Deliver a message, run the filters on it, and return its id."""
        moment = received_at or self.clock.now()
        mailbox = self.world.mailboxes[email.lower()]
        if spam:
            labels = ("SPAM", "UNREAD")
        elif sent:
            labels = ("SENT",)
        with mailbox.lock:
            return mailbox.deliver(
                raw,
                labels,
                received_ms=int(moment.astimezone(UTC).timestamp() * 1000),
                now=self.world.now(),
                lag=self.world.index_lag,
            )

    def deliver_folder(self, email: str, folder: Path, *, already: set[Path]) -> int:
        """Deliver the .eml files of a folder that are not in ``already``, by name; return how many."""
        new = [path for path in sorted(folder.rglob("*.eml")) if path not in already]
        for path in new:
            self.deliver(email, path.read_bytes())
            already.add(path)
        return len(new)

    def mailbox(self, email: str) -> dict[str, list[str]]:
        """Return the names of the labels of every message by its id, for comparing end states."""
        mailbox = self.world.mailboxes[email.lower()]
        with mailbox.lock:
            return {
                stored.id: sorted(mailbox.labels[label].name for label in stored.labels)
                for stored in mailbox.messages.values()
            }

    def labels(self, email: str) -> set[str]:
        """Return the names of the user's own labels."""
        mailbox = self.world.mailboxes[email.lower()]
        with mailbox.lock:
            return {label.name for label in mailbox.labels.values() if not label.system}

    def forwarded(self, email: str) -> list[bytes]:
        """Return what filters of all accounts forwarded to an address, in order."""
        return [
            raw
            for mailbox in self.world.mailboxes.values()
            for address, raw in list(mailbox.forwarded)
            if address.lower() == email.lower()
        ]

    # --- the ledger

    @property
    def requests(self) -> int:
        """How many HTTP requests came in, of whatever kind, ``/sandbox`` apart; a batch is one."""
        return self._requests

    def units(self, email: str) -> int:
        return self.quota.units(email)

    def calls(self, email: str) -> list[Call]:
        return self.quota.calls(email)

    def refusals(self, email: str) -> dict[str, int]:
        """Return how often the user was refused, by kind: "quota", "concurrency"."""
        return self.quota.refusals(email)

    # --- dispatch

    def _dispatch(self, request: Request) -> Reply:
        """Send each request to its room. The only place that looks at first parts of paths."""
        if request.path.startswith("/sandbox/"):
            return control.answer(self, request)
        with self._lock:
            self._requests += 1
        if request.path.startswith("/gmail/v1/"):
            return answer(self.world, request)
        room = self._rooms.get((request.verb, request.path))
        return room(request) if room else not_found().reply()

    def _by_line(self) -> dict[tuple[str, str], Callable[[Request], Reply]]:
        world, clients = self.world, self.clients
        rooms: dict[tuple[str, str], Callable[[Request], Reply]] = {
            ("POST", "/token"): lambda request: oauth.token(world, clients, request),
            ("POST", "/revoke"): lambda request: oauth.revoke(world, request),
        }
        for path in ("/o/oauth2/v2/auth", "/o/oauth2/auth"):
            rooms["GET", path] = lambda request: oauth.consent_page(world, clients, request)
            rooms["POST", path] = lambda request: oauth.consent_given(world, clients, request)
        for path in ("/batch", "/batch/gmail/v1"):
            rooms["POST", path] = lambda request: answer_batch(world, request)
        return rooms
