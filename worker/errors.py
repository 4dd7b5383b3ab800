"""Errors carry their decision: whether to try again, and what the person should do.

::

    BuyerblockError            one sentence: what is wrong and what to do
    ├── StoppedError           the program was asked to stop; the next start goes on from here
    ├── UsageError             bad input from a person; nothing was changed; exit 2
    │   └── SettingsError      an environment variable or a client file is wrong
    ├── StorageError           the disk or a file in the data directory
    │   ├── DamagedFileError   its content cannot be trusted; it stays as it is
    │   └── BusyError          another process is at work there for too long
    └── GmailError             permanent unless it says otherwise
        ├── TransientError     worth trying again; may carry when
        │   └── QuotaError     refused for speed
        ├── SignInAgainError   the grant is gone; only the user can renew it
        ├── GoneError          the message or filter no longer exists
        ├── LabelGoneError     one of our labels no longer exists; the rules need repair
        └── ConflictError      the label or filter is there already
"""

from collections.abc import Mapping

from worker.problems import Cause, MailboxProblem
from worker.sentences import filled


class BuyerblockError(Exception):
    """Base of all our errors. ``str(error)`` is one sentence for the person who reads it, the template filled in."""

    def __init__(self, template: str, /, **fields: object) -> None:
        super().__init__(template)
        self.template = template
        self.fields: Mapping[str, object] = fields

    def __str__(self) -> str:
        return filled(self.template, self.fields)


class StoppedError(BuyerblockError):
    """The program was asked to stop in the middle of something that is safe to leave."""


class UsageError(BuyerblockError):
    """Input that cannot be taken as it is."""


class SettingsError(UsageError):
    """A setting or a file named by a setting is wrong."""


class StorageError(BuyerblockError):
    """The data directory cannot be read or written."""


class DamagedFileError(StorageError):
    """The database, a backup or a stored document is not what the program wrote. It is never overwritten."""


class BusyError(StorageError):
    """Another process writes or serves there; try again, or stop it."""


class GmailError(BuyerblockError):
    """Google refused, for a reason that a repetition does not change. details: what its sentence names."""

    def __init__(self, cause: Cause, **details: object) -> None:
        self.problem = MailboxProblem(cause, {name: str(value) for name, value in details.items()})
        super().__init__(self.problem.template, **self.problem.fields)


class TransientError(GmailError):
    """Google or the network failed for a moment.

    retry_after: seconds that Google asked to wait, if it said so.
    """

    def __init__(self, cause: Cause, *, retry_after: float | None = None, **details: object) -> None:
        super().__init__(cause, **details)
        self.retry_after = retry_after


class QuotaError(TransientError):
    """Refused for speed: too many units, or too many requests at once.

    concurrent: True when the number of requests in flight was refused, not their price.
    """

    def __init__(
        self, cause: Cause, *, retry_after: float | None = None, concurrent: bool = False, **details: object
    ) -> None:
        super().__init__(cause, retry_after=retry_after, **details)
        self.concurrent = concurrent


class SignInAgainError(GmailError):
    """The refresh token is no longer valid or a scope is missing: only a new sign-in helps."""


class GoneError(GmailError):
    """404: it was deleted in the meantime."""


class LabelGoneError(GmailError):
    """One of our labels was deleted in the meantime."""


class ConflictError(GmailError):
    """409, or "Filter already exists"."""
