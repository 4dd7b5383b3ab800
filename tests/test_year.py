"""A year in virtual time: arrivals, sleep, restarts, faults, repairs, upgrades, a sign-in that ends and comes back.

At its end the list is exact, nothing has grown, and every problem was told once.
"""

import random
import threading
from collections import Counter
from pathlib import Path

import pytest
from clocks import FakeClock
from sellers import EMAIL, EXPECTED, PERSONAL_ADDRESS, running, sample

from oauth_web.demo.sandbox import Fault, Sandbox
from signing_in import sign_in
from worker.app import App, build_app
from worker.errors import BuyerblockError
from worker.operation.alerts import LOOKS, Alerts
from worker.operation.health import health
from worker.webhook import Announcements

TEXT = "opt_out/en_text_only.eml"
ORDER = EXPECTED[TEXT]["order_id"].encode()
ALIAS = EXPECTED[TEXT]["address"].partition("@")[0].encode()
OTHERS = (
    "unrelated/refund_issued.eml",
    "unrelated/copy_with_quoted_notice.eml",
    "suspect/several_orders.eml",
)
PASSING = (
    Fault(status=503),
    Fault(status=429, reason="rateLimitExceeded"),
    Fault(cut="before"),
    Fault(cut="after"),
    Fault(garble="half"),
)
TOOL = "tool@example.com"
# By day: what its owner does about the account, or Google.
REVOKED, SIGNED_IN_AGAIN = 100, 104
UPGRADED = 150
FORWARDED, FORWARDING_LOST, FORWARDING_BACK = 200, 220, 226
SILENT_FROM, SILENT_UNTIL = 260, 300


class Year:
    """What happens to a seller and the machine, by a fixed seed."""

    def __init__(self, app: App, google: Sandbox, clock: FakeClock) -> None:
        self.app = app
        self.google = google
        self._clock = clock
        self._user = google.user(EMAIL)
        self._random = random.Random(2026)
        self._number = 0
        self._today = 0
        self.failed = 0
        self.told: list[tuple[str, str]] = []
        self._alerts = self._new_alerts()

    def days(self, number: int) -> None:
        """Let so many days go by: some mail comes, and most hours the program runs."""
        for _ in range(number):
            self._today += 1
            self._events()
            for _ in range(2):
                self._arrivals()
                self._mishap()
                self._pass()
                self._look()
                self._clock.advance(3600 * self._random.choice((2, 12, 22)))
            if self._random.random() < 0.03:
                self._clock.advance(86_400 * self._random.randrange(1, 4))  # the laptop was closed

    @property
    def folder(self) -> Path:
        return self.app.settings.data_dir

    def _events(self) -> None:
        match self._today:
            case day if day == REVOKED:
                self._user.revoke()
            case day if day == SIGNED_IN_AGAIN:
                self.app.connect(sign_in(self.google, self.folder, EMAIL))
            case day if day == UPGRADED:
                self._upgrade()
            case day if day == FORWARDED:
                self._user.set_forwarding(TOOL, "accepted")
                self.app.accounts.update(EMAIL, forward_to=TOOL)
            case day if day == FORWARDING_LOST:
                self._user.set_forwarding(TOOL, "pending")
            case day if day == FORWARDING_BACK:
                self._user.set_forwarding(TOOL, "accepted")

    def _upgrade(self) -> None:
        """Take away what the first version did not know, as if it had run until now."""
        self._restart()
        accounts = self.app.database.documents("accounts")
        later = ("sign_in_ends", "notice_days", "silence_heard")
        for document in accounts.all():
            accounts.put({EMAIL: {name: it for name, it in document.items() if name not in later}})

    def _restart(self) -> None:
        self.app.close()
        self.app = build_app(self.app.settings, self._clock)
        self._alerts = self._new_alerts()

    def _new_alerts(self) -> Alerts:
        self._announcements = Announcements(self.app.database)
        return Alerts(self.app.database, self._announcements)

    def _arrivals(self) -> None:
        if self._random.random() < 0.7 and not SILENT_FROM <= self._today < SILENT_UNTIL:
            n = self._number = self._number + 1
            mail = sample(TEXT).replace(ORDER, b"406-%07d-%07d" % (n, n)).replace(ALIAS, b"b%014d" % n)
            mail = mail.replace(b"Message-ID: <", b"Message-ID: <%d." % n)
            self.google.deliver(EMAIL, mail, received_at=self._clock.now())
        if self._random.random() < 0.1:
            mail = sample(self._random.choice(OTHERS))
            self.google.deliver(EMAIL, mail, received_at=self._clock.now())

    def _mishap(self) -> None:
        what = self._random.random()
        if what < 0.01 and "Amazon opt-outs/Queue" in self.google.labels(EMAIL):
            self._user.delete_label("Amazon opt-outs/Queue")
        elif what < 0.02 and (filters := self._user.filters()):
            self._user.delete_filter(str(self._random.choice(filters)["id"]))
        elif what < 0.05:
            self._restart()
        elif what < 0.08:
            self._user.expire_access_tokens()

    def _pass(self) -> None:
        rate = self._random.choice((0, 0, 0, 0.1, 0.6))

        def fault(_number: int, _method: str, _email: str) -> Fault | None:
            return self._random.choice(PASSING) if self._random.random() < rate else None

        self.google.fault = fault if rate else None
        # One that is to sign in again has no job in the scheduler.
        if self.app.accounts.get(EMAIL).state != "sign_in_again":
            self._run()
        if self.app.accounts.get(EMAIL).state == "problem":
            self.google.fault = None  # no outage lasts for hours
            self._run()
        self.google.fault = None

    def _run(self) -> None:
        try:
            self.app.passes.run(EMAIL)
        except BuyerblockError:
            self.failed += 1

    def _look(self) -> None:
        problems = health(self.app, self._clock.now()).problems
        for _ in range(LOOKS):
            self._alerts.look(problems, self._clock.now())
        for it in self._announcements.waiting():
            self.told.append((it.type, it.data["kind"]))
            self._announcements.remove(it)

    @property
    def buyers(self) -> set[str]:
        domain = EXPECTED[TEXT]["address"].partition("@")[2]
        return {f"b{n:014d}@{domain}" for n in range(1, self._number + 1)}


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="Open files are counted as Linux shows them.")
def test_a_year_ends_with_an_exact_list_nothing_grown_and_every_problem_told_once(
    google: Sandbox, clock: FakeClock, tmp_path: Path
) -> None:
    with running(google, tmp_path, EMAIL, clock=clock) as app:
        app.accounts.update(EMAIL, personal_address=PERSONAL_ADDRESS)
        year = Year(app, google, clock)
        year.days(30)
        files, threads = open_files(), threading.active_count()
        year.days(335)
        year.app.passes.run(EMAIL)
        year.app.passes.close()
        assert len(year.app.database.documents("judged")) < 300, (
            "ids of judged mail are deleted after some days"
        )
        assert {block.key for block in year.app.block_list.blocks()} == year.buyers
    assert len(year.buyers) > 400
    assert all("Queue" not in label for labels in google.mailbox(EMAIL).values() for label in labels)
    # Every connection has two ends in this one process.
    assert open_files() <= files + 20
    assert threading.active_count() <= threads + 20
    assert year.failed > 30, "the faults were meant to end some passes"
    assert Counter(year.told) == {
        (f"problem.{what}", kind): 1
        for kind in ("sign_in_again", "advice", "silence")
        for what in ("began", "ended")
    }
