"""Settings from environment variables: read once, validated, then read-only."""

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
    """data_dir: the folder for all data. client_secrets: the OAuth client file from Google's console.

    gmail_url: root URL of the Gmail API, None for Google's own. public_url: the https address of the page, None if it
    is only for this machine. sync_interval: seconds between two passes. units_per_minute: Gmail's quota for one
    account. log: "text" or "json". database_url: of PostgreSQL, for a host. host_sign_up: who may create a list there:
    "open", "closed", or domains and addresses.
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
        # A server that listens on all addresses is reached on the local one.
        host = {"127.0.0.1": "localhost", "0.0.0.0": "localhost", "::": "::1"}.get(self.host, self.host)  # noqa: S104
        return f"http://{f'[{host}]' if ':' in host else host}:{self.port}/"


def current_settings() -> Settings:
    """Return the settings of this process. Raises SettingsError."""
    return read_settings(os.environ)


def read_settings(environ: Mapping[str, str], python: str = sys.base_prefix) -> Settings:
    """Return the settings from environment variables (``BUYERBLOCK_...``).

    python: the folder of the running Python. Raises SettingsError, which names the variable.
    """

    def value(name: str, convert: Callable[[str, str], _T], default: _T) -> _T:
        variable = f"BUYERBLOCK_{name}"
        text = environ.get(variable, "").strip()
        return convert(variable, text) if text else default

    data_dir = value("DATA_DIR", _path, None) or _default_data_dir(python)
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


def _default_data_dir(python: str) -> Path:
    # Python from the Microsoft Store, in C:\\Program Files\\WindowsApps\\PythonSoftwareFoundation.Python.3.11_...,
    # redirects this folder to one of its own version: after an update the list would be empty.
    if any(it in python for it in ("\\WindowsApps\\", "PythonSoftwareFoundation.Python.")):
        raise SettingsError(
            "Python from the Microsoft Store hides application data from other versions; choose a folder with "
            'setx BUYERBLOCK_DATA_DIR "%USERPROFILE%\\buyerblock" and open a new terminal, or install Python from '
            "python.org."
        )
    try:
        return _path("BUYERBLOCK_DATA_DIR", str(user_data_path("buyerblock", appauthor=False)))
    except RuntimeError:  # a user without a home directory, such as in a container
        raise SettingsError(
            "The home directory of this user is not known; name a folder for everything that is kept in "
            "BUYERBLOCK_DATA_DIR."
        ) from None


def _path(variable: str, text: str) -> Path:
    try:
        return Path(text).expanduser().absolute()
    except RuntimeError:  # ~unknown, or a user without a home directory
        raise SettingsError(
            "{variable} is {text!r}, and that home directory is not known; write the whole path.",
            variable=variable,
            text=text,
        ) from None


def _url(variable: str, text: str) -> str:
    try:
        parts = urlsplit(text)
        valid = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
        # No query and no fragment, since a path is appended; no spaces and no user name.
        valid = valid and not any(mark in text for mark in "?#@ \t\r\n;\\") and "//" not in parts.path
        if valid and not text.isascii():
            path = quote(parts.path, safe="/%:!$&'()*+,=~")
            text = urlunsplit((parts.scheme, _ascii_netloc(variable, parts), path, "", ""))
    except ValueError:  # includes UnicodeError, for a name that cannot be written in ASCII
        valid = False
    if not valid:
        raise SettingsError(
            "{variable} is {text!r}, which is no web address; write it like https://example.com.",
            variable=variable,
            text=text,
        )
    return text.rstrip("/")


def _ascii_netloc(variable: str, parts: SplitResult) -> str:
    """Return host and port as browsers send them: a name such as büyer.example in its ASCII form."""
    name = unicodedata.normalize("NFC", parts.hostname or "")
    host = name.encode("idna").decode()
    if host.encode().decode("idna") != name:  # such as ß, which browsers encode differently from Python
        raise SettingsError(
            "{variable} is {text!r}; write its name as it begins with “xn--”.",
            variable=variable,
            text=parts.geturl(),
        )
    return host if parts.port is None else f"{host}:{parts.port}"


def _secret(variable: str, text: str) -> str:
    # A shorter key could be guessed; it encrypts permissions to read mailboxes.
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
