"""Is everything in place? For each account, line by line: done, still open, or wrong with its remedy."""

from dataclasses import dataclass
from typing import Literal

from oauth_web.services import services
from worker.gmail.wanted import LABELS
from worker.owner.accounts import Account
from worker.problems import Cause

State = Literal["done", "open", "bad"]


@dataclass(frozen=True, slots=True)
class Check:
    """One line. name: of its sentences in the table of texts."""

    name: str
    state: State


@dataclass(frozen=True, slots=True)
class Preflight:
    """The lines of one account."""

    email: str
    checks: tuple[Check, ...]

    @property
    def complete(self) -> bool:
        return all(check.state == "done" for check in self.checks)


def preflights() -> list[Preflight]:
    """Return how far each account is."""
    return [Preflight(account.email, _checks(account)) for account in services().app.accounts.all()]


def _checks(account: Account) -> tuple[Check, ...]:
    granted = account.state != "sign_in_again"
    rules = set(LABELS) <= set(account.labels) and bool(account.filter_ids)
    passed = account.last_good_pass is not None
    switched_off = account.problem is not None and account.problem.cause is Cause.API_OFF
    has_notices = services().app.block_list.listing.has_notices(account.email)
    return (
        Check("api", "bad" if switched_off else "done"),
        Check("scopes", "done" if granted else "bad"),
        Check("rules", "done" if rules else "open"),
        Check("pass", "done" if passed else "open"),
        Check("notices", "done" if has_notices else "open"),
    )
