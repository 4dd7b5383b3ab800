"""The consent page and its error page."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from oauth_web.demo.sandbox.wire import Reply, html_reply

_TEMPLATES = Environment(
    loader=FileSystemLoader(Path(__file__).with_name("templates")),
    autoescape=True,
    undefined=StrictUndefined,
)


def consent(
    *,
    carried: Mapping[str, str],
    emails: Sequence[str],
    chosen: str,
    identity: Sequence[str],
    tickable: Sequence[tuple[str, str]],
) -> Reply:
    """Return the consent page. identity: descriptions. tickable: scopes with their descriptions."""
    page = _TEMPLATES.get_template("consent.html")
    return html_reply(
        page.render(carried=carried, emails=emails, chosen=chosen, identity=identity, tickable=tickable)
    )


def refused(status: int, error: str, text: str) -> Reply:
    """Return the page that Google shows for an error of the app."""
    return html_reply(
        _TEMPLATES.get_template("refused.html").render(status=status, error=error, text=text), status
    )
