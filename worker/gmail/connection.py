"""The way to Google over HTTP, through the proxy and with the certificates that this machine is set up for.

Google's client library brings httplib2 along, which silently ignores a proxy where PySocks is not
installed, and sends a proxy's password as it is in the address, escapes and all. So the requests go through
``requests`` here, as those of the sign-in do: it reads HTTPS_PROXY, NO_PROXY and REQUESTS_CA_BUNDLE, and the
system's own proxy settings on macOS and Windows.
"""

import os
import time
from http.cookiejar import DefaultCookiePolicy
from typing import Any
from urllib.parse import urlsplit

import httplib2
import requests
import urllib3
from google.auth.credentials import Credentials
from google.auth.transport.requests import Request
from requests.adapters import HTTPAdapter

from worker.sentences import Sentence

TIMEOUT = 30  # seconds without a sign of life; by default requests waits without a limit
MAX_TIME = 120.0  # seconds for the body of an answer, however it drips
MAX_SIZE = 100_000_000  # bytes of a body, unpacked; a mail of 50 MB takes 70 MB
_PIECE = 65_536  # bytes
_READ_EVERY = 60  # seconds; a computer moves from one network to another

# Sentences by the error of requests; the first that fits. {} is the innermost error.
_SENTENCES = (
    # Not in the words of requests, which may hold a part of the proxy's password.
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
    """Reads the whole body of an answer, and refuses one that is too large or comes too slowly."""

    def __init__(self, max_size: int) -> None:
        super().__init__()
        self._max_size = max_size

    def send(self, request: requests.PreparedRequest, *arguments: Any, **options: Any) -> requests.Response:
        ends = time.monotonic() + MAX_TIME
        answer = super().send(request, *arguments, **{**options, "stream": True})
        content = bytearray()
        try:
            while piece := answer.raw.read1(_PIECE, decode_content=True):
                content += piece
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


class _Session(requests.Session):
    """Reads every minute which proxy and certificates to use: for each call it would take a third of the call's CPU."""

    def __init__(self) -> None:
        super().__init__()
        self._known: dict[object, Any] = {}

    def merge_environment_settings(self, url: Any, *same: Any) -> Any:
        """Return the settings of a call. same: what every call here asks for."""
        now = (urlsplit(url)[:2], time.monotonic() // _READ_EVERY)
        if now not in self._known:
            self._known = {now: super().merge_environment_settings(url, *same)}
        return self._known[now]


# Google never redirects; a network with a sign-in page of its own does.
_OPTIONS: Any = {"timeout": TIMEOUT, "allow_redirects": False}


class Session:
    """An HTTP session, for one call at a time, of any mailbox."""

    def __init__(self) -> None:
        self.http = open_session()
        # Kept, since what it is made of is closed with it.
        self._renewing = Request(self.http)

    def renew(self, *arguments: Any, **options: Any) -> Any:
        """Make a request for a token, as google-auth makes it."""
        return self._renewing(*arguments, **{**options, **_OPTIONS})


class Connection:
    """A mailbox's way over a session, with the one method of ``httplib2.Http`` that the client library calls."""

    def __init__(self, session: Session, credentials: Credentials) -> None:
        self._session = session
        self._credentials = credentials

    def request(
        self, uri: str, method: str = "GET", body: Any = None, headers: Any = None, **_: Any
    ) -> tuple[httplib2.Response, bytes]:
        """Make a request; after a 401 renew the access token once and try again.

        Raises the errors of requests, all of them OSError, and those of google-auth.
        """
        answer = self._send(uri, method, body, headers)
        if answer.status_code == 401:
            self._credentials.refresh(self._session.renew)  # type: ignore[no-untyped-call]
            answer = self._send(uri, method, body, headers)
        reply = httplib2.Response({**answer.headers, "status": str(answer.status_code)})
        reply.reason = answer.reason
        return reply, answer.content

    def _send(self, uri: str, method: str, body: Any, headers: Any) -> requests.Response:
        signed = dict(headers or {})
        self._credentials.before_request(self._session.renew, method, uri, signed)  # type: ignore[no-untyped-call]
        return self._session.http.request(method, uri, data=body, headers=signed, **_OPTIONS)


def open_session() -> requests.Session:
    """Return a session for one thread; close it after use."""
    session = _Session()
    prepare(session)
    return session


def prepare(session: requests.Session, *, max_size: int = MAX_SIZE) -> None:
    """Have a session use the proxy and certificates of this machine, and no passwords from ~/.netrc.

    Answers are bounded in time, and to max_size bytes. Raises the errors of requests.
    """
    for scheme in ("https://", "http://"):
        session.mount(scheme, _Bounded(max_size))
    # Otherwise a default line in ~/.netrc would replace the access token.
    session.auth = lambda request: request
    # Nothing that a server sets for one mailbox goes along with the calls of another.
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=()))
    # As for OpenSSL and most other programs; REQUESTS_CA_BUNDLE goes before it.
    session.verify = os.environ.get("SSL_CERT_FILE") or True


def is_page(answer: requests.Response) -> bool:
    """Return whether a page for people answered, in place of an interface of Google's."""
    return answer.headers.get("content-type", "").startswith("text/html")


def describe_network_error(error: BaseException) -> Sentence:
    """Return an error in words for a person; requests wraps the cause in up to seven errors full of addresses."""
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
