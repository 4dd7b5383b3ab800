"""Create the Flask application: services, rules for every request, routes."""

import sys
from collections.abc import Callable, Iterable
from datetime import timedelta
from pathlib import Path

from flask import Blueprint, Flask
from flask_wtf.csrf import CSRFProtect

from oauth_web import api, errors, guard
from oauth_web.access import security
from oauth_web.access.limits import Limit, RateLimit
from oauth_web.access.owners import Owners
from oauth_web.access.pending import Pending
from oauth_web.access.sessions import ServerSessions, Sessions
from oauth_web.access.start_link import StartLink
from oauth_web.api.guard import MAX_PER_MINUTE
from oauth_web.pages import (
    backups,
    blocks,
    copied_files,
    copies,
    downloads,
    gate,
    help_pages,
    home,
    imports,
    monitoring,
    notifications,
    people,
    releases,
    restores,
    review,
    settings,
    setup,
    sign_in,
    tokens,
    undelivered,
    webhook,
)
from oauth_web.pages.forms import described, fault, rejected, typed
from oauth_web.pages.notes import pop_note
from oauth_web.services import NAME, BackUp, CachedHealth, OneSeller, Sellers, Services, waiting
from oauth_web.texts import languages, words
from oauth_web.texts.english import text
from worker.app import App
from worker.notifications import Destinations
from worker.operation.backup import backup
from worker.operation.health import health
from worker.owner.tokens import Tokens
from worker.webhook import Webhook

# Modules with a blueprint. The HTTP API is a separate application.
PARTS = (
    help_pages,
    home,
    sign_in,
    blocks,
    downloads,
    imports,
    undelivered,
    review,
    settings,
    people,
    tokens,
    copies,
    notifications,
    webhook,
    backups,
)
# Only in the program for one seller: pages about the machine.
_AT_HOME = (setup, copied_files, gate, restores, monitoring, releases)

MAX_REQUEST = 256_000  # bytes; guard.py allows more for uploads


def print_on_terminal(line: str) -> None:
    """Print a line for the person who started the server."""
    print(line, file=sys.stderr, flush=True)  # noqa: T201 - for the terminal


def no_restart() -> None:
    """Do nothing: the next start finishes a restore."""


def create_app(
    app: App,
    *,
    restart: Callable[[], None] = no_restart,
    say: Callable[[str], None] = print_on_terminal,
) -> Flask:
    """Return the page of the program for one seller. Raises StorageError.

    restart: restarts the server soon. say: prints a line on the server's terminal.
    """
    link = StartLink(f"{(app.settings.public_url or app.settings.own_url).rstrip('/')}/", say)

    def limit(_: str, most: int, seconds: float) -> Limit:
        return RateLimit(most, seconds, app.clock.monotonic)

    def back_up(target: Path, passphrase: str | None) -> None:
        backup(app.settings.data_dir, target, passphrase, now=app.clock.now(), database=app.database)

    found = services_of(app, limit, back_up, start_link=link, restart=restart)
    return page_of(OneSeller(found), app, [it.blueprint for it in (*PARTS, *_AT_HOME)])


def services_of(
    app: App,
    limit: Callable[[str, int, float], Limit],
    back_up: BackUp,
    *,
    session_prefix: str = "",
    start_link: StartLink | None = None,
    restart: Callable[[], None] = no_restart,
) -> Services:
    """Return the services of one seller.

    limit: creates a limit from a name, a number of requests, and a period in seconds. back_up: see ``Services``.
    """
    database, now, sealer = app.database, app.clock.now, app.sealer
    return Services(
        app=app,
        owners=Owners(database),
        sessions=Sessions(database, sealer, now),
        session_prefix=session_prefix,
        pending_imports=Pending(database, now, kind="import", lifetime=timedelta(minutes=30), limit=5),
        pending_grants=Pending(database, now, kind="grant", lifetime=timedelta(minutes=10), limit=1000),
        start_link=start_link,
        health=CachedHealth(lambda: health(app, now()), app.clock.monotonic),
        tokens=Tokens(database),
        webhook=Webhook(database, sealer),
        destinations=Destinations(database, sealer),
        sign_in_limit=limit("sign-in", 60, 600),
        token_limit=limit("token", 20, 60),
        api_limit=limit(f"api {session_prefix}", MAX_PER_MINUTE, 60),
        download_limit=limit(f"download {session_prefix}", MAX_PER_MINUTE, 60),
        back_up=back_up,
        restart=restart,
    )


def page_of(sellers: Sellers, app: App, parts: Iterable[Blueprint]) -> Flask:
    """Return the page of these sellers. app: for the settings and the secret key. parts: the routes."""
    flask_app = Flask("oauth_web")
    flask_app.extensions[NAME] = sellers
    flask_app.config.from_mapping(_configuration(app))
    flask_app.session_interface = ServerSessions(sellers.sessions)
    flask_app.jinja_env.globals.update(
        t=text, pop_note=pop_note, waiting=waiting, routes=flask_app.view_functions
    )
    flask_app.jinja_env.globals.update(typed=typed, described=described, fault=fault, rejected=rejected)
    flask_app.jinja_env.trim_blocks = flask_app.jinja_env.lstrip_blocks = True
    security.protect(flask_app)
    guard.protect(flask_app)  # before anything reads the request of a stranger
    CSRFProtect(flask_app)
    errors.handle(flask_app)
    words.add_filters(flask_app)
    languages.set_up(flask_app)
    for part in parts:
        flask_app.register_blueprint(part)
    api.mount(flask_app)
    return flask_app


def _configuration(app: App) -> dict[str, object]:
    https, (name, path) = security.is_https(app.settings), security.cookie_name_and_path(app.settings)
    return {
        "SECRET_KEY": app.sealer.derived(b"page"),
        security.TRUSTED_HOSTS: security.trusted_hosts(app.settings),
        "SESSION_COOKIE_NAME": name,
        "SESSION_COOKIE_PATH": path,
        "SESSION_COOKIE_SECURE": https,
        "WTF_CSRF_TIME_LIMIT": None,  # a token is valid as long as its session
        "MAX_CONTENT_LENGTH": MAX_REQUEST,
        "MAX_FORM_MEMORY_SIZE": MAX_REQUEST,
        "MAX_FORM_PARTS": 2000,
        "PREFERRED_URL_SCHEME": "https" if https else "http",
    }
