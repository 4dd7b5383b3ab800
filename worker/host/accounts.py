"""The accounts of a seller on a host. A look at an idle mailbox writes only to the table ``looks``."""

from dataclasses import replace
from datetime import datetime

from worker.database import Database
from worker.host.looks import Looks
from worker.owner.accounts import Account, Accounts
from worker.sealing import Sealer


class HostAccounts(Accounts):
    """Accounts with the times of their looks."""

    def __init__(self, database: Database, sealer: Sealer, looks: Looks, tenant: int) -> None:
        super().__init__(database, sealer)
        self._looks = looks
        self._tenant = tenant

    def all(self) -> list[Account]:
        times = self._looks.times(self._tenant)
        return [_with_times(it, *times.get(it.email, (None, None))) for it in super().all()]

    def get(self, email: str) -> Account:
        account = super().get(email)
        return _with_times(account, *self._looks.times(self._tenant).get(account.email, (None, None)))


def _with_times(account: Account, good_at: datetime | None, next_look: datetime | None) -> Account:
    return replace(
        account,
        last_pass=_later(account.last_pass, good_at),
        last_good_pass=_later(account.last_good_pass, good_at),
        next_pass=next_look,
    )


def _later(one: datetime | None, other: datetime | None) -> datetime | None:
    return max((it for it in (one, other) if it is not None), default=None)
