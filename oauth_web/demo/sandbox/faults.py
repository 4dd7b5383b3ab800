"""Faults that tests inject into calls."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """A fault of one call. Fields can be combined; an empty fault does nothing.

    status, reason, message: refuse the call with this error, without effect unless ``effect`` is set.
    oauth: refuse with these fields of an OAuth error, such as ``{"error": "org_internal"}``.
    effect: the call has its effect although the answer is ``status``.
    retry_after: seconds; sent as a header, and as "Retry after <time>" in the message.
    slow: seconds to wait before the call.
    cut: close the connection ``before`` the effect, ``after`` it, or in the middle of the reply's ``body``.
    garble: answer 200 with ``half`` of the JSON, or with text that is ``not_json``.
    body: replaces the reply's body. location: redirect there instead. headers: additional ones.
    before, after: called before or after the effect, without locks: to kill the client, or to act as a user who deletes
        something at the worst time.
    """

    status: int | None = None
    reason: str = "backendError"
    message: str = "Backend Error"
    oauth: Mapping[str, str] | None = None
    effect: bool = False
    retry_after: float | None = None
    slow: float = 0.0
    cut: Literal["", "before", "after", "body"] = ""
    garble: Literal["", "half", "not_json"] = ""
    body: bytes | None = None
    location: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    before: Callable[[], object] | None = None
    after: Callable[[], object] | None = None


# (number of the call since the start, method such as "messages.get", user) -> its fault
FaultHook = Callable[[int, str, str], Fault | None]


@dataclass(slots=True)
class _PlannedFault:
    """skip, times: remaining calls to skip, then to affect."""

    fault: Fault
    method: str
    email: str
    skip: int
    times: int


class FaultPlan:
    """A fault hook as data, for other processes, which cannot pass a function.

    After ``skip`` matching calls, the next ``times`` calls get the fault.
    """

    def __init__(self) -> None:
        self._planned: list[_PlannedFault] = []

    def add(self, fault: Fault, *, method: str = "", email: str = "", skip: int = 0, times: int = 1) -> None:
        """Plan a fault; an empty ``method`` or ``email`` matches all."""
        self._planned.append(_PlannedFault(fault, method, email, skip, times))

    def __call__(self, _number: int, method: str, email: str) -> Fault | None:
        for it in self._planned:
            if it.times <= 0 or it.method not in ("", method) or it.email not in ("", email):
                continue
            if it.skip > 0:
                it.skip -= 1
                continue
            it.times -= 1
            return it.fault
        return None
