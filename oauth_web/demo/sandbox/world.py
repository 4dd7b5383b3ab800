"""The whole state of the sandbox, and its switches."""

import itertools
from dataclasses import dataclass, field

from oauth_web.demo.sandbox.clock import Clock
from oauth_web.demo.sandbox.faults import Fault, FaultHook, FaultPlan
from oauth_web.demo.sandbox.grants import Grants
from oauth_web.demo.sandbox.mailbox import Mailbox
from oauth_web.demo.sandbox.quota import Quota


@dataclass(slots=True)
class World:
    """State and switches.

    fault: called before every API call. plan: faults planned by other processes, lower priority.
    faults_by_id: the fault of every call with this message or thread id.
    latency: seconds that every request takes. index_lag: seconds until a search finds new mail.
    api_enabled: whether the Gmail API is enabled in the client's project.
    """

    clock: Clock
    quota: Quota
    grants: Grants
    latency: float = 0.0
    index_lag: float = 0.0
    api_enabled: bool = True
    mailboxes: dict[str, Mailbox] = field(default_factory=dict)
    fault: FaultHook | None = None
    plan: FaultPlan = field(default_factory=FaultPlan)
    faults_by_id: dict[str, Fault] = field(default_factory=dict)
    _numbers: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))

    def now(self) -> float:
        """Return epoch seconds."""
        return self.clock.now().timestamp()

    def next_fault(self, method: str, email: str, asked_for: str = "") -> Fault:
        """Count a call and return its fault, which may be empty. asked_for: the id in the call."""
        number = next(self._numbers)
        own = self.fault(number, method, email) if self.fault else None
        own = own or self.faults_by_id.get(asked_for)
        return own or self.plan(number, method, email) or Fault()

    def wait(self) -> None:
        """Wait for the latency."""
        if self.latency:
            self.clock.pause(self.latency)
