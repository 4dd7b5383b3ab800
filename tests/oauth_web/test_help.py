"""The documents that the repository shows, as pages."""

import re
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from oauth_web.pages.help_pages import PAGES

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "oauth_web" / "help"
LINKS = re.compile(r'href="([^"]*)"')


@pytest.fixture
def visitor(web: Flask) -> FlaskClient:
    """A browser in which nobody has signed in: help is needed before the first sign-in, too."""
    return web.test_client()


def test_help_begins_with_the_page_for_sellers(visitor: FlaskClient) -> None:
    answer = visitor.get("/help", follow_redirects=True)
    assert answer.status_code == 200
    assert "<h1" in answer.text
    assert answer.request.path == "/help/seller"


def test_every_document_of_the_folder_is_a_page() -> None:
    assert {it.stem for it in FOLDER.iterdir()} == set(PAGES)


def test_every_link_from_one_page_to_another_leads_to_a_heading(visitor: FlaskClient) -> None:
    pages = {name: visitor.get(f"/help/{name}").text for name in PAGES}
    found = [
        (name, target.partition("#")[0] or name, target.partition("#")[2])
        for name, text in pages.items()
        for target in LINKS.findall(text)
        if not target.startswith(("http", "/"))
    ]
    assert any(heading for _, _, heading in found)
    assert [it for it in found if it[2] and f'id="{it[2]}"' not in pages[it[1]]] == []
    assert {it[1] for it in found} <= set(PAGES)


def test_a_page_shows_tables_and_leaves_out_pictures(visitor: FlaskClient) -> None:
    text = visitor.get("/help/seller").text.partition("<article")[2]
    assert "<table>" in text
    assert "<img" not in text


def test_a_page_that_is_not_there_is_not_found(visitor: FlaskClient) -> None:
    assert visitor.get("/help/..%2f..%2fREADME").status_code == 404
    assert visitor.get("/help/nothing").status_code == 404


def test_prose_in_the_documents_is_wrapped() -> None:
    for path in (ROOT / "README.md", *FOLDER.iterdir()):
        lines = path.read_text(encoding="utf-8").splitlines()
        assert [it for it in lines if len(it) >= 130 and not it.startswith("|")] == [], path.name
