"""What a pass did, and what it would do: frozen values."""

from dataclasses import dataclass

from worker.gmail.model import Change
from worker.gmail.rules import Step
from worker.mailbox_pass.missed import Missed
from worker.mailbox_pass.verdicts import Judged
from worker.problems import MailboxProblem


@dataclass(frozen=True, slots=True, kw_only=True)
class PassReport:
    """What a pass did.

    units: Gmail quota spent. steps: repairs of labels and filters. advice: what only the user can put right, if
    anything.
    """

    opt_outs: int = 0
    suspects: int = 0
    unrelated: int = 0
    units: int = 0
    steps: tuple[Step, ...] = ()
    advice: MailboxProblem | None = None

    @property
    def judged(self) -> int:
        return self.opt_outs + self.suspects + self.unrelated

    @property
    def did_something(self) -> bool:
        return bool(self.judged or self.steps)

    def as_fields(self) -> dict[str, object]:
        """Return it as a log has it."""
        return {
            "opt_outs": self.opt_outs,
            "suspects": self.suspects,
            "unrelated": self.unrelated,
            "repairs": len(self.steps),
            "units": self.units,
        }

    def __str__(self) -> str:
        return (
            f"{self.judged:,} judged: {self.opt_outs:,} opt-outs, {self.suspects:,} to review, "
            f"{self.unrelated:,} unrelated; repairs: {len(self.steps)}; quota units: {self.units:,}"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """What a pass would do: the same values that a pass applies."""

    steps: tuple[Step, ...]
    missed: Missed
    filings: tuple[tuple[Judged, Change], ...]
