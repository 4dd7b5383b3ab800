"""Everything that can go wrong with a call, as values that a test hands out."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """What befalls one call. Fields combine; the empty fault does nothing.

    status, reason, message: refuse the call with this error, without effect unless ``effect``.
    oauth: refuse with an error of OAuth's instead, by its fields, such as ``{"error": "org_internal"}``.
    effect: the call takes effect although it is answered with ``status``.
    retry_after: seconds; sent as a header, and as "Retry after <time>" in the message.
    slow: seconds to wait before the call.
    cut: end the connection ``before`` the effect, ``after`` it, or in the middle of the reply's ``body``.
    garble: answer 200 with ``half`` of the JSON, or with something that is ``not_json``.
    body: what is answered in place of the reply. location: where the answer sends the client instead.
    headers: more of them.
    before, after: called around the effect, outside every lock: to kill the client, or to play a user
        who deletes something at the worst moment.
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


# (number of the call since the start, method such as "messages.get", user) -> what befalls it
FaultHook = Callable[[int, str, str], Fault | None]


@dataclass(slots=True)
class _Planned:
    """One line of a plan: the fault, whom it may befall, and how often still."""

    fault: Fault
    method: str
    email: str
    skip: int
    times: int


class FaultPlan:
    """A fault hook made of lines: after ``skip`` matching calls, the next ``times`` get the fault.

    Serves other processes, which cannot hand over a function.
    """

    def __init__(self) -> None:
        self._lines: list[_Planned] = []

    def add(self, fault: Fault, *, method: str = "", email: str = "", skip: int = 0, times: int = 1) -> None:
        """Plan a fault; an empty ``method`` or ``email`` matches all."""
        self._lines.append(_Planned(fault, method, email, skip, times))

    def __call__(self, _number: int, method: str, email: str) -> Fault | None:
        for line in self._lines:
            if line.times <= 0 or line.method not in ("", method) or line.email not in ("", email):
                continue
            if line.skip > 0:
                line.skip -= 1
                continue
            line.times -= 1
            return line.fault
        return None
