"""Create the API application and mount it next to the page."""

from flask import Flask
from flask_wtf.csrf import CSRFProtect
from werkzeug.middleware.dispatcher import DispatcherMiddleware

from oauth_web.access import security
from oauth_web.access.sessions import ServerSessions
from oauth_web.api import blocks, docs, guard, problems
from oauth_web.services import NAME, Sellers

MAX_REQUEST = 1_000_000  # bytes; enough for a thousand keys of maximum length in JSON escapes

# Configuration that the API shares with the page: host names, sessions and CSRF tokens.
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
    """Serve the API under ``/api`` and the page everywhere else."""
    api = create_api(page)
    page.wsgi_app = DispatcherMiddleware(page.wsgi_app, {"/api": api.wsgi_app})  # type: ignore[method-assign]  # documented by Flask


def create_api(page: Flask) -> Flask:
    """Return the API with the services of the page."""
    found: Sellers = page.extensions[NAME]
    api = Flask("oauth_web.api", static_folder=None)
    api.extensions[NAME] = found
    api.config.from_mapping({name: page.config[name] for name in _SHARED})
    api.config["MAX_CONTENT_LENGTH"] = MAX_REQUEST
    # Tokens need no CSRF check; guard.py does it for sessions.
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
