"""Google's OAuth endpoints: the consent page, the token endpoint, and revocation."""

import base64
import binascii
from collections.abc import Mapping
from urllib.parse import unquote, urlencode

from oauth_web.demo.sandbox import pages
from oauth_web.demo.sandbox.clients import Client, Clients
from oauth_web.demo.sandbox.fault_injection import inject
from oauth_web.demo.sandbox.grants import Code, GrantError
from oauth_web.demo.sandbox.scopes import KNOWN, MAIL
from oauth_web.demo.sandbox.wire import Reply, Request, json_reply, redirect
from oauth_web.demo.sandbox.world import World

Fields = Mapping[str, list[str]]

# Parameters that the consent page passes from the first request to the user's answer.
CARRIED = (
    *("client_id", "redirect_uri", "response_type", "scope", "state", "access_type", "prompt", "login_hint"),
    *("include_granted_scopes", "code_challenge", "code_challenge_method"),
)


def consent_page(world: World, clients: Clients, request: Request) -> Reply:
    """Show the consent page, with accounts and scopes."""
    asked = request.query
    problem = _problem(clients, asked)
    if problem is not None:
        return problem
    scopes = _one(asked, "scope").split()
    hint = _one(asked, "login_hint").lower()
    emails = list(world.mailboxes)
    return pages.consent(
        carried={name: _one(asked, name) for name in CARRIED if name in asked},
        emails=emails,
        chosen=hint if hint in emails else next(iter(emails), ""),
        identity=[KNOWN[scope] for scope in scopes if scope not in MAIL],
        tickable=[(scope, MAIL[scope]) for scope in scopes if scope in MAIL],
    )


def consent_given(world: World, clients: Clients, request: Request) -> Reply:
    """Process the user's answer and redirect to the client. Its method name for faults is "oauth.consent"."""
    form = request.form()
    problem = _problem(clients, form)
    if problem is not None:
        return problem
    email, wanted = _one(form, "account"), _one(form, "scope").split()
    back = {"state": _one(form, "state")} if "state" in form else {}
    fault = world.next_fault("oauth.consent", email)
    if fault.oauth is not None:
        return redirect(_with(_one(form, "redirect_uri"), {**fault.oauth, **back}))
    ticked = set(form.get("ticked", ()))
    scopes = frozenset(scope for scope in wanted if scope in ticked or scope not in MAIL)
    if _one(form, "decision") != "allow" or email not in world.mailboxes or not scopes:
        return redirect(_with(_one(form, "redirect_uri"), {"error": "access_denied", **back}))
    code = world.grants.consented(
        Code(
            client_id=_one(form, "client_id"),
            email=email,
            scopes=scopes,
            redirect_uri=_one(form, "redirect_uri"),
            challenge=_one(form, "code_challenge"),
            challenge_method=_one(form, "code_challenge_method") or "plain",
            offline=_one(form, "access_type") == "offline",
            made_at=world.now(),
        ),
        prompted="consent" in _one(form, "prompt").split(),
        include_granted=_one(form, "include_granted_scopes") == "true",
    )
    answer = {**back, "code": code, "scope": " ".join(sorted(scopes))}
    return redirect(_with(_one(form, "redirect_uri"), answer))


def token(world: World, clients: Clients, request: Request) -> Reply:
    """Exchange a code or a refresh token. The method name for faults is "oauth.token"."""
    form = request.form()
    secret = _one(form, "refresh_token") or _one(form, "code")
    fault = world.next_fault("oauth.token", world.grants.owner(secret))
    if fault.before is not None:
        fault.before()
    world.wait()
    return inject(world, fault, lambda: _token(world, clients, request, form))


def revoke(world: World, request: Request) -> Reply:
    """Revoke a grant by one of its tokens. The method name for faults is "oauth.revoke"."""
    text = _one(request.form(), "token")
    fault = world.next_fault("oauth.revoke", world.grants.owner(text))
    if fault.before is not None:
        fault.before()
    world.wait()

    def effect() -> Reply:
        if world.grants.revoke_token(text):
            return json_reply({})
        return _error("invalid_token", "Token expired or revoked")

    return inject(world, fault, effect)


def _token(world: World, clients: Clients, request: Request, form: Fields) -> Reply:
    client_id, client_secret = _client_credentials(request, form)
    client = clients.get(client_id)
    if client is None:
        return _error("invalid_client", "The OAuth client was not found.", 401)
    if client.secret != client_secret:
        return _error("invalid_client", "Unauthorized", 401)
    try:
        match _one(form, "grant_type"):
            case "authorization_code":
                code = unquote(_one(form, "code"))
                redirect_uri, verifier = _one(form, "redirect_uri"), _one(form, "code_verifier")
                return json_reply(world.grants.redeem(code, client.id, redirect_uri, verifier))
            case "refresh_token":
                return json_reply(world.grants.refresh(_one(form, "refresh_token"), client.id))
            case other:
                return _error("unsupported_grant_type", f"Invalid grant_type: {other}")
    except GrantError as error:
        return _error("invalid_grant", str(error))


def _client_credentials(request: Request, form: Fields) -> tuple[str, str]:
    """Return id and secret from the Authorization header or from the form; Google accepts both."""
    kind, _, encoded = request.headers.get("authorization", "").partition(" ")
    if kind.lower() == "basic":
        try:
            name, _, secret = base64.b64decode(encoded).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return "", ""
        return unquote(name), unquote(secret)
    return _one(form, "client_id"), _one(form, "client_secret")


def _problem(clients: Clients, asked: Fields) -> Reply | None:
    """Return Google's error page for an invalid request, None for a valid one."""
    client: Client | None = clients.get(_one(asked, "client_id"))
    if client is None:
        return pages.refused(401, "invalid_client", "The OAuth client was not found.")
    if not client.allows(_one(asked, "redirect_uri")):
        return pages.refused(
            400, "redirect_uri_mismatch", "You can't sign in because this app sent an invalid request."
        )
    if _one(asked, "response_type") != "code":
        return pages.refused(400, "unsupported_response_type", "Required parameter: response_type=code")
    scopes = _one(asked, "scope").split()
    unknown = [scope for scope in scopes if scope not in KNOWN]
    if not scopes or unknown:
        text = (
            f"Some requested scopes were invalid: {unknown}"
            if scopes
            else "Missing required parameter: scope"
        )
        return pages.refused(400, "invalid_scope" if scopes else "invalid_request", text)
    return None


def _one(fields: Fields, name: str) -> str:
    return fields.get(name, [""])[-1]


def _with(uri: str, answer: Mapping[str, str]) -> str:
    return f"{uri}{'&' if '?' in uri else '?'}{urlencode(answer)}"


def _error(error: str, description: str, status: int = 400) -> Reply:
    return json_reply({"error": error, "error_description": description}, status)
