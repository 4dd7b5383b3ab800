"""All errors. The class says whether to retry; the sentence says what the person should do.

::

    BuyerblockError            one sentence: what is wrong and what to do
    ├── StoppedError           the program was asked to stop; the next start continues
    ├── UsageError             bad input from a person; nothing was changed; exit 2
    │   └── SettingsError      an environment variable or a client file is wrong
    ├── StorageError           the disk or a file in the data directory
    │   ├── DamagedFileError   the content is damaged; it is never overwritten
    │   └── BusyError          another process locks it for too long
    └── GmailError             permanent, except the subclass TransientError
        ├── TransientError     worth a retry; may have the time for it
        │   └── QuotaError     too many calls
        ├── SignInAgainError   the grant is no longer valid; only the user can renew it
        ├── GoneError          the message or filter no longer exists
        ├── LabelGoneError     one of our labels no longer exists; the rules need repair
        └── ConflictError      the label or filter exists already
"""

from collections.abc import Mapping

from worker.problems import Cause, MailboxProblem
from worker.sentences import filled


class BuyerblockError(Exception):
    """Base of all our errors. ``str(error)`` is one sentence for a person: the template with its fields."""

    def __init__(self, template: str, /, **fields: object) -> None:
        super().__init__(template)
        self.template = template
        self.fields: Mapping[str, object] = fields

    def __str__(self) -> str:
        return filled(self.template, self.fields)


class StoppedError(BuyerblockError):
    """The program was asked to stop. What was interrupted is safe to repeat."""


class UsageError(BuyerblockError):
    """Invalid input."""


class SettingsError(UsageError):
    """A setting, or a file named by a setting, is wrong."""


class StorageError(BuyerblockError):
    """The data directory or the database cannot be read or written."""


class DamagedFileError(StorageError):
    """The database, a backup or a stored document is damaged."""


class BusyError(StorageError):
    """Another process writes or serves there."""


class GmailError(BuyerblockError):
    """Google refused, and a retry does not help. details: the fields of the sentence."""

    def __init__(self, cause: Cause, **details: object) -> None:
        self.problem = MailboxProblem(cause, {name: str(value) for name, value in details.items()})
        super().__init__(self.problem.template, **self.problem.fields)


class TransientError(GmailError):
    """Google or the network failed temporarily. retry_after: seconds that Google asked to wait, or None."""

    def __init__(self, cause: Cause, *, retry_after: float | None = None, **details: object) -> None:
        super().__init__(cause, **details)
        self.retry_after = retry_after


class QuotaError(TransientError):
    """Google's quota was exceeded. concurrent: by the number of requests in flight, not by their price."""

    def __init__(
        self, cause: Cause, *, retry_after: float | None = None, concurrent: bool = False, **details: object
    ) -> None:
        super().__init__(cause, retry_after=retry_after, **details)
        self.concurrent = concurrent


class SignInAgainError(GmailError):
    """The refresh token is no longer valid, or a scope is missing: only a new sign-in helps."""


class GoneError(GmailError):
    """404: it was deleted."""


class LabelGoneError(GmailError):
    """One of our labels was deleted."""


class ConflictError(GmailError):
    """409, or "Filter already exists"."""
