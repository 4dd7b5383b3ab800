"""Errors with Google's messages and JSON structure.

Clients distinguish errors by status, by ``errors[0].reason`` and sometimes by the message. So all three are the same as
Google's, as far as they are known from public reports.
"""

from datetime import UTC, datetime

from oauth_web.demo.sandbox.wire import Reply, json_reply

STATUS_NAMES = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    409: "ABORTED",
    429: "RESOURCE_EXHAUSTED",
    500: "INTERNAL",
    501: "UNIMPLEMENTED",
    502: "UNAVAILABLE",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}

SPEED_REASONS = {"rateLimitExceeded", "userRateLimitExceeded", "accessNotConfigured", "dailyLimitExceeded"}

_RPC = "type.googleapis.com/google.rpc"
# The ``details`` of Google's newer error format. If they are present, the client library shows nothing else.
_DETAILS = {
    "accessNotConfigured": [
        {"@type": f"{_RPC}.Help", "links": [{"description": "Google developers console API activation"}]},
        {"@type": f"{_RPC}.ErrorInfo", "reason": "SERVICE_DISABLED", "domain": "googleapis.com"},
    ],
    "insufficientPermissions": [
        {
            "@type": f"{_RPC}.ErrorInfo",
            "reason": "ACCESS_TOKEN_SCOPE_INSUFFICIENT",
            "domain": "googleapis.com",
        },
    ],
}


class Refusal(Exception):  # noqa: N818 - an answer of Google, not an error of this program
    """An error answer of Google. bare: without a JSON body."""

    def __init__(
        self,
        code: int,
        message: str,
        reason: str = "",
        *,
        status: str = "",
        retry_after: float | None = None,
        bare: bool = False,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.reason = reason
        self.status = status or STATUS_NAMES.get(code, "UNKNOWN")
        self.retry_after = retry_after
        self.bare = bare

    def reply(self) -> Reply:
        if self.bare:
            return Reply(self.code, b"", "text/html; charset=UTF-8")
        domain = "usageLimits" if self.reason in SPEED_REASONS else "global"
        detail: dict[str, str] = {"message": self.message, "domain": domain, "reason": self.reason}
        if self.code == 401:
            detail |= {"location": "Authorization", "locationType": "header"}
        error = {"code": self.code, "message": self.message, "errors": [detail], "status": self.status}
        if self.reason in _DETAILS:
            error["details"] = _DETAILS[self.reason]
        headers = (
            (("Retry-After", str(max(1, round(self.retry_after)))),) if self.retry_after is not None else ()
        )
        return json_reply({"error": error}, self.code, headers)


def invalid(message: str) -> Refusal:
    """Return a 400 for an invalid argument."""
    return Refusal(400, message, "invalidArgument")


def precondition(message: str) -> Refusal:
    """Return a 400 for a request that conflicts with the state of the mailbox."""
    return Refusal(400, message, "failedPrecondition", status="FAILED_PRECONDITION")


def not_found() -> Refusal:
    return Refusal(404, "Requested entity was not found.", "notFound")


def unauthenticated() -> Refusal:
    return Refusal(
        401,
        "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or "
        "other valid authentication credential. See "
        "https://developers.google.com/identity/sign-in/web/devconsole-project.",
        "authError",
    )


def missing_scope() -> Refusal:
    return Refusal(403, "Request had insufficient authentication scopes.", "insufficientPermissions")


def api_disabled() -> Refusal:
    return Refusal(
        403,
        "Gmail API has not been used in project 1234567890 before or it is disabled. Enable it by visiting "
        "https://console.developers.google.com/apis/api/gmail.googleapis.com/overview?project=1234567890 "
        "then retry. If you enabled this API recently, wait a few minutes for the action to propagate to "
        "our systems and retry.",
        "accessNotConfigured",
    )


def stamp(moment: float) -> str:
    """Format epoch seconds like the time in Google's "Retry after <time>"."""
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
