"""Make a call to Gmail, with quota, retries, and our own errors."""

from typing import Any

from tenacity import RetryCallState, Retrying, retry_if_exception, wait_random_exponential

from worker.clock import Clock
from worker.errors import GoneError, QuotaError, StoppedError, TransientError
from worker.gmail.connection import Connection
from worker.gmail.credentials import Grant
from worker.gmail.quota import MAX_STATED_WAIT, Quota
from worker.gmail.refresh import SharedCredentials
from worker.gmail.refusals import translating_errors
from worker.gmail.sessions import Sessions
from worker.problems import Cause

MAX_TRIES = 6
# Another program may have spent this minute's quota: so many tries take two and a half minutes on average.
MAX_TRIES_FOR_QUOTA = 12
MAX_WAIT = 64.0  # seconds, as Google recommends for truncated backoff

_backoff = wait_random_exponential(multiplier=0.5, max=MAX_WAIT)


def _should_retry(error: BaseException) -> bool:
    # A retry before the stated time only prolongs the wait.
    return isinstance(error, TransientError) and (error.retry_after or 0.0) <= MAX_STATED_WAIT


def _wait(state: RetryCallState) -> float:
    error = state.outcome.exception() if state.outcome else None
    stated = error.retry_after if isinstance(error, TransientError) else None
    return max(float(_backoff(state)), stated or 0.0)


def _should_stop(state: RetryCallState) -> bool:
    error = state.outcome.exception() if state.outcome else None
    return state.attempt_number >= (MAX_TRIES_FOR_QUOTA if isinstance(error, QuotaError) else MAX_TRIES)


class Calls:
    """Makes one account's calls, from any thread."""

    def __init__(self, grant: Grant, quota: Quota, clock: Clock, sessions: Sessions) -> None:
        self._quota = quota
        self._clock = clock
        self._credentials = SharedCredentials(grant)
        self._sessions = sessions
        self._closed = False

    def make(self, request: Any) -> Any:
        """Make a call of Google's client library and return the reply.

        Raises the errors of ``refusals.py``: TransientError after the last try, all others at once. Raises StoppedError
        while waiting.
        """
        retrying = Retrying(
            retry=retry_if_exception(_should_retry),
            wait=_wait,
            stop=_should_stop,
            sleep=self._clock.pause,
            reraise=True,
        )
        return retrying(self.make_once, request)

    def make_unless_gone(self, request: Any) -> Any:
        """Make a call and return the reply, None if the message, label or filter no longer exists."""
        try:
            return self.make(request)
        except GoneError:
            return None

    def close(self) -> None:
        """Reject later calls with StoppedError; running calls of other threads finish."""
        self._closed = True

    def make_once(self, request: Any) -> Any:
        """Make a call without retries: for calls that are not idempotent."""
        with self._quota.spend(request.methodId.removeprefix("gmail.")):
            if self._closed:
                raise StoppedError("The mailbox was disconnected.")
            try:
                with translating_errors(self._clock.now()), self._sessions.borrow() as session:
                    reply = request.execute(http=Connection(session, self._credentials))
            except QuotaError as error:
                self._quota.record_refusal(error)
                raise
        if reply and not isinstance(reply, dict):
            # The client library returns replies that are not JSON as text: a proxy's page, for example.
            raise TransientError(Cause.NOT_GMAIL)
        return reply
