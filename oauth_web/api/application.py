"""Put the API together, and beside the page."""

from flask import Flask
from flask_wtf.csrf import CSRFProtect
from werkzeug.middleware.dispatcher import DispatcherMiddleware

from oauth_web.access import security
from oauth_web.access.sessions import ServerSessions
from oauth_web.api import blocks, docs, guard, problems
from oauth_web.services import NAME, Sellers

MAX_REQUEST = 1_000_000  # bytes; a thousand keys of the longest kind, written as JSON escapes, fit

# What the API has in common with the page: its names, its sessions and the forms' tokens.
_SHARED = (
    "SECRET_KEY",
    security.TRUSTED_HOSTS,
    "SESSION_COOKIE_NAME",
    "SESSION_COOKIE_PATH",
    "SESSION_COOKIE_SECURE",
    "WTF_CSRF_TIME_LIMIT",
    "PREFERRED_URL_SCHEME",
)


def mount(page: Flask) -> None:
    """Let the API answer under ``/api`` and the page everywhere else."""
    api = create_api(page)
    page.wsgi_app = DispatcherMiddleware(page.wsgi_app, {"/api": api.wsgi_app})  # type: ignore[method-assign]  # Flask's documented place for it


def create_api(page: Flask) -> Flask:
    """Return the API over the services of the page."""
    found: Sellers = page.extensions[NAME]
    api = Flask("oauth_web.api", static_folder=None)
    api.extensions[NAME] = found
    api.config.from_mapping({name: page.config[name] for name in _SHARED})
    api.config["MAX_CONTENT_LENGTH"] = MAX_REQUEST
    # A token is proof enough; for sessions guard.py asks for the check itself.
    api.config["WTF_CSRF_CHECK_DEFAULT"] = False
    api.session_interface = ServerSessions(found.sessions)
    api.url_map.merge_slashes = False
    security.protect(api)
    guard.protect(api, CSRFProtect(api))
    problems.handle(api)
    api.url_map.converters["block"] = blocks.BlockConverter
    api.register_blueprint(blocks.blueprint)
    api.register_blueprint(docs.blueprint)
    return api
