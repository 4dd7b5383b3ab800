"""Two sellers of a host, each trying by every route of the page and the API what belongs to the other.

A new route fails the first test until it stands in ``PAGE`` or ``API`` with whatever of another seller's it could be
asked about.
"""

import gzip
import html
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from io import BytesIO
from typing import Any
from urllib.parse import quote, quote_plus
from zipfile import ZipFile

import orjson
import pytest
from browsing import csrf_token
from clocks import FakeClock
from flask import Flask
from new_host import emptied, settings_of_host
from people import CLIENT
from two_sellers import STATE, Seller, kept, made
from werkzeug.test import TestResponse

from oauth_web.demo.sandbox import Sandbox
from oauth_web.host import create_host_app
from oauth_web.texts.english import ENGLISH
from worker.block_list.formats.exports import FORMATS
from worker.database.postgres_pool import Pool
from worker.host.tenants import Tenants
from worker.settings import Settings

pytestmark = pytest.mark.postgres

NAMES = ("quillfeather", "bramblewick")
NUMBERS = [str(it) for it in range(7)]  # of events, by which imports and unblockings are called

Values = dict[str, Any]
Asked = tuple[Values, Values]  # of the address, and of the form or the JSON

METRICS = "monitoring.prometheus"  # of the host, so refused

NOTHING: list[Asked] = [({}, {})]


def in_address(**values: Any) -> Asked:
    return values, {}


def in_form(**values: Any) -> Asked:
    return {}, values


def decisions(it: Seller) -> Iterator[Asked]:
    """Yield every way to decide about another one's mail."""
    for action in ("block", "dismiss", "restore", "trust"):
        for which in (1, 2):
            yield in_form(action=action, item=it.mail(which))
            yield in_form(action=f"{action} {it.mail(which)}")
        for state in ("waiting", "dismissed", "blocked"):
            yield in_form(action=action, decision=it.decision, state=state)
        for group in ("", "forgery"):
            yield {"account": it.email}, {"action": action, "all": "1", "of": group}


def of_account(*more: str) -> Callable[[Seller], list[Asked]]:
    """Return a form of an account's settings, with some values."""
    values = dict(zip(more[::2], more[1::2], strict=True))
    return lambda it: [in_form(account=it.email, **values)]


# What is sent to each route, made of what is the other one's.
PAGE: dict[str, Callable[[Seller], list[Asked]]] = {
    "static": lambda _: [in_address(filename="style.css")],
    "help_pages.first": lambda _: NOTHING,
    "help_pages.page": lambda _: [in_address(name="seller")],
    "home.home": lambda _: NOTHING,
    "home.live": lambda _: NOTHING,
    "home.check_now": lambda _: NOTHING,
    "home.silence_heard": of_account(),
    "home.healthz": lambda _: NOTHING,
    "monitoring.readyz": lambda _: NOTHING,
    METRICS: lambda _: NOTHING,
    "sign_in.start": lambda it: [in_address(account=it.email), in_address(account=it.email, only="1")],
    "sign_in.callback": lambda it: [in_address(state=STATE.format(name=it.name), code="x")],
    "sign_in.connect": lambda it: [
        in_form(name=f"{kind}-of-{it.name}", yes="") for kind in ("grant", "import")
    ],
    "sign_in.join": lambda it: [in_form(seller=it.email)],
    "sign_in.sign_out": lambda _: NOTHING,
    "blocks.blocks": lambda it: [
        *NOTHING,
        in_address(account=it.email),
        in_address(q=it.order),
        in_address(q="buyer1"),
        in_address(edit=it.key(1), part="1"),
    ],
    "blocks.detail": lambda it: [in_address(key=key) for key in (it.key(1), it.key(4), it.order)],
    "blocks.block": lambda it: [in_form(keys=f"{it.key(1)}\n{it.key(4)}\n{it.order}", note="mine now")],
    "blocks.unblock": lambda it: [
        in_form(key=[it.key(1), it.key(2), it.order]),
        *(({"account": it.email}, {"found": str(count)}) for count in range(1, 5)),
    ],
    "blocks.undo_unblock": lambda _: [in_form(unblocking=number) for number in NUMBERS],
    "blocks.annotate": lambda it: [in_form(key=it.key(1), note="mine now")],
    "downloads.file": lambda it: [in_address(name="json"), in_address(name="json", account=it.email)],
    "blocks.export": lambda it: [
        *(in_address(format=name) for name in FORMATS),
        in_address(account=it.email, format="json"),
    ],
    "imports.form": lambda _: NOTHING,
    "imports.preview": lambda it: [in_form(text=f"{it.key(1)}\n{it.key(4)}\n{it.order}")],
    "imports.apply": lambda it: [in_form(pending=f"{kind}-of-{it.name}") for kind in ("import", "grant")],
    "imports.undo": lambda _: [in_form(**{"import": number}) for number in NUMBERS],
    "undelivered.page": lambda _: NOTHING,
    "undelivered.table": lambda _: NOTHING,
    "review.page": lambda it: [
        in_address(state=state, account=account)
        for state in ("waiting", "dismissed", "blocked")
        for account in ("", it.email)
    ],
    "review.mail_text": lambda it: [in_address(item=it.mail(which)) for which in (1, 2)],
    "review.decide": lambda it: list(decisions(it)),
    "review.distrust": lambda it: [in_form(account=it.email, person=f"trusted-by-{it.name}@example.com")],
    "settings.page": lambda it: [*NOTHING, in_address(account=it.email)],
    "settings.general": lambda _: NOTHING,
    "settings.forwarding": of_account("address", "mine@example.com"),
    "settings.reading": of_account("mark_read", "on"),
    "settings.trusted": of_account("addresses", "mine@example.com"),
    "settings.redirectors": of_account("addresses", "example.com"),
    "settings.save_interval": lambda _: [in_form(seconds="3600")],
    "settings.save_language": lambda _: [in_form(language="en")],
    "settings.save_expiry": lambda _: [in_form(days="30")],
    "settings.expire_now": lambda _: [in_form(count=number) for number in NUMBERS],
    "settings.undo_expiry": lambda _: NOTHING,
    "settings.ask_to_disconnect": lambda it: [in_address(account=it.email)],
    "settings.disconnect": of_account("undo", "on", "days_back", "30"),
    "people.page": lambda _: NOTHING,
    "people.add": lambda it: [in_form(email=it.email, role="full"), in_form(email=it.colleague, role="read")],
    "people.remove": lambda it: [in_form(email=it.email), in_form(email=it.colleague)],
    "tokens.page": lambda _: NOTHING,
    "tokens.make": lambda it: [in_form(name=f"tool of {it.name}", scope="write")],
    "tokens.revoke": lambda it: [in_form(name=f"tool of {it.name}")],
    "copies.page": lambda _: NOTHING,
    "copies.make_address": lambda it: [in_form(address_name=f"sheet of {it.name}", format="csv")],
    "copies.revoke": lambda it: [in_form(name=f"sheet of {it.name}")],
    "backups.page": lambda _: NOTHING,
    "backups.download": lambda _: NOTHING,
    "notifications.page": lambda _: NOTHING,
    "notifications.add_mailbox": lambda it: [in_form(email=it.email)],
    "notifications.add_messenger": lambda it: [in_form(url=f"ntfy://127.0.0.1:9/{it.name}")],
    "notifications.test": lambda it: [in_form(id=each) for each in it.destinations],
    "notifications.remove": lambda it: [in_form(id=each) for each in it.destinations],
    "notifications.save_day": lambda _: [in_form(day="3")],
    "webhook.page": lambda _: NOTHING,
    "webhook.save": lambda it: [in_form(url=f"https://127.0.0.1:9/{it.name}", allow_private="on")],
    "webhook.test": lambda _: NOTHING,
    "webhook.resume": lambda _: NOTHING,
    "webhook.remove": lambda _: NOTHING,
}

