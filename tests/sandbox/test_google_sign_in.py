"""Sign-in, through google-auth-oauthlib and the consent page."""

from typing import Any
from urllib.parse import parse_qs, urlsplit
from urllib.request import Request, urlopen

import pytest
import requests
from google.auth.exceptions import RefreshError
from google.auth.transport.requests import Request as Transport
from google.oauth2.credentials import Credentials
from google_client import CALLBACK, MODIFY, SELLER, SETTINGS, flow_for, service_for, sign_in
from oauthlib.oauth2.rfc6749.errors import AccessDeniedError, InvalidClientError, InvalidGrantError  # type: ignore[import-untyped] # it ships no types

from oauth_web.demo.sandbox import Sandbox, VirtualClock
from oauth_web.demo.sandbox.browser import PageError


def refresh(credentials: Credentials) -> None:
    with requests.Session() as session:
        credentials.refresh(Transport(session))  # type: ignore[no-untyped-call] # the library is untyped here


def fetch(flow: Any, callback: str) -> dict[str, Any]:
    try:
        token: dict[str, Any] = flow.fetch_token(authorization_response=callback)
    finally:
        flow.oauth2session.close()
    return token


def test_a_sign_in_gives_the_scopes_and_a_refresh_token(sandbox: Sandbox) -> None:
    credentials = sign_in(sandbox)
    assert set(credentials.granted_scopes or ()) == {MODIFY, SETTINGS}
    assert credentials.refresh_token
    with service_for(sandbox, credentials) as gmail:
        assert gmail.getProfile(userId="me").execute()["emailAddress"] == SELLER


def test_an_unticked_scope_is_not_granted(sandbox: Sandbox) -> None:
    assert sign_in(sandbox, untick=(SETTINGS,)).granted_scopes == [MODIFY]


def test_the_account_is_chosen_by_the_hint_unless_the_person_chooses_another(sandbox: Sandbox) -> None:
    sandbox.add_user("second@example.com")
    url, _ = flow_for(sandbox).authorization_url(login_hint="second@example.com")
    page = urlopen(url).read().decode()
    assert 'value="second@example.com" checked' in page
    assert f'value="{SELLER}" checked' not in page


def test_cancelling_comes_back_as_access_denied_with_the_state(sandbox: Sandbox) -> None:
    flow = flow_for(sandbox)
    url, state = flow.authorization_url()
    callback = sandbox.consent(url, cancel=True)
    assert parse_qs(urlsplit(callback).query) == {"error": ["access_denied"], "state": [state]}
    with pytest.raises(AccessDeniedError):
        fetch(flow, callback)


def test_a_code_is_good_once_and_for_ten_minutes(sandbox: Sandbox, clock: VirtualClock) -> None:
    flow = flow_for(sandbox)
    url, _ = flow.authorization_url()
    callback = sandbox.consent(url, email=SELLER)
    fetch(flow, callback)
    with pytest.raises(InvalidGrantError, match="Malformed auth code"):
        fetch(flow, callback)
    late = sandbox.consent(url, email=SELLER)
    clock.advance(601)
    with pytest.raises(InvalidGrantError):
        fetch(flow, late)


@pytest.mark.parametrize(
    ("verifier", "words"), [("wrong" * 10, "Invalid code verifier"), ("", "Missing code verifier")]
)
def test_the_pkce_verifier_must_fit(sandbox: Sandbox, verifier: str, words: str) -> None:
    flow = flow_for(sandbox)
    url, _ = flow.authorization_url()
    callback = sandbox.consent(url, email=SELLER)
    flow.code_verifier = verifier
    with pytest.raises(InvalidGrantError, match=words):
        fetch(flow, callback)


def test_a_wrong_client_secret_is_refused(sandbox: Sandbox) -> None:
    flow = flow_for(sandbox)
    url, _ = flow.authorization_url()
    callback = sandbox.consent(url, email=SELLER)
    flow.client_config["client_secret"] = "guessed"
    with pytest.raises(InvalidClientError):
        fetch(flow, callback)


