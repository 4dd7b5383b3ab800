"""Outcomes of passes: stored with the account, counted for monitoring, and logged."""

import logging
from collections import Counter
from dataclasses import replace

from worker.clock import Clock
from worker.errors import BuyerblockError, GmailError, SignInAgainError, TransientError
from worker.events import fields
from worker.mailbox_pass.report import PassReport
from worker.owner.accounts import Accounts, State
from worker.problems import Cause, MailboxProblem

log = logging.getLogger(__name__)


class Outcomes:
    """Records outcomes. counted: counters since the start, by (name, label), see ``Passes.counted``."""

    def __init__(self, accounts: Accounts, clock: Clock) -> None:
        self.counted: Counter[tuple[str, str]] = Counter()
        self._accounts = accounts
        self._clock = clock
        self._logged: dict[str, MailboxProblem] = {}
        self._failures: Counter[str] = Counter()  # in a row

    def succeeded(self, email: str, report: PassReport) -> None:
        """Record a successful pass."""
        if failures := self._failures.pop(email, 0):
            log.info("Passes are good again.", extra=fields(account=email, failed=failures))
        self._logged.pop(email, None)
        self.counted["passes", "good"] += 1
        self.counted["notices", "opt_out"] += report.opt_outs
        self.counted["notices", "suspect"] += report.suspects
        self.counted["notices", "unrelated"] += report.unrelated
        self.counted["repairs", ""] += len(report.steps)
        self._accounts.update(email, state="problem" if report.advice else "ok", problem=report.advice)
        # Half a million passes a year have nothing to do.
        level = logging.INFO if report.did_something else logging.DEBUG
        log.log(level, "A pass ended.", extra=fields(account=email, **report.as_fields()))

    def failed(self, email: str, error: BuyerblockError) -> None:
        """Record a pass that ended with an error."""
        state: State = "sign_in_again" if isinstance(error, SignInAgainError) else "problem"
        problem = self._problem(email, error)
        # One line for an outage, not one for each of 1,440 passes a day.
        level = logging.DEBUG if problem == self._logged.get(email) else logging.WARNING
        log.log(level, "A pass ended early: %s", problem, extra=fields(account=email, state=state))
        self._keep(email, state, problem)

    def failed_unexpectedly(self, email: str) -> None:
        """Record a pass that ended with an unexpected exception. Call it inside ``except``: it logs the traceback."""
        log.exception("A pass failed in an unexpected way.", extra=fields(account=email))
        self._keep(email, "problem", MailboxProblem(Cause.UNEXPECTED))

    def _keep(self, email: str, state: State, problem: MailboxProblem) -> None:
        self.counted["passes", state] += 1
        self._failures[email] += 1
        self._logged[email] = problem
        self._accounts.update(
            email,
            state=state,
            problem=problem,
            last_pass=self._clock.now(),
            progress_at=None,
            progress=None,
        )

    def _problem(self, email: str, error: BuyerblockError) -> MailboxProblem:
        match error:
            case SignInAgainError() if error.problem.cause is Cause.SIGN_IN_ENDED:
                return self._expected_end(email) or error.problem
            case TransientError():
                return replace(error.problem, tried_again=True)
            case GmailError():
                return error.problem
            case _:
                return MailboxProblem(Cause.STORAGE, {"sentence": str(error)})

    def _expected_end(self, email: str) -> MailboxProblem | None:
        # At the sign-in, Google states when it will end.
        ends = self._accounts.get(email).sign_in_ends
        if ends is None or self._clock.now() < ends:
            return None
        return MailboxProblem(Cause.SIGN_IN_IN_TESTING, {"ends": f"{ends:%Y-%m-%d}"})