API: dict[str, Callable[[Seller], list[Asked]]] = {
    "blocks.listed": lambda it: [
        *NOTHING,
        in_address(account=it.email),
        in_address(q="buyer1"),
        *(in_address(cursor=f"{day}T00:00:00Z_{it.key(1)}") for day in ("2020-01-01", "2026-11-25")),
    ],
    "blocks.one": lambda it: [in_address(key=key) for key in (it.key(1), it.key(4), it.order)],
    "blocks.check": lambda it: [in_form(keys=[it.key(1), it.key(2), it.order], kind=None)],
    "blocks.block": lambda it: [in_form(keys=[it.key(4), it.order], note="mine now")],
    "blocks.unblock": lambda it: [in_address(key=key) for key in (it.key(1), it.key(2), it.order)],
    "blocks.export": lambda _: [in_address(format=name) for name in FORMATS],
    "blocks.openapi": lambda _: NOTHING,
    "docs.docs": lambda _: NOTHING,
    "docs.file": lambda _: [in_address(name="docs.css")],
}


class Pair:
    """Two sellers in an otherwise empty database, made anew after something of theirs has changed."""

    def __init__(self, pool: Pool, settings: Settings) -> None:
        self._pool, self._settings = pool, settings
        self._make()

    def _make(self) -> None:
        emptied(self._pool)
        self.tenants = Tenants(self._pool, self._settings, FakeClock())
        self.page = create_host_app(self.tenants)
        both = [made(self.tenants, self.page, name, number) for number, name in enumerate(NAMES, 1234501)]
        self.both = [replace(it, csrf=csrf_token(it.browser, "/settings/general")) for it in both]
        self._kept = self._kept_now()

    def _kept_now(self) -> list[Any]:
        return [kept(self.tenants, it) for it in self.both]

    def ready(self) -> None:
        """Make them anew where that is needed, and let nobody wait for a limit."""
        if self._kept_now() != self._kept:
            self.close()
            self._make()
        self._pool.run(lambda connection: connection.execute(b"DELETE FROM limits"))

    def close(self) -> None:
        self.tenants.close()


