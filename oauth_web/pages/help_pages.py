"""Help: the documents of ``oauth_web/help/`` as pages."""

import re
from functools import cache
from itertools import pairwise
from pathlib import Path

from flask import Blueprint, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from markupsafe import Markup
from werkzeug.exceptions import NotFound

from oauth_web.guard import open_to_all

PAGES = ("seller", "operator", "host", "tools", "reading", "benchmarks")
_FOLDER = Path(__file__).parents[1] / "help"
_DOCUMENT = re.compile(r"^(\w+)\.md(#.*)?$")

blueprint = Blueprint("help_pages", __name__)


@blueprint.get("/help")
@open_to_all
def first() -> ResponseReturnValue:
    """Go to the first document."""
    return redirect(url_for("help_pages.page", name=PAGES[0]))


@blueprint.get("/help/<name>")
@open_to_all
def page(name: str) -> ResponseReturnValue:
    """Show one document, with the titles of all."""
    if name not in PAGES:
        raise NotFound
    documents = {it: _document(it) for it in PAGES}
    return render_template("help.html", name=name, documents=documents)


@cache
def _document(name: str) -> tuple[str, Markup]:
    """Return the title and the HTML of a document, without pictures."""
    from markdown_it import MarkdownIt  # noqa: PLC0415 - saves memory

    markdown = MarkdownIt().enable("table")
    tokens = markdown.parse((_FOLDER / f"{name}.md").read_text(encoding="utf-8"))
    shown = [it for it in tokens if not any(part.type == "image" for part in it.children or ())]
    for heading, text in pairwise(shown):
        if heading.type == "heading_open":
            heading.attrSet("id", re.sub(r"[^\w -]", "", text.content.lower()).replace(" ", "-"))
        for part in text.children or ():
            if part.type == "link_open":
                part.attrSet("href", _DOCUMENT.sub(r"\1\2", str(part.attrGet("href"))))
    # Safe: the documents are part of the program, and raw HTML in them is escaped.
    return shown[1].content, Markup(markdown.renderer.render(shown, markdown.options, {}))  # noqa: S704
