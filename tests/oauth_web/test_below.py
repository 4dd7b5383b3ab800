"""The page under a path, a port and a name of its own: links, cookies and the way to Google and back."""

import re
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import orjson
import pytest
import requests
from people import OWNER
from serving import environment_for, page_of, serving

from oauth_web.application import create_app
from oauth_web.demo.sandbox import Sandbox
from oauth_web.services import NAME
from worker.app import App, build_app
from worker.database import open_database
from worker.errors import SettingsError
from worker.owner.tokens import Tokens
from worker.settings import Settings, read_settings

BASE = "https://xn--byer-0ra.example"


@pytest.fixture
def environment(tmp_path: Path, google: Sandbox) -> dict[str, str]:
    google.add_user(OWNER)
    found = environment_for(google, tmp_path)
    client = google.client_secrets("web", [f"{BASE}/buyerblock/oauth2/callback"])
    (tmp_path / "client_secret.json").write_bytes(orjson.dumps(client))
    return found | {"BUYERBLOCK_PUBLIC_URL": "https://Büyer.example/buyerblock/"}


Visit = Callable[[str], requests.Response]


@pytest.fixture(params=["passed on", "taken away"])
def visit(request: pytest.FixtureRequest, environment: dict[str, str]) -> Visit:
    """Return what a browser does with an address of the public page, through a proxy of each kind."""
    # A jar would know only the path that the proxy makes of an address.
    jar: dict[str, str] = {"Host": urlsplit(BASE).netloc}

    def visited(address: str) -> requests.Response:
        parts = urlsplit(urljoin(f"{BASE}/buyerblock/", address))
        assert f"{parts.scheme}://{parts.netloc}" == BASE
        assert f"{parts.path}/".startswith("/buyerblock/"), address
        path = parts.path if request.param == "passed on" else parts.path.removeprefix("/buyerblock") or "/"
        url = f"{page_of(environment)}{path}?{parts.query}"
        answer = requests.get(url, headers=jar, allow_redirects=False, timeout=30)
        if "Set-Cookie" in answer.headers:
            jar["Cookie"] = answer.headers["Set-Cookie"].partition(";")[0]
        return answer

    return visited


def test_below_a_path_one_signs_in_and_every_link_leads_below_it(
    environment: dict[str, str], visit: Visit, google: Sandbox
) -> None:
    with serving(environment) as process:
        assert process.stderr is not None
        line = next(line for line in process.stderr if "/start/" in line)
        _sign_in_and_follow_links(line.split()[-1], visit, google)


def _sign_in_and_follow_links(link: str, visit: Visit, google: Sandbox) -> None:
    assert link.startswith(f"{BASE}/buyerblock/start/")
    admitted = visit(link)
    assert "Path=/buyerblock;" in f"{admitted.headers['Set-Cookie']};"
    assert "Secure" in admitted.headers["Set-Cookie"]
    assert admitted.headers["Location"] == "/buyerblock/"
    callback = google.consent(visit("sign-in").headers["Location"], email=OWNER)
    assert callback.startswith(f"{BASE}/buyerblock/oauth2/callback?")
    assert visit(visit(callback).headers["Location"]).status_code == 200
    for page in ("", "blocks", "review", "settings", "import", "help/seller", "blocks?q=x", "did-not-arrive"):
        shown = visit(page)
        assert shown.status_code == 200, page
        for found in re.findall(r'(?:href|src|action|data-refresh)="([^"]+)"', shown.text):
            assert re.match(r"/buyerblock/|https?://|#|[\w.]+(#|$)|\?", found), (page, found)
    for found in set(re.findall(r'(?:href|src)="(/[^"]+)"', visit("settings").text)):
        assert visit(found).status_code in {200, 302, 303}, found
    assert visit("blocks.json").json()["format"]
    assert visit("/buyerblock").status_code in {200, 308}


def test_the_description_of_the_api_says_where_it_is(environment: dict[str, str], tmp_path: Path) -> None:
    with serving(environment), closing(open_database(tmp_path)) as database:
        token = Tokens(database).create("tool", "read", now=datetime.now(UTC))
        for path in ("/buyerblock/api/v1/openapi.json", "/api/v1/openapi.json"):
            url, headers = f"{page_of(environment)}{path}", {"Authorization": f"Bearer {token}"}
            answer = requests.get(url, headers=headers, timeout=30).json()
            assert answer["servers"] == [{"url": "/buyerblock"}]


@pytest.mark.parametrize(
    ("given", "used"),
    [
        ("https://büyer.example", "https://xn--byer-0ra.example"),
        ("https://BU\u0308YER.example:8443/list/", "https://xn--byer-0ra.example:8443/list"),
        ("https://xn--byer-0ra.example", "https://xn--byer-0ra.example"),
        ("https://shop.example/käufer", "https://shop.example/k%C3%A4ufer"),
    ],
)
def test_an_international_address_is_used_as_browsers_send_it(given: str, used: str) -> None:
    assert read_settings({"BUYERBLOCK_PUBLIC_URL": given}).public_url == used


@pytest.mark.parametrize(
    "given", ["https://fuß.example", f"https://{'ü' * 64}.example", "https://a.example//b"]
)
def test_an_address_that_would_not_work_is_refused(given: str) -> None:
    with pytest.raises(SettingsError, match="BUYERBLOCK_PUBLIC_URL"):
        read_settings({"BUYERBLOCK_PUBLIC_URL": given})


@pytest.mark.parametrize(
    ("public_url", "start"),
    [
        ("https://list.example.com", "__Host-buyerblock="),
        ("https://list.example.com:443", "__Host-buyerblock="),
        ("https://list.example.com:8443", "__Host-buyerblock-8443="),
        ("https://list.example.com/a", "__Secure-buyerblock="),
        ("http://list.example.com", "buyerblock-80="),
        (None, "buyerblock-8000="),
    ],
)
def test_the_cookie_is_named_by_the_port(
    engine: App, terminal: list[str], public_url: str | None, start: str
) -> None:
    settings = replace(engine.settings, public_url=public_url)
    page = create_app(replace(engine, settings=settings), say=terminal.append)
    link = page.extensions[NAME].services.start_link.show()
    path = urlsplit(link).path.removeprefix("/a")
    answer = page.test_client().get(path, base_url=public_url or "http://localhost:8000")
    assert answer.headers["Set-Cookie"].startswith(start)


def test_two_servers_on_one_machine_do_not_sign_each_other_out(tmp_path: Path) -> None:
    jar: dict[str, str] = {}
    for port in (8000, 8765, 8000, 8765):
        folder = tmp_path / str(port)
        engine = build_app(Settings(data_dir=folder, client_secrets=folder / "client.json", port=port))
        page = create_app(engine, say=lambda _: None)
        services = page.extensions[NAME].services
        services.owners.claim(OWNER)
        browser, base = page.test_client(), f"http://localhost:{port}"
        for name, value in jar.items():
            browser.set_cookie(name, value, domain="localhost")
        if f"buyerblock-{port}" not in jar:
            browser.get(urlsplit(services.start_link.show()).path, base_url=base)
            cookie = browser.get_cookie(f"buyerblock-{port}")
            assert cookie is not None
            jar[cookie.key] = cookie.value
        with browser.session_transaction(base_url=base) as session:
            assert session["admitted"], "it still has its session here"
        engine.close()
