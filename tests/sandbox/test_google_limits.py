"""Quota, requests in flight, faults and batches, through the real client."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPException
from typing import Any
from urllib.request import Request, urlopen

import pytest
from google.oauth2.credentials import Credentials
from google_client import SELLER, mail, service_for
from googleapiclient.errors import HttpError
from googleapiclient.http import BatchHttpRequest

from oauth_web.demo.sandbox import Fault, FaultHook, Sandbox, VirtualClock


def status_of(request: Any) -> int:
    """Run a request and return its status."""
    try:
        request.execute()
    except HttpError as error:
        return int(error.status_code)
    return 200


def run_batch(sandbox: Sandbox, gmail: Any, requests: list[Any]) -> list[Any]:
    """Run requests as one batch; return for each its reply, or the error."""
    results: dict[str, Any] = {}

    def collect(request_id: str, reply: Any, error: Any) -> None:
        results[request_id] = error or reply

    batch = BatchHttpRequest(callback=collect, batch_uri=f"{sandbox.url}/batch/gmail/v1")
    for number, request in enumerate(requests):
        batch.add(request, request_id=str(number))
    batch.execute(http=gmail._http)  # the same connection and credentials as single calls
    return [results[str(number)] for number in range(len(requests))]


def always(fault: Fault) -> FaultHook:
    return lambda _number, _method, _email: fault


def test_calls_are_priced_and_written_down(sandbox: Sandbox, gmail: Any) -> None:
    message_id = sandbox.deliver(SELLER, mail())
    gmail.labels().get(userId="me", id="INBOX").execute()
    gmail.messages().list(userId="me").execute()
    gmail.messages().get(userId="me", id=message_id).execute()
    gmail.messages().batchModify(
        userId="me", body={"ids": [message_id], "addLabelIds": ["STARRED"]}
    ).execute()
    gmail.threads().get(userId="me", id=message_id).execute()
    assert [(call.method, call.units) for call in sandbox.calls(SELLER)] == [
        ("labels.get", 1),
        ("messages.list", 5),
        ("messages.get", 20),
        ("messages.batchModify", 50),
        ("threads.get", 40),
    ]
    assert sandbox.units(SELLER) == 116


def test_the_allowance_holds_in_any_sixty_seconds(sandbox: Sandbox, gmail: Any, clock: VirtualClock) -> None:
    sandbox.quota.allowance = 10
    listing = gmail.messages().list(userId="me")
    assert status_of(listing) == 200
    clock.advance(40)
    assert [status_of(listing), status_of(listing)] == [200, 403]
    clock.advance(19.9)
    assert status_of(listing) == 403
    clock.advance(0.1)
    assert [status_of(listing), status_of(listing)] == [200, 403]
    assert sandbox.refusals(SELLER) == {"quota": 3}
    assert sandbox.units(SELLER) == 15


@pytest.mark.parametrize(
    "kind", [(403, "rateLimitExceeded"), (403, "userRateLimitExceeded"), (429, "rateLimitExceeded")]
)
def test_a_quota_refusal_says_when_to_come_back(sandbox: Sandbox, gmail: Any, kind: tuple[int, str]) -> None:
    sandbox.quota.allowance, sandbox.quota.refuse_as = 5, kind
    gmail.messages().list(userId="me").execute()
    with pytest.raises(HttpError, match=r"Retry after 2026-11-23T10:01:00\.000Z") as caught:
        gmail.messages().list(userId="me").execute()
    details: Any = caught.value.error_details
    assert (caught.value.status_code, details[0]["reason"]) == kind
    assert details[0]["domain"] == "usageLimits"


def test_without_an_allowance_units_are_only_counted(sandbox: Sandbox, gmail: Any) -> None:
    sandbox.quota.allowance = None
    for _ in range(30):
        gmail.messages().list(userId="me").execute()
    assert sandbox.units(SELLER) == 150


def test_requests_in_flight_are_bounded_for_each_user(sandbox: Sandbox, credentials: Credentials) -> None:
    sandbox.quota.concurrency = 1
    inner: list[int] = []

    def call_once_more() -> None:
        sandbox.fault = None
        with service_for(sandbox, credentials) as second:
            inner.append(status_of(second.labels().list(userId="me")))

    sandbox.fault = always(Fault(before=call_once_more))
    with service_for(sandbox, credentials) as first:
        assert status_of(first.labels().list(userId="me")) == 200
    assert inner == [429]
    assert sandbox.refusals(SELLER) == {"concurrency": 1}


def test_many_threads_at_once_keep_the_ledger_right(sandbox: Sandbox, credentials: Credentials) -> None:
    sandbox.quota.allowance = 40

    def listing(_: int) -> int:
        with service_for(sandbox, credentials) as gmail:
            return status_of(gmail.messages().list(userId="me"))

    with ThreadPoolExecutor(6) as pool:
        statuses = list(pool.map(listing, range(24)))
    assert (statuses.count(200), statuses.count(403)) == (8, 16)
    assert sandbox.units(SELLER) == 40


@pytest.mark.parametrize("status", [403, 429, 500, 503])
def test_a_planned_refusal_has_no_effect_and_names_its_time(
    sandbox: Sandbox, gmail: Any, status: int
) -> None:
    message_id = sandbox.deliver(SELLER, mail())
    sandbox.fault = always(
        Fault(status=status, reason="rateLimitExceeded", message="Slow down.", retry_after=30)
    )
    with pytest.raises(HttpError, match=r"Slow down\.  Retry after 2026-11-23T10:00:30\.000Z") as caught:
        gmail.messages().trash(userId="me", id=message_id).execute()
    assert caught.value.resp["retry-after"] == "30"
    assert sandbox.mailbox(SELLER)[message_id] == ["INBOX", "UNREAD"]


@pytest.mark.parametrize(
    ("fault", "effect"),
    [
        (Fault(status=503, effect=True), True),
        (Fault(cut="before"), False),
        (Fault(cut="after"), True),
        (Fault(cut="body"), True),
    ],
)
def test_a_fault_loses_the_reply_and_perhaps_the_effect(
    sandbox: Sandbox, gmail: Any, fault: Fault, effect: bool
) -> None:
    message_id = sandbox.deliver(SELLER, mail())
    sandbox.fault = always(fault)
    with pytest.raises((HttpError, OSError, HTTPException, json.JSONDecodeError)):
        gmail.messages().trash(userId="me", id=message_id).execute()
    assert ("TRASH" in sandbox.mailbox(SELLER)[message_id]) is effect


@pytest.mark.parametrize("garble", ["half", "not_json"])
def test_a_garbled_reply_reaches_the_caller_as_text(sandbox: Sandbox, gmail: Any, garble: Any) -> None:
    """The client library raises nothing when a reply is not JSON; it hands the text on."""
    message_id = sandbox.deliver(SELLER, mail())
    sandbox.fault = always(Fault(garble=garble))
    assert isinstance(gmail.messages().trash(userId="me", id=message_id).execute(), str)
    assert "TRASH" in sandbox.mailbox(SELLER)[message_id]


def test_the_hook_knows_number_method_and_user_and_may_act_around_the_effect(
    sandbox: Sandbox, gmail: Any
) -> None:
    message_id = sandbox.deliver(SELLER, mail())
    seen: list[tuple[int, str, str]] = []
    states: list[list[str]] = []
    look: Callable[[], None] = lambda: states.append(sandbox.mailbox(SELLER)[message_id])  # noqa: E731 - short

    def hook(number: int, method: str, email: str) -> Fault | None:
        seen.append((number, method, email))
        return Fault(before=look, after=look)

    sandbox.fault = hook
    gmail.messages().trash(userId="me", id=message_id).execute()
    gmail.labels().list(userId="me").execute()
    (first, method, email), (second, *_) = seen
    assert (method, email, second - first) == ("messages.trash", SELLER, 1)
    assert states[:2] == [["INBOX", "UNREAD"], ["TRASH", "UNREAD"]]


def test_the_user_may_delete_in_the_middle_of_a_pass(sandbox: Sandbox, gmail: Any) -> None:
    message_id = sandbox.deliver(SELLER, mail())
    sandbox.fault = always(Fault(before=lambda: sandbox.user(SELLER).delete_message(message_id)))
    assert status_of(gmail.messages().get(userId="me", id=message_id)) == 404


def test_latency_and_slowness_take_the_clocks_time(sandbox: Sandbox, gmail: Any, clock: VirtualClock) -> None:
    sandbox.latency = 0.05
    start = clock.monotonic()
    gmail.labels().list(userId="me").execute()
    assert clock.monotonic() - start == pytest.approx(0.05)
    sandbox.fault = always(Fault(slow=2))
    gmail.labels().list(userId="me").execute()
    assert clock.monotonic() - start == pytest.approx(2.1)


def test_a_batch_is_charged_and_refused_call_by_call(sandbox: Sandbox, gmail: Any) -> None:
    message_id = sandbox.deliver(SELLER, mail())
    sandbox.quota.allowance = 40
    messages = gmail.messages()
    wanted = [messages.get(userId="me", id=one) for one in (message_id, "gone", message_id)]
    first, second, third = run_batch(sandbox, gmail, wanted)
    assert first["id"] == message_id
    assert (second.status_code, third.status_code) == (404, 403)
    assert [call.units for call in sandbox.calls(SELLER)] == [20, 20, 0]


def test_the_calls_of_a_batch_are_all_in_flight_at_once(sandbox: Sandbox, gmail: Any) -> None:
    sandbox.quota.concurrency = 3
    results = run_batch(sandbox, gmail, [gmail.labels().list(userId="me") for _ in range(5)])
    assert [getattr(result, "status_code", 200) for result in results] == [200, 200, 200, 429, 429]


def test_a_batch_takes_changes_and_empty_replies(sandbox: Sandbox, gmail: Any) -> None:
    message_id = sandbox.deliver(SELLER, mail())
    body = {"ids": [message_id], "addLabelIds": ["STARRED"]}
    wanted = [
        gmail.labels().create(userId="me", body={"name": "Größe"}),
        gmail.messages().batchModify(userId="me", body=body),
    ]
    made, empty = run_batch(sandbox, gmail, wanted)
    assert (made["name"], empty) == ("Größe", "")
    assert sandbox.mailbox(SELLER)[message_id] == ["INBOX", "STARRED", "UNREAD"]


def test_one_call_of_a_batch_fails_alone(sandbox: Sandbox, gmail: Any) -> None:
    sandbox.fault = lambda _n, method, _e: Fault(status=503) if method == "labels.list" else None
    results = run_batch(sandbox, gmail, [gmail.labels().list(userId="me"), gmail.getProfile(userId="me")])
    assert results[0].status_code == 503
    assert results[1]["emailAddress"] == SELLER


def test_an_unknown_token_is_401_and_an_unknown_path_404(sandbox: Sandbox) -> None:
    for path, status in (
        ("/gmail/v1/users/me/labels", 401),
        ("/gmail/v1/users/me/nothing", 404),
        ("/x", 404),
    ):
        request = Request(sandbox.url + path, headers={"Authorization": "Bearer forged"})
        with pytest.raises(OSError, match=f"HTTP Error {status}") as caught:
            urlopen(request)
        caught.value.close()  # type: ignore[attr-defined] # an HTTPError is a reply too


def test_an_unknown_parameter_is_refused(sandbox: Sandbox, credentials: Credentials) -> None:
    request = Request(
        f"{sandbox.url}/gmail/v1/users/me/labels?maxresults=5",
        headers={"Authorization": f"Bearer {credentials.token}"},
    )
    with pytest.raises(OSError, match="HTTP Error 400") as caught:
        urlopen(request)
    caught.value.close()  # type: ignore[attr-defined] # as above
