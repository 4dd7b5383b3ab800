"""Make a call to Gmail: paid for, tried again where that helps, and its errors in our words."""

from typing import Any

from tenacity import RetryCallState, Retrying, retry_if_exception, wait_random_exponential

from worker.clock import Clock
from worker.errors import GoneError, QuotaError, StoppedError, TransientError
from worker.gmail.connection import Connection
from worker.gmail.credentials import Grant
from worker.gmail.quota import MAX_STATED_WAIT, Quota
from worker.gmail.refusals import translated
from worker.gmail.renewing import SharedCredentials
from worker.gmail.sessions import Sessions
from worker.problems import Cause

MAX_TRIES = 6
# Another program may have spent this minute's quota: these take two minutes and a half on average.
MAX_TRIES_FOR_SPEED = 12
MAX_WAIT = 64.0  # seconds, as Google recommends for truncated backoff

_backoff = wait_random_exponential(multiplier=0.5, max=MAX_WAIT)


def _worth_another_try(error: BaseException) -> bool:
    # Asking before the stated time only prolongs it.
    return isinstance(error, TransientError) and (error.retry_after or 0.0) <= MAX_STATED_WAIT


def _wait(state: RetryCallState) -> float:
    error = state.outcome.exception() if state.outcome else None
    stated = error.retry_after if isinstance(error, TransientError) else None
    return max(float(_backoff(state)), stated or 0.0)


def _tried_enough(state: RetryCallState) -> bool:
    error = state.outcome.exception() if state.outcome else None
    return state.attempt_number >= (MAX_TRIES_FOR_SPEED if isinstance(error, QuotaError) else MAX_TRIES)


class Calls:
    """One account's way to Gmail, for all threads."""

    def __init__(self, grant: Grant, quota: Quota, clock: Clock, sessions: Sessions) -> None:
        self._quota = quota
        self._clock = clock
        self._credentials = SharedCredentials(grant)
        self._sessions = sessions
        self._closed = False

    def make(self, request: Any) -> Any:
        """Make a call of Google's client library and return the reply.

        Raises what ``refusals.py`` makes of a refusal: TransientError after the last try, everything else at once;
        and StoppedError while waiting.
        """
        retrying = Retrying(
            retry=retry_if_exception(_worth_another_try),
            wait=_wait,
            stop=_tried_enough,
            sleep=self._clock.pause,
            reraise=True,
        )
        return retrying(self.make_once, request)

    def make_unless_gone(self, request: Any) -> Any:
        """Make a call and return the reply, None where Gmail does not know the message, label or filter any more."""
        try:
            return self.make(request)
        except GoneError:
            return None

    def close(self) -> None:
        """Let calls under way in other threads come to their end; later ones get StoppedError."""
        self._closed = True

    def make_once(self, request: Any) -> Any:
        """Make a call as ``make`` does, with one try: for what a second try would do once more."""
        with self._quota.spend(request.methodId.removeprefix("gmail.")):
            if self._closed:
                raise StoppedError("The mailbox was disconnected.")
            try:
                with translated(self._clock.now()), self._sessions.lent() as session:
                    reply = request.execute(http=Connection(session, self._credentials))
            except QuotaError as error:
                self._quota.learn(error)
                raise
        if reply and not isinstance(reply, dict):
            # The client library hands over as text what is not said to be JSON: a proxy's page, for example.
            raise TransientError(Cause.NOT_GMAIL)
        return reply
