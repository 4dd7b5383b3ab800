"""Settings, Notifications: who is notified, tests, the day of the summary."""

import pytest
from browsing import post
from flask.testing import FlaskClient

from oauth_web.services import Services
from worker.owner.preferences import read_preferences

URL = "ntfy://127.0.0.1:9/topic"
PAGE = "/settings/notifications"


def test_a_mailbox_and_a_messenger_are_added_tried_and_removed(
    owner: FlaskClient, services: Services, account: str
) -> None:
    assert post(owner, f"{PAGE}/mailbox", email=account).location == PAGE
    assert post(owner, f"{PAGE}/messenger", url=URL).location == PAGE
    page = owner.get(PAGE).text
    assert "ntfy gets notifications from now on" in page
    assert f"<strong>{account}</strong>" in page
    assert URL not in page, "it may hold a token"
    ntfy = next(it for it in services.destinations.all() if it.url)
    post(owner, f"{PAGE}/test", id=ntfy.id)
    assert "ntfy did not take the test: ntfy could not be reached." in owner.get(PAGE).text
    for destination in services.destinations.all():
        post(owner, f"{PAGE}/remove", id=destination.id)
    assert "<strong>" not in owner.get(PAGE).text.partition("<main")[2]
    assert post(owner, f"{PAGE}/remove", id=ntfy.id).status_code == 400
    assert post(owner, f"{PAGE}/test", id=ntfy.id).status_code == 400


def test_what_was_typed_wrongly_is_shown_again_beside_its_sentence(owner: FlaskClient, account: str) -> None:
    answer = post(owner, f"{PAGE}/messenger", url="slack://half-of-it")
    assert answer.status_code == 400
    assert "no address of a messenger" in answer.text
    assert 'value="slack://half-of-it"' in answer.text
    post(owner, f"{PAGE}/mailbox", email=account)
    assert "gets notifications already" in post(owner, f"{PAGE}/mailbox", email=account).text
    assert post(owner, f"{PAGE}/mailbox", email="stranger@gmail.com").status_code == 400


@pytest.mark.parametrize(("typed", "kept"), [("6", 6), ("", None), ("0", 0), ("7", None)])
def test_the_day_of_the_summary_is_chosen(
    owner: FlaskClient, services: Services, typed: str, kept: int | None
) -> None:
    post(owner, f"{PAGE}/day", day=typed)
    assert read_preferences(services.app.database).summary_day == kept
    assert (f'<option value="{typed}" selected>' in owner.get(PAGE).text) is (kept is not None)
