"""A rejected form is shown again, with what was typed and the sentence beside the field."""

import io
import re
from html import unescape
from typing import Any

import pytest
from browsing import post
from flask.testing import FlaskClient
from people import OWNER


def invalid_field(page: str) -> str:
    """Return the name of the only field that is marked, which has the cursor and names the sentence."""
    marked = re.findall(r'<[^>]*aria-invalid="true"[^>]*>', page)
    assert len(marked) == 1, marked
    assert re.search(r'aria-describedby="fault\b', marked[0])
    assert "autofocus" in marked[0]
    assert len(re.findall(r'id="fault" role="alert">[^<]+<', page)) == 1
    found = re.search(r'name="([^"]+)"', marked[0])
    assert found is not None
    return found[1]


@pytest.mark.parametrize(
    ("path", "fields", "field", "kept"),
    [
        ("/blocks/block", {"keys": "no & key", "note": "my note"}, "keys", ("no & key", "my note")),
        ("/import", {"text": " "}, "text", ()),
        ("/settings/forwarding", {"account": OWNER, "address": "nowhere"}, "address", ("nowhere",)),
        (
            "/settings/trusted",
            {"account": OWNER, "addresses": "a@b.com\nwho"},
            "addresses",
            ("a@b.com\nwho",),
        ),
        ("/settings/redirectors", {"account": OWNER, "addresses": "no one"}, "addresses", ("no one",)),
        ("/settings/interval", {"seconds": "no"}, "seconds", ()),
        ("/settings/expiry", {"days": "17.5"}, "days", ("17.5",)),
        ("/settings/webhook", {"url": "ftp://tool.example/x"}, "url", ("ftp://tool.example/x",)),
        ("/settings/tokens", {"name": "x" * 200, "scope": "write"}, "name", ("x" * 200,)),
        ("/settings/backup", {"passphrase": "a long passphrase", "again": "another"}, "again", ()),
        ("/settings/restore", {}, "file", ()),
        ("/disconnect", {"account": OWNER, "undo": "on", "days_back": "many"}, "days_back", ("many",)),
    ],
)
def test_a_rejected_form_is_there_again_with_what_was_typed(
    owner: FlaskClient, account: str, path: str, fields: dict[str, Any], field: str, kept: tuple[str, ...]
) -> None:
    assert account == OWNER
    answer = post(owner, path, **fields)
    assert answer.status_code == 400
    assert f'action="{path}"' in answer.text
    assert invalid_field(answer.text) == field
    for it in kept:
        assert it in unescape(answer.text)


def test_a_file_that_is_no_backup_is_blamed_beside_its_field_without_the_passphrase(
    owner: FlaskClient,
) -> None:
    secret = "a passphrase of mine"
    answer = post(
        owner, "/settings/restore", sure="on", passphrase=secret, file=(io.BytesIO(b"no backup"), "x.backup")
    )
    assert answer.status_code == 400
    assert invalid_field(answer.text) == "file"
    assert secret not in answer.text


def test_a_rejected_form_marks_no_other_form_of_the_page(owner: FlaskClient, account: str) -> None:
    answer = post(owner, "/settings/trusted", account=account, addresses="who")
    assert answer.text.count('aria-invalid="true"') == 1
    assert "aria-invalid" not in owner.get("/settings").text


@pytest.mark.parametrize(
    ("path", "fields", "section"),
    [
        ("/settings/reading", {"account": OWNER}, f"/settings?account={OWNER}"),
        ("/settings/interval", {"seconds": "300"}, "/settings/general#interval"),
        ("/settings/expiry", {"days": ""}, "/settings/general#expiry"),
        ("/settings/webhook/remove", {}, "/settings/webhook"),
    ],
)
def test_saving_returns_to_the_section_of_the_form(
    owner: FlaskClient, account: str, path: str, fields: dict[str, str], section: str
) -> None:
    assert account == OWNER
    assert post(owner, path, **fields).location == section
    assert f'action="{path}"' in owner.get(section).text or "remove" in path
