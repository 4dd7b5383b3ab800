"""Settings, read once from the environment, validated in sentences, then read-only."""

import os
import sys
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar
from urllib.parse import SplitResult, quote, urlsplit, urlunsplit

from platformdirs import user_data_path

from worker.errors import SettingsError
from worker.parsing import whole_number

GOOGLE_REVOKE_URL = "https://oauth2.googleapis.com/revoke"

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What the person or the machine decided.

    data_dir: where everything is kept. client_secrets: the OAuth client file from Google's console.
    gmail_url: root for all Gmail traffic, None for Google's own. public_url: the https address under
    which the page is reached, None on one's own machine. sync_interval: seconds between two
    passes. units_per_minute: Gmail's quota for one account. log: "text", or "json" for machines. database_url: of
    PostgreSQL, for a host. host_sign_up: who gets a list of their own there: "open", "closed", or domains and
    addresses.
    """

    data_dir: Path
    client_secrets: Path
    gmail_url: str | None = None
    revoke_url: str = GOOGLE_REVOKE_URL
    secret_key: str | None = field(default=None, repr=False)
    public_url: str | None = None
    host: str = "127.0.0.1"
    port: int = 8000
    sync_interval: int = 60
    units_per_minute: int = 6000
    log: str = "text"
    database_url: str | None = field(default=None, repr=False)
    host_sign_up: str = "closed"

    @property
    def own_url(self) -> str:
        """The address of the page on this machine."""
        # Where it listens on every address, it is reached by its own.
        host = {"127.0.0.1": "localhost", "0.0.0.0": "localhost", "::": "::1"}.get(self.host, self.host)  # noqa: S104
        return f"http://{f'[{host}]' if ':' in host else host}:{self.port}/"


def current_settings() -> Settings:
    """Return the settings of this process. Raises SettingsError."""
    return read_settings(os.environ)


def read_settings(environ: Mapping[str, str], python: str = sys.base_prefix) -> Settings:
    """Return the settings that these environment variables (``BUYERBLOCK_...``) make.

    python: the folder of the Python that runs this. Raises SettingsError with a sentence that names the variable.
    """

    def value(name: str, convert: Callable[[str, str], _T], default: _T) -> _T:
        variable = f"BUYERBLOCK_{name}"
        text = environ.get(variable, "").strip()
        return convert(variable, text) if text else default

    data_dir = value("DATA_DIR", _path, None) or _usual_data_dir(python)
    return Settings(
        data_dir=data_dir,
        client_secrets=value("CLIENT_SECRETS", _path, data_dir / "client_secret.json"),
        gmail_url=value("GMAIL_URL", _url, None),
        revoke_url=value("REVOKE_URL", _url, GOOGLE_REVOKE_URL),
        secret_key=value("SECRET_KEY", _secret, None),
        public_url=value("PUBLIC_URL", _url, None),
        host=value("HOST", lambda _, text: text, "127.0.0.1"),
        port=value("PORT", _whole_number(1, 65535), 8000),
        sync_interval=value("SYNC_INTERVAL", _whole_number(1, 86400), 60),
        log=value("LOG", _log_format, "text"),
        units_per_minute=value("UNITS_PER_MINUTE", _whole_number(60, 1_000_000), 6000),
        database_url=value("DATABASE_URL", lambda _, text: text, None),
        host_sign_up=value("HOST_SIGN_UP", lambda _, text: text.lower(), "closed"),
    )


def _usual_data_dir(python: str) -> Path:
    # What a Python from the Microsoft Store writes there goes to a folder of that version's own: the next one would
    # find an empty list. It lies in C:\\Program Files\\WindowsApps\\PythonSoftwareFoundation.Python.3.11_...
    if any(it in python for it in ("\\WindowsApps\\", "PythonSoftwareFoundation.Python.")):
        raise SettingsError(
            "Python from the Microsoft Store hides application data from other versions; choose a folder with "
            'setx BUYERBLOCK_DATA_DIR "%USERPROFILE%\\buyerblock" and open a new terminal, or install Python from '
            "python.org."
        )
    try:
        return _path("BUYERBLOCK_DATA_DIR", str(user_data_path("buyerblock", appauthor=False)))
    except RuntimeError:  # a user of a container or of a service who has no home
        raise SettingsError(
            "The home directory of this user is not known; name a folder for everything that is kept in "
            "BUYERBLOCK_DATA_DIR."
        ) from None


def _path(variable: str, text: str) -> Path:
    try:
        return Path(text).expanduser().absolute()
    except RuntimeError:  # ~somebody, or a user of a container who has no home
        raise SettingsError(
            "{variable} is {text!r}, and that home directory is not known; write the whole path.",
            variable=variable,
            text=text,
        ) from None


def _url(variable: str, text: str) -> str:
    try:
        parts = urlsplit(text)
        valid = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
        # More is put behind it, so a query or a fragment cannot be there; nor does a name hold spaces or a user.
        valid = valid and not any(mark in text for mark in "?#@ \t\r\n;\\") and "//" not in parts.path
        if valid and not text.isascii():
            path = quote(parts.path, safe="/%:!$&'()*+,=~")
            text = urlunsplit((parts.scheme, _ascii_netloc(variable, parts), path, "", ""))
    except ValueError:  # of which a name that cannot be written in ASCII is one, too
        valid = False
    if not valid:
        raise SettingsError(
            "{variable} is {text!r}, which is no web address; write it like https://example.com.",
            variable=variable,
            text=text,
        )
    return text.rstrip("/")


def _ascii_netloc(variable: str, parts: SplitResult) -> str:
    """Return the host and port as browsers send them, a name such as büyer.example in its ASCII form."""
    name = unicodedata.normalize("NFC", parts.hostname or "")
    host = name.encode("idna").decode()
    if host.encode().decode("idna") != name:  # such as ß, of which browsers make something else than Python
        raise SettingsError(
            "{variable} is {text!r}; write its name as it begins with “xn--”.",
            variable=variable,
            text=parts.geturl(),
        )
    return host if parts.port is None else f"{host}:{parts.port}"


def _secret(variable: str, text: str) -> str:
    # Below this length the key could be guessed; it seals credentials that open a mailbox.
    if len(text) < 32:
        raise SettingsError("{variable} is too short; use at least 32 random characters.", variable=variable)
    return text


def _log_format(variable: str, text: str) -> str:
    if text not in ("text", "json"):
        raise SettingsError(
            "{variable} is {text!r}; it must be one of {choices}.",
            variable=variable,
            text=text,
            choices="text, json",
        )
    return text


def _whole_number(low: int, high: int) -> Callable[[str, str], int]:
    def convert(variable: str, text: str) -> int:
        if (number := whole_number(text, low, high)) is None:
            raise SettingsError(
                "{variable} is {text!r}; it must be a whole number from {low} to {high}.",
                variable=variable,
                text=text,
                low=str(low),
                high=str(high),
            )
        return number

    return convert
