"""HTTP requests to Google, with the proxy and the certificates of this machine.

Google's client library uses httplib2. That silently ignores a proxy if PySocks is not installed, and does not
unescape a proxy's password. So requests use ``requests`` here, like those of the sign-in: it reads HTTPS_PROXY,
NO_PROXY and REQUESTS_CA_BUNDLE, and the system's proxy settings on macOS and Windows.
"""

import os
import time
from functools import lru_cache
from http.cookiejar import DefaultCookiePolicy
from ssl import SSLContext
from typing import Any
from urllib.parse import urlsplit

import httplib2
import requests
import urllib3
from google.auth.credentials import Credentials
from google.auth.transport.requests import Request
from requests.adapters import HTTPAdapter
from urllib3.util.ssl_ import create_urllib3_context

from worker.sentences import Sentence

TIMEOUT = 30  # seconds without data; by default requests has no timeout
MAX_TIME = 120.0  # seconds for the whole body of an answer
MAX_SIZE = 100_000_000  # bytes of a body, unpacked; a mail of 50 MB takes 70 MB
_CHUNK = 65_536  # bytes
_READ_EVERY = 60  # seconds; a computer can move to another network

# Sentences by the error of requests; the first match is used. {words} is the innermost error.
_SENTENCES = (
    # Without the text of requests, which may contain a part of the proxy's password.
    (
        requests.exceptions.InvalidURL,
        Sentence("the address of the proxy cannot be read; look at HTTPS_PROXY"),
    ),
    (requests.exceptions.InvalidSchema, Sentence("{words}; look at HTTPS_PROXY")),
    (requests.exceptions.ProxyError, Sentence("no way through the proxy: {words}; look at HTTPS_PROXY")),
    (requests.exceptions.SSLError, Sentence("the connection would not be safe: {words}")),
    (requests.exceptions.Timeout, Sentence("no answer in time")),
    (BaseException, Sentence("{words}")),
)


class _Bounded(HTTPAdapter):
    """Reads the whole body of an answer. Raises an error if it is too large or too slow."""

    def __init__(self, max_size: int) -> None:
        super().__init__()
        self._max_size = max_size

    def build_connection_pool_key_attributes(
        self, request: requests.PreparedRequest, verify: Any, cert: Any = None
    ) -> Any:
        host, options = super().build_connection_pool_key_attributes(request, verify, cert)
        return host, {**options, "ssl_context": _context(verify)}

    def send(self, request: requests.PreparedRequest, *arguments: Any, **options: Any) -> requests.Response:
        ends = time.monotonic() + MAX_TIME
        answer = super().send(request, *arguments, **{**options, "stream": True})
        content = bytearray()
        try:
            while chunk := answer.raw.read1(_CHUNK, decode_content=True):
                content += chunk
                if len(content) > self._max_size:
                    raise requests.exceptions.InvalidJSONError("the answer is too large", request=request)
                if time.monotonic() > ends:
                    raise requests.exceptions.ReadTimeout("the answer comes too slowly", request=request)
        except urllib3.exceptions.HTTPError as error:
            raise requests.exceptions.ConnectionError(error, request=request) from error
        finally:
            answer.close()
        answer._content = bytes(content)  # where requests keeps what was read
        return answer


@lru_cache(maxsize=2)
def _context(verify: bool | str) -> SSLContext:  # noqa: ARG001 - so that no other authorities are trusted too
    """Return what all connections with these authorities share: by itself each would hold them in 0.7 MB of its own."""
    return create_urllib3_context()


class _Session(requests.Session):
    """Caches proxy and certificate settings for a minute: reading them takes a third of a call's CPU time."""

    def __init__(self) -> None:
        super().__init__()
        self._cache: dict[object, Any] = {}

    def merge_environment_settings(self, url: Any, *options: Any) -> Any:
        """Return the settings of a call. options: not in the cache key, since all calls here have the same."""
        key = (urlsplit(url)[:2], time.monotonic() // _READ_EVERY)
        if key not in self._cache:
            self._cache = {key: super().merge_environment_settings(url, *options)}
        return self._cache[key]


# Google never redirects; a network with its own sign-in page does.
_OPTIONS: Any = {"timeout": TIMEOUT, "allow_redirects": False}


class Session:
    """An HTTP session, for one call at a time, of any mailbox."""

    def __init__(self) -> None:
        self.http = open_session()
        # One for the life of the session: when a Request is deleted, it closes its session.
        self._token_request = Request(self.http)

    def request_token(self, *arguments: Any, **options: Any) -> Any:
        """Make a request for google-auth."""
        return self._token_request(*arguments, **{**options, **_OPTIONS})


class Connection:
    """A session with a mailbox's credentials. It has the one method of ``httplib2.Http`` that the library calls."""

    def __init__(self, session: Session, credentials: Credentials) -> None:
        self._session = session
        self._credentials = credentials

    def request(
        self, uri: str, method: str = "GET", body: Any = None, headers: Any = None, **_: Any
    ) -> tuple[httplib2.Response, bytes]:
        """Make a request; after a 401 refresh the access token and retry once.

        Raises the errors of requests, which are OSErrors, and of google-auth.
        """
        answer = self._send(uri, method, body, headers)
        if answer.status_code == 401:
            self._credentials.refresh(self._session.request_token)  # type: ignore[no-untyped-call]
            answer = self._send(uri, method, body, headers)
        reply = httplib2.Response({**answer.headers, "status": str(answer.status_code)})
        reply.reason = answer.reason
        return reply, answer.content

    def _send(self, uri: str, method: str, body: Any, headers: Any) -> requests.Response:
        headers = dict(headers or {})
        self._credentials.before_request(self._session.request_token, method, uri, headers)  # type: ignore[no-untyped-call]
        return self._session.http.request(method, uri, data=body, headers=headers, **_OPTIONS)


def open_session() -> requests.Session:
    """Return a session for one thread; close it after use."""
    session = _Session()
    prepare(session)
    return session


def prepare(session: requests.Session, *, max_size: int = MAX_SIZE) -> None:
    """Make a session use the proxy and certificates of this machine, and no passwords from ~/.netrc.

    Answers are limited to MAX_TIME seconds and max_size bytes. Raises the errors of requests.
    """
    for scheme in ("https://", "http://"):
        session.mount(scheme, _Bounded(max_size))
    # Otherwise a default line in ~/.netrc would replace the access token.
    session.auth = lambda request: request
    # No cookies: those of one mailbox must not be sent with calls of another.
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=()))
    # Like OpenSSL and most other programs; REQUESTS_CA_BUNDLE takes precedence.
    session.verify = os.environ.get("SSL_CERT_FILE") or True


def is_page(answer: requests.Response) -> bool:
    """Return whether an answer is an HTML page instead of an answer of Google's API."""
    return answer.headers.get("content-type", "").startswith("text/html")


def describe_network_error(error: BaseException) -> Sentence:
    """Return a readable sentence for an error; requests wraps the cause in up to seven errors full of addresses."""
    chain = [error]
    while (inner := _inner(chain[-1])) is not None:
        chain.append(inner)
    words = str(getattr(chain[-1], "strerror", None) or chain[-1]) or type(chain[-1]).__name__
    words = " ".join(words.split()).rstrip(".")
    found = next(it for kind, it in _SENTENCES if any(isinstance(error, kind) for error in chain))
    return found.about(words=words)


def _inner(error: BaseException) -> BaseException | None:
    known = (error.__cause__, getattr(error, "original_error", None), *error.args)
    return next((it for it in known if isinstance(it, BaseException)), None)
