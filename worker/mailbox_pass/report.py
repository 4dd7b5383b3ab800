"""Frozen values: what a pass did (PassReport) or would do (Preview)."""

from dataclasses import dataclass

from worker.gmail.model import Change
from worker.gmail.rules import Step
from worker.mailbox_pass.missed import Missed
from worker.mailbox_pass.verdicts import Judged
from worker.problems import MailboxProblem


@dataclass(frozen=True, slots=True, kw_only=True)
class PassReport:
    """units: Gmail quota spent. steps: repairs of labels and filters. advice: a problem that only the user can fix."""

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
        """Return the fields of the log line."""
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
    """The changes that a pass would apply."""

    steps: tuple[Step, ...]
    missed: Missed
    filings: tuple[tuple[Judged, Change], ...]
