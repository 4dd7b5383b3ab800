"""The methods by which tests and demos control and observe the sandbox."""

from collections.abc import Container, Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from oauth_web.demo.sandbox.browser import walk_consent
from oauth_web.demo.sandbox.clients import Clients
from oauth_web.demo.sandbox.clock import Clock
from oauth_web.demo.sandbox.faults import FaultHook
from oauth_web.demo.sandbox.mailbox import Mailbox
from oauth_web.demo.sandbox.quota import Call, Quota
from oauth_web.demo.sandbox.users import User
from oauth_web.demo.sandbox.world import World


class Handles:
    """Accounts, mail, faults and recorded calls. url: of the server, without a slash at the end."""

    def __init__(self, world: World, url: str) -> None:
        self.world = world
        self.clients = Clients()
        self.url = url
        self.requests = 0
        """The number of HTTP requests except ``/sandbox``; a batch counts once."""

    # --- switches

    @property
    def quota(self) -> Quota:
        return self.world.quota

    @property
    def revoke_url(self) -> str:
        return f"{self.url}/revoke"

    @property
    def clock(self) -> Clock:
        return self.world.clock

    @property
    def fault(self) -> FaultHook | None:
        """Called before every API call, with its number, its method such as "messages.get", and the user."""
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
        """Create an account; its forwarding addresses are verified."""
        email = email.lower()
        self.world.mailboxes[email] = Mailbox(email, send_as, forwarding)
        return self.user(email)

    def user(self, email: str) -> User:
        """Return the person behind an account, to act like in Gmail's web interface."""
        return User(self.world, email.lower())

    def client_secrets(
        self, kind: Literal["installed", "web"] = "installed", redirect_uris: Iterable[str] = ()
    ) -> dict[str, Any]:
        """Create an OAuth client and return its file in Google's format."""
        return self.clients.create(kind, redirect_uris).file(self.url)

    def consent(
        self, auth_url: str, *, email: str = "", untick: Container[str] = (), cancel: bool = False
    ) -> str:
        """Go through the consent page over HTTP and return the callback URL."""
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
        """Deliver the .eml files of a folder that are not in ``already``, sorted by name; return how many."""
        new = [path for path in sorted(folder.rglob("*.eml")) if path not in already]
        for path in new:
            self.deliver(email, path.read_bytes())
            already.add(path)
        return len(new)

    def mailbox(self, email: str) -> dict[str, list[str]]:
        """Return the label names of every message by id, to compare final states."""
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
        """Return the mails that filters of all accounts forwarded to an address, in order."""
        return [
            raw
            for mailbox in self.world.mailboxes.values()
            for address, raw in list(mailbox.forwarded)
            if address.lower() == email.lower()
        ]

    # --- recorded calls

    def units(self, email: str) -> int:
        return self.quota.units(email)

    def calls(self, email: str) -> list[Call]:
        return self.quota.calls(email)

    def refusals(self, email: str) -> dict[str, int]:
        """Return the number of refusals by kind: "quota", "concurrency"."""
        return self.quota.refusals(email)
