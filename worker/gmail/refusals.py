"""Translate the errors of Google's libraries into our errors."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from google.auth.exceptions import GoogleAuthError, RefreshError, TransportError
from googleapiclient.errors import HttpError

from worker.errors import (
    BuyerblockError,
    ConflictError,
    GmailError,
    GoneError,
    LabelGoneError,
    QuotaError,
    SignInAgainError,
    TransientError,
)
from worker.gmail.connection import describe_network_error
from worker.problems import Cause

_QUOTA_REASONS = {"rateLimitExceeded", "userRateLimitExceeded", "RATE_LIMIT_EXCEEDED"}
MAX_RETRY_AFTER = 3600.0  # seconds; a longer time that Google states is ignored
_RETRY_AFTER = re.compile(r"Retry after (\d{4}-\d\d-\d\dT[\d:.]+Z)", re.IGNORECASE)


@contextmanager
def translating_errors(now: datetime) -> Iterator[None]:
    """Raise our errors in place of the libraries' own. now: for absolute retry times."""
    try:
        yield
    except HttpError as error:
        raise _from_http(error, now) from error
    except RefreshError as error:
        # Always final here: credentials.py raises another error for transient failures.
        raise SignInAgainError(Cause.SIGN_IN_ENDED) from error
    except (TransportError, OSError) as error:
        raise TransientError(Cause.UNREACHABLE, why=describe_network_error(error)) from error
    except ValueError as error:
        # The client library parses replies as JSON; a truncated reply is not valid JSON.
        raise TransientError(Cause.ANSWER_CUT) from error
    except GoogleAuthError as error:
        raise SignInAgainError(Cause.SIGN_IN_NOT_ACCEPTED) from error


def _from_http(error: HttpError, now: datetime) -> BuyerblockError:  # noqa: PLR0911 - a table of refusals
    status = int(error.resp.status)
    reasons = _reasons(error)
    words = str(error.reason).strip() or "no reason given"
    retry_after = _retry_after(error, words, now)
    if status == 429 or (status == 403 and reasons & _QUOTA_REASONS):
        concurrent = "concurrent" in words.lower()
        return QuotaError(Cause.SPEED_LIMIT, retry_after=retry_after, concurrent=concurrent)
    if status >= 500 or status == 408:
        return TransientError(Cause.GMAIL_FAILED, retry_after=retry_after, status=status)
    if not _is_from_gmail(error.content):
        # From a network with its own sign-in page, or an inspecting proxy.
        return TransientError(Cause.NOT_GMAIL_STATUS, status=status)
    if status == 401:
        # The access token was just refreshed, so Google will accept it soon.
        return TransientError(Cause.GMAIL_FAILED, status=status)
    if reasons & {"insufficientPermissions", "ACCESS_TOKEN_SCOPE_INSUFFICIENT"}:
        return SignInAgainError(Cause.SCOPE_MISSING)
    if status == 403 and reasons & {"accessNotConfigured", "SERVICE_DISABLED"}:
        return GmailError(Cause.API_OFF)
    if status == 404:
        return GoneError(Cause.GONE)
    if "invalid label" in words.lower():
        return LabelGoneError(Cause.LABEL_GONE)
    if status == 409 or "filter already exists" in words.lower():
        return ConflictError(Cause.EXISTS, words=words)
    return GmailError(Cause.REFUSED, words=words, status=status)


def _is_from_gmail(content: bytes) -> bool:
    # All refusals of the Gmail API have the form {"error": ...}.
    try:
        return "error" in json.loads(content)
    except (ValueError, TypeError):
        return False


def _reasons(error: HttpError) -> set[str]:
    """Return all of Google's reasons, from the older list (errors) and the newer one (details).

    The client library keeps only one of the two lists, and the first of the details may be a link to a help page.
    """
    try:
        body: Any = json.loads(error.content)["error"]
        given = [*body.get("errors", ()), *body.get("details", ())]
        return {str(each["reason"]) for each in given if "reason" in each}
    except (ValueError, LookupError, TypeError, AttributeError):
        return set()


def _retry_after(error: HttpError, words: str, now: datetime) -> float | None:
    header = str(error.resp.get("retry-after", ""))
    try:
        if header.isdecimal():
            return min(float(header), MAX_RETRY_AFTER)
        if match := _RETRY_AFTER.search(words):
            return _until(datetime.fromisoformat(match[1]), now)
        if header:
            return _until(parsedate_to_datetime(header).astimezone(UTC), now)
    except (ValueError, OverflowError):
        return None
    return None


def _until(moment: datetime, now: datetime) -> float:
    return min(max(0.0, (moment - now).total_seconds()), MAX_RETRY_AFTER)
