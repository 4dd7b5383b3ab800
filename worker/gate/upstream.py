"""The connection to the real server. Calls block; each session of a tool has one connection and calls it in a thread.

smtplib connects, starts TLS and signs in. Mail is sent with low-level commands, so that replies and options pass
through unchanged and a large mail is never in memory.
"""

import contextlib
import smtplib
import socket
import ssl
from collections.abc import Iterable, Mapping
from functools import cache
from typing import NamedTuple

import certifi

from worker.errors import BuyerblockError
from worker.gate.settings import GateSettings

CONNECT_TIMEOUT = 30.0  # seconds
REPLY_TIMEOUT = 120.0
QUIT_TIMEOUT = 5.0
# RFC 5321, 4.5.3.2.6: after a shorter timeout the server may have accepted the mail, and the tool sends it twice.
END_OF_MAIL_TIMEOUT = 600.0

# Extensions of the real server that the gate supports. Others are not announced to the tool.
FORWARDED_EXTENSIONS = ("8bitmime", "smtputf8", "dsn", "enhancedstatuscodes", "size")

_NO_SIGN_IN = "{host} did not let the gate sign in ({words}); check user, password and encryption"
_UNTRUSTED = "the certificate of {host} cannot be trusted ({words}); check the name of the server"
_UNREACHED = (
    "{host} cannot be reached ({words}); check its name, port and encryption, or wait until it is back"
)


class Reply(NamedTuple):
    """An SMTP reply. text: its lines, without the code."""

    code: int
    text: bytes

    @property
    def is_success(self) -> bool:
        return 200 <= self.code < 300

    @property
    def wire(self) -> bytes:
        """The reply in the format of the wire, without the last line end."""
        *first, last = self.text.split(b"\n")
        return b"".join(b"%d-%s\r\n" % (self.code, line) for line in first) + b"%d %s" % (self.code, last)


def make_reply(line: str) -> Reply:
    """Return a reply of the gate itself. line: such as ``451 4.3.0 Try again later``."""
    code, _, text = " ".join(line.split()).partition(" ")
    return Reply(int(code), text.encode("ascii", "replace"))


class UpstreamError(BuyerblockError):
    """The real server cannot be used now. reply: for the tool."""

    def __init__(self, reply: Reply, sentence: str) -> None:
        self.reply = reply
        super().__init__(sentence)


def _transient(status: str, sentence: str) -> UpstreamError:
    return UpstreamError(make_reply(f"451 {status} {sentence}"), sentence)


