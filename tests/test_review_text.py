"""What a doubtful mail says is read from Gmail when a person asks for it."""

import pytest
from flask.testing import FlaskClient
from sellers import EMAIL, sample

from oauth_web.application import create_app
from oauth_web.demo.sandbox import Sandbox
from oauth_web.services import NAME
from worker.app import App

MAIL = "suspect/guess_de.eml"


@pytest.fixture
def owner(app: App) -> FlaskClient:
    """A browser in which the owner is signed in."""
    page = create_app(app)
    services = page.extensions[NAME].services
    services.owners.claim(EMAIL)
    services.sessions.put("browser", {"owner": EMAIL, "csrf_token": "raw"}, new=True)
    browser = page.test_client()
    browser.set_cookie("buyerblock-8000", "browser", domain="localhost")
    return browser


def deliver(app: App, google: Sandbox, mail: bytes) -> str:
    google.deliver(EMAIL, mail)
    app.passes.run(EMAIL)
    (item,) = app.review.items()
    return item.id


def test_the_text_costs_one_read_and_only_when_it_is_asked_for(
    app: App, google: Sandbox, owner: FlaskClient
) -> None:
    item = deliver(app, google, sample(MAIL))
    before = app.passes.spent(EMAIL)
    assert owner.get("/review").status_code == 200
    assert app.passes.spent(EMAIL) == before
    assert "Contact the buyer" in owner.get(f"/review/text?item={item}").text
    assert app.passes.spent(EMAIL) == before + 20
    assert owner.get(f"/review/text?item={item}&part=text").text.lstrip().startswith("<p")


def test_what_a_stranger_wrote_is_text_and_never_markup(
    app: App, google: Sandbox, owner: FlaskClient
) -> None:
    bad = b"<p>&lt;script&gt;alert(1)&lt;/script&gt; <a href='https://evil.example/'>here</a></p></body>"
    item = deliver(app, google, sample(MAIL).replace(b"</body>", bad))
    shown = owner.get(f"/review/text?item={item}&part=text").text
    assert "&lt;script&gt;alert(1)" in shown
    assert "<script" not in shown
    assert "evil.example" not in shown


def test_a_mail_that_was_deleted_and_a_sign_in_that_ended_are_told(
    app: App, google: Sandbox, owner: FlaskClient
) -> None:
    item = deliver(app, google, sample(MAIL))
    google.user(EMAIL).delete_message(item.partition(":")[2])
    assert "no longer in the mailbox" in owner.get(f"/review/text?item={item}").text
    google.user(EMAIL).revoke()
    app.passes.forget(EMAIL)
    assert "please sign in again" in owner.get(f"/review/text?item={item}").text
