"""Google's refusals, in the bodies that it really sends, as errors of ours."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from googleapiclient.errors import HttpError
from httplib2 import Response

from worker.errors import GmailError, QuotaError, SignInAgainError, TransientError
from worker.gmail.refusals import translating_errors

NOW = datetime(2026, 11, 23, 10, tzinfo=UTC)
HELP = {"@type": "type.googleapis.com/google.rpc.Help", "links": [{"description": "d", "url": "u"}]}


def info(reason: str) -> dict[str, str]:
    return {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": reason, "domain": "googleapis.com"}


def old(reason: str) -> dict[str, str]:
    return {"message": "m", "domain": "usageLimits", "reason": reason}


def refuse(status: int, **error: Any) -> None:
    body = {"error": {"code": status, "message": "No.", **error}}
    with translating_errors(NOW):
        raise HttpError(Response({"status": status}), json.dumps(body).encode())


@pytest.mark.parametrize(
    ("status", "error", "expected"),
    [
        (403, {"errors": [old("rateLimitExceeded")]}, QuotaError),
        (403, {"errors": [old("userRateLimitExceeded")], "details": [HELP]}, QuotaError),
        (403, {"details": [HELP, info("RATE_LIMIT_EXCEEDED")]}, QuotaError),
        (429, {}, QuotaError),
        (403, {"errors": [old("insufficientPermissions")], "details": [HELP]}, SignInAgainError),
        (403, {"details": [info("ACCESS_TOKEN_SCOPE_INSUFFICIENT")]}, SignInAgainError),
        (503, {"details": "odd"}, TransientError),
    ],
)
def test_the_reason_counts_wherever_it_stands(
    status: int, error: dict[str, Any], expected: type[Exception]
) -> None:
    with pytest.raises(expected):
        refuse(status, **error)


@pytest.mark.parametrize(
    "details", [[HELP, info("SERVICE_DISABLED")], [info("SERVICE_DISABLED"), HELP], [HELP]]
)
def test_a_switched_off_api_is_known_by_either_way_of_saying_it(details: list[Any]) -> None:
    with pytest.raises(GmailError, match="switched off"):
        refuse(403, errors=[old("accessNotConfigured")], details=details)


def test_a_refusal_without_any_reason_is_for_good() -> None:
    with pytest.raises(GmailError) as caught:
        refuse(403, details=[HELP])
    assert not isinstance(caught.value, TransientError | SignInAgainError)