class Upstream:
    """One connection, opened when it is needed. Calls raise UpstreamError and must not overlap."""

    def __init__(self, settings: GateSettings) -> None:
        self._settings = settings
        self._server: smtplib.SMTP | None = None
        self._mail_started = False

    def connect(self) -> Mapping[str, str]:
        """Connect and sign in if needed; return the server's FORWARDED_EXTENSIONS with their parameters."""
        if self._server is None:
            self._server = self._connected()
        known = self._server.esmtp_features
        return {name: known[name] for name in FORWARDED_EXTENSIONS if name in known}

    def mail(self, line: bytes) -> Reply:
        """Start a mail. Replace a lost or expired (421) connection once: nothing was sent yet."""
        with contextlib.suppress(UpstreamError):
            reply = self._start_mail(line)
            if reply.code != 421:
                return reply
        self.drop()
        return self._start_mail(line)

    def command(self, line: bytes) -> Reply:
        """Send a command of the current mail and return the reply."""
        if (server := self._server) is None:
            raise self._connection_lost("nothing was sent")
        try:
            server.send(line + b"\r\n")
            return self._reply(server)
        except (OSError, smtplib.SMTPException) as error:
            self.drop()
            raise self._connection_lost("nothing was sent") from error

    def data(self, chunks: Iterable[bytes]) -> Reply:
        """Send a mail in the format of the wire, without its end mark, and return the final reply."""
        reply = self.command(b"DATA")
        if reply.code != 354:
            return _as_failure(reply, self._settings.upstream)
        if (server := self._server) is None or server.sock is None:
            raise self._connection_lost("nothing was sent")
        try:
            reply = self._send_content(server, server.sock, chunks)
        except (OSError, smtplib.SMTPException) as error:
            self.drop()
            raise self._connection_lost("it may have taken the mail or not") from error
        except BaseException:
            self.drop()  # without the end mark the server accepts nothing
            raise
        self._mail_started = False
        return reply

    def close(self) -> None:
        """Close the connection with QUIT."""
        if self._server is not None and self._server.sock is not None:
            with contextlib.suppress(OSError, smtplib.SMTPException):
                self._server.sock.settimeout(QUIT_TIMEOUT)
                self._server.quit()
        self.drop()

    def drop(self) -> None:
        """Close the connection at once, which also ends a call that waits in another thread."""
        server, self._server, self._mail_started = self._server, None, False
        if server is not None:
            with contextlib.suppress(OSError):
                if server.sock is not None:
                    server.sock.shutdown(socket.SHUT_RDWR)
            server.close()

    def _start_mail(self, line: bytes) -> Reply:
        self.connect()
        if self._mail_started:
            self.command(b"RSET")
        reply = self.command(line)
        self._mail_started = reply.is_success
        return reply

    def _send_content(self, server: smtplib.SMTP, sock: socket.socket, chunks: Iterable[bytes]) -> Reply:
        try:
            for chunk in chunks:
                sock.sendall(chunk)
            sock.sendall(b".\r\n")
        except OSError:
            # The server may have sent a reason before it closed the connection.
            reply = self._reply(server)
            self.drop()
            return _as_failure(reply, self._settings.upstream)
        sock.settimeout(END_OF_MAIL_TIMEOUT)
        reply = self._reply(server)
        sock.settimeout(REPLY_TIMEOUT)
        return reply

    def _reply(self, server: smtplib.SMTP) -> Reply:
        reply = Reply(*server.getreply())
        return reply if 200 <= reply.code < 400 else _as_failure(reply, self._settings.upstream)

    def _connection_lost(self, what: str) -> UpstreamError:
        return _transient("4.4.2", f"the connection to {self._settings.upstream} ended: {what}")

    def _connected(self) -> smtplib.SMTP:
        host = self._settings.upstream
        try:
            return self._sign_in()
        except smtplib.SMTPAuthenticationError as error:
            words = f"{error.smtp_code} {_text(error.smtp_error)}"
            raise _transient("4.7.0", _NO_SIGN_IN.format(host=host, words=words)) from error
        except smtplib.SMTPResponseException as error:
            reply = _as_failure(Reply(error.smtp_code, _text(error.smtp_error).encode()), host)
            raise UpstreamError(reply, f"{host} refuses the gate: {_text(reply.wire)}") from error
        except smtplib.SMTPNotSupportedError as error:
            raise _transient("4.7.0", _NO_SIGN_IN.format(host=host, words=error)) from error
        except ssl.SSLCertVerificationError as error:
            raise _transient("4.7.5", _UNTRUSTED.format(host=host, words=error.verify_message)) from error
        except (OSError, smtplib.SMTPException) as error:
            words = getattr(error, "strerror", None) or str(error)
            raise _transient("4.4.1", _UNREACHED.format(host=host, words=words)) from error

    def _sign_in(self) -> smtplib.SMTP:
        settings = self._settings
        server = self._open()
        try:
            if settings.upstream_tls == "starttls":
                server.starttls(context=_tls_context())
            server.ehlo_or_helo_if_needed()
            if settings.upstream_user:
                server.login(settings.upstream_user, settings.upstream_password)
            if server.sock is not None:
                server.sock.settimeout(REPLY_TIMEOUT)
                # Nagle's algorithm would delay the end mark until the server acknowledged the mail.
                server.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        except BaseException:
            server.close()
            raise
        return server

    def _open(self) -> smtplib.SMTP:
        host, port = self._settings.upstream, self._settings.upstream_port
        if self._settings.upstream_tls == "implicit":
            return smtplib.SMTP_SSL(
                host, port, local_hostname=_local_hostname(), timeout=CONNECT_TIMEOUT, context=_tls_context()
            )
        return smtplib.SMTP(host, port, local_hostname=_local_hostname(), timeout=CONNECT_TIMEOUT)


def check_connection(settings: GateSettings) -> str:
    """Connect and sign in; return "", or one sentence with the reason for a failure."""
    upstream = Upstream(settings)
    try:
        upstream.connect()
    except UpstreamError as error:
        return str(error)
    upstream.close()
    return ""


def _as_failure(reply: Reply, host: str) -> Reply:
    """Return a reply that is an error, and a transient error for an unexpected reply."""
    return (
        reply
        if 400 <= reply.code < 600
        else make_reply(f"451 4.5.0 {host} answered what SMTP does not allow there")
    )


@cache
def _local_hostname() -> str:
    # A DNS query may take seconds.
    name = socket.getfqdn()
    return name if "." in name else "[127.0.0.1]"


def _tls_context() -> ssl.SSLContext:
    """Trust the system's certificates, which a company's own server may need, and certifi's."""
    context = ssl.create_default_context()
    context.load_verify_locations(certifi.where())
    return context


def _text(text: bytes | str) -> str:
    return text if isinstance(text, str) else text.decode("utf-8", "replace")
