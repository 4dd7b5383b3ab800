"""What Google says when it gives no token: what its owner reads, and whether the account can come back by itself."""

from typing import Any

import pytest
from sellers import EMAIL

from oauth_web.demo.sandbox import Fault, Sandbox
from worker.app import App
from worker.errors import BuyerblockError, GmailError, SignInAgainError, TransientError

EXPIRED = "Token has been expired or revoked."
RAPT = {
    "error": "invalid_grant",
    "error_description": "reauth related error (invalid_rapt)",
    "error_subtype": "invalid_rapt",
}


def refuse(app: App, google: Sandbox, oauth: dict[str, str], status: int = 400) -> BuyerblockError:
    """Run a pass whose access token has to be renewed, which Google answers so; return what ended the pass."""
    app.passes.run(EMAIL)
    google.user(EMAIL).expire_access_tokens()
    google.fault = lambda _number, method, _email: (
        Fault(status=status, oauth=oauth) if method == "oauth.token" else None
    )
    with pytest.raises(GmailError) as caught:
        app.passes.run(EMAIL)
    google.fault = None
    return caught.value


@pytest.mark.parametrize(
    ("oauth", "cure"),
    [
        ({"error": "invalid_grant", "error_description": EXPIRED}, "please sign in again"),
        (RAPT, "Google Cloud session control"),
        ({"error": "invalid_client", "error_description": "Unauthorized"}, "download the client file again"),
        ({"error": "deleted_client"}, "restore it there, or create a new one"),
        ({"error": "unauthorized_client"}, "Desktop app"),
    ],
)
def test_a_sign_in_that_has_ended_is_told_with_its_cure(
    app: App, google: Sandbox, oauth: dict[str, str], cure: str
) -> None:
    assert isinstance(refuse(app, google, oauth), SignInAgainError)
    account = app.accounts.get(EMAIL)
    assert account.state == "sign_in_again"
    assert cure in str(account.problem)
    assert "sign in again" in str(account.problem)


@pytest.mark.parametrize(
    ("code", "cure"),
    [
        ("disabled_client", "it can be enabled again there"),
        ("admin_policy_enforced", "have it trusted in the Admin console"),
        ("org_internal", "choose “External”"),
        ("policy_enforced", "leave Advanced Protection"),
    ],
)
def test_what_is_put_right_elsewhere_needs_no_new_sign_in(
    app: App, google: Sandbox, code: str, cure: str
) -> None:
    refuse(app, google, {"error": code}, 403)
    account = app.accounts.get(EMAIL)
    assert account.state == "problem"
    assert cure in str(account.problem)
    app.passes.run(EMAIL)
    assert app.accounts.get(EMAIL).state == "ok"


def test_a_reason_that_is_not_known_is_told_in_googles_words_and_tried_again(
    app: App, google: Sandbox
) -> None:
    odd = {"error": "new_reason", "error_description": "Something\nnew\x1b[2J " + "x" * 5000}
    assert isinstance(refuse(app, google, odd), TransientError)
    told = str(app.accounts.get(EMAIL).problem)
    assert "it says: Something new[2J xxx" in told
    assert told.endswith("The next pass tries again.")
    assert len(told) < 300


def test_a_secret_that_was_renewed_in_googles_console_is_told(app: App, google: Sandbox) -> None:
    app.passes.run(EMAIL)
    google.clients.renew_secret(app.accounts.grant(EMAIL).client_id)
    google.user(EMAIL).expire_access_tokens()
    with pytest.raises(SignInAgainError, match="its secret was changed"):
        app.passes.run(EMAIL)


@pytest.mark.parametrize("answer", [{"error": {"code": 5}}, {"error": 5}, {"no": "error"}])
def test_what_is_no_word_of_googles_ends_nothing(app: App, google: Sandbox, answer: Any) -> None:
    refuse(app, google, answer)
    assert app.accounts.get(EMAIL).state == "problem"
    assert app.accounts.get(EMAIL).problem.tried_again  # type: ignore[union-attr]
