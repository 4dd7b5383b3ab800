"""Everything the sandbox remembers, in one place, and its switches."""

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

    fault: asked before every call. plan: faults planned by other processes, asked after it.
    faults_by_id: what befalls every call that names this message or thread.
    latency: seconds that every request takes. index_lag: seconds until new mail shows in searches.
    api_enabled: whether the Gmail API is switched on in the client's project.
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
        """Count a call and return what befalls it, perhaps nothing. asked_for: the id that it names."""
        number = next(self._numbers)
        own = self.fault(number, method, email) if self.fault else None
        own = own or self.faults_by_id.get(asked_for)
        return own or self.plan(number, method, email) or Fault()

    def wait(self) -> None:
        """Let the time pass that a request takes on its way."""
        if self.latency:
            self.clock.pause(self.latency)