@pytest.fixture(scope="module")
def pair(pool: Pool, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    folder = tmp_path_factory.mktemp("host")
    (folder / "client_secret.json").write_bytes(orjson.dumps(CLIENT))
    with Sandbox() as google, closing(Pair(pool, settings_of_host(google, folder))) as pair:
        yield pair


@pytest.fixture
def tenants(pair: Pair) -> Tenants:
    pair.ready()
    return pair.tenants


@pytest.fixture
def page(pair: Pair, tenants: Tenants) -> Flask:  # noqa: ARG001 - which makes the pair ready
    return pair.page


@pytest.fixture(params=[0, 1], ids=NAMES)
def sellers(pair: Pair, page: Flask, request: pytest.FixtureRequest) -> tuple[Seller, Seller]:  # noqa: ARG001 - as above
    """The one who tries, and the other one."""
    return pair.both[request.param], pair.both[1 - request.param]


def api_of(page: Flask) -> Flask:
    found: Flask = page.wsgi_app.mounts["/api"].__self__  # type: ignore[attr-defined]
    return found


def sent(
    me: Seller, app: Flask, endpoint: str, asked: Asked, headers: dict[str, str]
) -> Iterator[TestResponse]:
    """Yield the answers to a request by each method that a route has."""
    address, content = asked
    base = "/api" if app.name.endswith("api") else ""
    for rule in app.url_map.iter_rules(endpoint):
        with app.test_request_context():
            path = app.url_for(endpoint, **{it: address[it] for it in rule.arguments})
        query = {name: value for name, value in address.items() if name not in rule.arguments}
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}:
            body: Values = {}
            if method == "POST":
                body = {"json": content} if base else {"data": {"csrf_token": me.csrf, **content}}
            options: Values = {"query_string": query, "headers": {"X-CSRFToken": me.csrf, **headers}, **body}
            with closing(me.browser.open(base + path, method=method, **options)) as answer:
                yield answer


def text_of(content: bytes) -> str:
    """Return what an answer says; of a workbook, what its parts say; of a backup, what is unpacked."""
    if (packed := content.partition(b"\n")[2]).startswith(b"\x1f\x8b"):
        return gzip.decompress(packed).decode("utf-8", "ignore")
    if content.startswith(b"PK"):
        with ZipFile(BytesIO(content)) as parts:
            return "\n".join(parts.read(name).decode() for name in parts.namelist())
    return content.decode()


def shows(answer: TestResponse, asked: Asked, other: Seller) -> bool:
    """Return whether an answer holds anything of the other's that was not in the request itself."""
    shown = "\n".join((text_of(answer.get_data()), *map(str, answer.headers)))
    for value in (*asked[0].values(), *asked[1].values()):
        for each in value if isinstance(value, list) else str(value).splitlines():
            for form in (each, html.escape(each), quote(each), quote_plus(each), quote(each, safe="/:@")):
                shown = shown.replace(form, "") if len(form) > 8 else shown
    return any(it in shown for it in (other.name, other.order, *other.destinations))


def test_every_route_is_tried(page: Flask) -> None:
    assert {it.endpoint for it in page.url_map.iter_rules()} == set(PAGE)
    assert {it.endpoint for it in api_of(page).url_map.iter_rules()} == set(API)


def test_each_sees_what_is_theirs(sellers: tuple[Seller, Seller]) -> None:
    """Else the tests below would show nothing."""
    me, _ = sellers
    with closing(me.browser.post("/settings/backup", data={"csrf_token": me.csrf})) as answer:
        assert shows(answer, ({}, {}), me)
    for path in (
        *("/", "/blocks", "/export?format=csv", "/import", "/did-not-arrive", "/review", "/settings"),
        *(
            "/settings/people",
            "/settings/tokens",
            "/settings/notifications",
            "/settings/webhook",
            "/settings/copies",
            "/api/v1/blocks",
        ),
    ):
        with closing(me.browser.get(path)) as answer:
            assert shows(answer, ({}, {}), me), path


@pytest.mark.parametrize("endpoint", PAGE)
def test_the_page_shows_and_changes_nothing_of_another_seller(
    page: Flask, tenants: Tenants, sellers: tuple[Seller, Seller], endpoint: str
) -> None:
    me, other = sellers
    before = kept(tenants, other)
    for asked in PAGE[endpoint](other):
        for answer in sent(me, page, endpoint, asked, {}):
            assert answer.status_code not in {401, 403, 405, 500, 503} or endpoint == METRICS, answer.text
            assert ENGLISH["error.csrf"] not in text_of(answer.get_data())
            assert not shows(answer, asked, other), asked
    assert kept(tenants, other) == before


@pytest.mark.parametrize("by_token", [True, False], ids=["token", "session"])
@pytest.mark.parametrize("endpoint", API)
def test_the_api_shows_and_changes_nothing_of_another_seller(
    page: Flask, tenants: Tenants, sellers: tuple[Seller, Seller], endpoint: str, by_token: bool
) -> None:
    me, other = sellers
    before = kept(tenants, other)
    headers = {"Authorization": f"Bearer {me.token}"} if by_token else {}
    for asked in API[endpoint](other):
        for answer in sent(me, api_of(page), endpoint, asked, headers):
            assert answer.status_code not in {401, 403, 405, 500, 503}, answer.text
            assert not shows(answer, asked, other), asked
    assert kept(tenants, other) == before