def test_a_refresh_token_comes_only_offline_and_only_when_the_question_was_shown(sandbox: Sandbox) -> None:
    flow = flow_for(sandbox)
    url, _ = flow.authorization_url(access_type="online")
    assert "refresh_token" not in fetch(flow, sandbox.consent(url, email=SELLER))
    url, _ = flow.authorization_url(access_type="offline")
    assert "refresh_token" not in fetch(flow, sandbox.consent(url, email=SELLER)), (
        "all scopes were granted before"
    )
    url, _ = flow.authorization_url(access_type="offline", prompt="consent")
    assert "refresh_token" in fetch(flow, sandbox.consent(url, email=SELLER))


@pytest.mark.parametrize(
    "uri", ["http://localhost:1/x", "http://127.0.0.1:50000/oauth2/callback", "http://[::1]:8/"]
)
def test_a_desktop_app_may_use_any_loopback_address(sandbox: Sandbox, uri: str) -> None:
    flow = flow_for(sandbox)
    flow.redirect_uri = uri
    assert sandbox.consent(flow.authorization_url()[0], email=SELLER).startswith(uri)


@pytest.mark.parametrize(
    "uri", ["https://127.0.0.1:1/x", "http://192.168.0.2:8000/x", "http://localhost.example.com/"]
)
def test_a_desktop_app_may_not_use_other_addresses(sandbox: Sandbox, uri: str) -> None:
    flow = flow_for(sandbox)
    flow.redirect_uri = uri
    with pytest.raises(PageError, match="redirect_uri_mismatch"):
        sandbox.consent(flow.authorization_url()[0], email=SELLER)


def test_a_web_client_may_use_only_what_is_registered(sandbox: Sandbox) -> None:
    flow = flow_for(sandbox, kind="web", redirect_uris=[CALLBACK])
    assert sandbox.consent(flow.authorization_url()[0], email=SELLER).startswith(CALLBACK)
    flow.redirect_uri = CALLBACK + "/"
    with pytest.raises(PageError, match="redirect_uri_mismatch"):
        sandbox.consent(flow.authorization_url()[0], email=SELLER)


def test_an_unknown_scope_gets_a_page_that_says_so(sandbox: Sandbox) -> None:
    with pytest.raises(PageError, match="invalid_scope"):
        sandbox.consent(flow_for(sandbox, scopes=("https://example.org/all",)).authorization_url()[0])


def test_an_expired_access_token_is_refreshed_by_the_library(
    sandbox: Sandbox, gmail: Any, credentials: Credentials, clock: VirtualClock
) -> None:
    before = credentials.token
    clock.advance(3600)
    gmail.labels().list(userId="me").execute()
    assert credentials.token != before
    assert [call.status for call in sandbox.calls(SELLER)] == [401, 200]


def test_after_revocation_nothing_works_and_refreshing_is_invalid_grant(
    sandbox: Sandbox, gmail: Any, credentials: Credentials
) -> None:
    request = Request(sandbox.revoke_url, f"token={credentials.refresh_token}".encode(), method="POST")
    assert urlopen(request).status == 200
    with pytest.raises(RefreshError, match="invalid_grant"):
        gmail.labels().list(userId="me").execute()


def test_the_user_can_revoke_and_other_accounts_live_on(sandbox: Sandbox, credentials: Credentials) -> None:
    sandbox.add_user("second@example.com").revoke()
    refresh(credentials)
    sandbox.user(SELLER).revoke()
    with pytest.raises(RefreshError, match="Token has been expired or revoked"):
        refresh(credentials)


def test_a_client_in_testing_loses_its_refresh_tokens_after_seven_days(
    sandbox: Sandbox, credentials: Credentials, clock: VirtualClock
) -> None:
    sandbox.world.grants.testing = True
    clock.advance(6 * 86_400)
    refresh(credentials)
    clock.advance(2 * 86_400)
    with pytest.raises(RefreshError):
        refresh(credentials)


def test_the_hundred_and_first_refresh_token_ends_the_first(sandbox: Sandbox) -> None:
    flow = flow_for(sandbox)
    url, _ = flow.authorization_url(access_type="offline", prompt="consent")
    fetch(flow, sandbox.consent(url, email=SELLER))
    first = flow.credentials
    for _ in range(99):
        fetch(flow, sandbox.consent(url, email=SELLER))
    refresh(first)
    fetch(flow, sandbox.consent(url, email=SELLER))
    with pytest.raises(RefreshError):
        refresh(first)
