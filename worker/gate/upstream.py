"""The connection to the real server. Its calls block; each session of a tool has one, and calls it in a thread.

smtplib does what has to be done once (connecting, TLS, signing in). Mail goes by its plain commands, so that each
answer is at hand as the server gave it, options pass through, and a large mail is not held in memory.
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

CONNECTING = 30.0  # seconds
ANSWERING = 120.0
LEAVING = 5.0
# RFC 5321, 4.5.3.2.6: a server that is given up too early has taken the mail, and the tool sends it again.
TAKING = 600.0

# What a real server can, and this gate passes through. What is not listed here stays unsaid to the tool.
PASSED_ON = ("8bitmime", "smtputf8", "dsn", "enhancedstatuscodes", "size")

_NO_SIGN_IN = "{host} did not let the gate sign in ({words}); check user, password and encryption"
_UNTRUSTED = "the certificate of {host} cannot be trusted ({words}); check the name of the server"
_UNREACHED = (
    "{host} cannot be reached ({words}); check its name, port and encryption, or wait until it is back"
)


class Reply(NamedTuple):
    """An answer of a server. text: its lines, without the code."""

    code: int
    text: bytes

    @property
    def taken(self) -> bool:
        return 200 <= self.code < 300

    @property
    def wire(self) -> bytes:
        """Return it as it is sent, without the last line end."""
        *first, last = self.text.split(b"\n")
        return b"".join(b"%d-%s\r\n" % (self.code, line) for line in first) + b"%d %s" % (self.code, last)


def said(line: str) -> Reply:
    """Return an answer of the gate's own, such as ``451 4.3.0 Try again later``."""
    code, _, text = " ".join(line.split()).partition(" ")
    return Reply(int(code), text.encode("ascii", "replace"))


class UpstreamError(BuyerblockError):
    """The real server cannot be used now. reply: what the tool is answered."""

    def __init__(self, reply: Reply, sentence: str) -> None:
        self.reply = reply
        super().__init__(sentence)


def _for_now(status: str, sentence: str) -> UpstreamError:
    return UpstreamError(said(f"451 {status} {sentence}"), sentence)


class Upstream:
    """One connection at a time, opened when it is needed. Calls raise UpstreamError, and must not overlap."""

    def __init__(self, settings: GateSettings) -> None:
        self._settings = settings
        self._server: smtplib.SMTP | None = None
        self._in_mail = False

    def connect(self) -> Mapping[str, str]:
        """Connect and sign in, if that was not done yet; return what of PASSED_ON the server can, with parameters."""
        if self._server is None:
            self._server = self._opened_for_us()
        known = self._server.esmtp_features
        return {name: known[name] for name in PASSED_ON if name in known}

    def mail(self, line: bytes) -> Reply:
        """Begin a mail. A connection that was left idle, or has had enough, is replaced: nothing was sent yet."""
        with contextlib.suppress(UpstreamError):
            reply = self._begun(line)
            if reply.code != 421:
                return reply
        self.drop()
        return self._begun(line)

    def command(self, line: bytes) -> Reply:
        """Send a command of the current mail, and return its answer."""
        if (server := self._server) is None:
            raise self._lost("nothing was sent")
        try:
            server.send(line + b"\r\n")
            return self._reply(server)
        except (OSError, smtplib.SMTPException) as error:
            self.drop()
            raise self._lost("nothing was sent") from error

    def data(self, pieces: Iterable[bytes]) -> Reply:
        """Send a mail as it goes over the wire, its end excepted, and return the server's last word on it."""
        reply = self.command(b"DATA")
        if reply.code != 354:
            return _refusing(reply, self._settings.upstream)
        if (server := self._server) is None or server.sock is None:
            raise self._lost("nothing was sent")
        try:
            reply = self._given(server, server.sock, pieces)
        except (OSError, smtplib.SMTPException) as error:
            self.drop()
            raise self._lost("it may have taken the mail or not") from error
        except BaseException:
            self.drop()  # without the end of the mail, so it takes nothing
            raise
        self._in_mail = False
        return reply

    def close(self) -> None:
        """End the connection as is polite."""
        if self._server is not None and self._server.sock is not None:
            with contextlib.suppress(OSError, smtplib.SMTPException):
                self._server.sock.settimeout(LEAVING)
                self._server.quit()
        self.drop()

    def drop(self) -> None:
        """End the connection at once; a call that waits in another thread ends too."""
        server, self._server, self._in_mail = self._server, None, False
        if server is not None:
            with contextlib.suppress(OSError):
                if server.sock is not None:
                    server.sock.shutdown(socket.SHUT_RDWR)
            server.close()

    def _begun(self, line: bytes) -> Reply:
        self.connect()
        if self._in_mail:
            self.command(b"RSET")
        reply = self.command(line)
        self._in_mail = reply.taken
        return reply

    def _given(self, server: smtplib.SMTP, sock: socket.socket, pieces: Iterable[bytes]) -> Reply:
        try:
            for piece in pieces:
                sock.sendall(piece)
            sock.sendall(b".\r\n")
        except OSError:
            # It may have said why before it stopped listening.
            reply = self._reply(server)
            self.drop()
            return _refusing(reply, self._settings.upstream)
        sock.settimeout(TAKING)
        reply = self._reply(server)
        sock.settimeout(ANSWERING)
        return reply

    def _reply(self, server: smtplib.SMTP) -> Reply:
        reply = Reply(*server.getreply())
        return reply if 200 <= reply.code < 400 else _refusing(reply, self._settings.upstream)

    def _lost(self, what: str) -> UpstreamError:
        return _for_now("4.4.2", f"the connection to {self._settings.upstream} ended: {what}")

    def _opened_for_us(self) -> smtplib.SMTP:
        host = self._settings.upstream
        try:
            return self._signed_in()
        except smtplib.SMTPAuthenticationError as error:
            words = f"{error.smtp_code} {_text(error.smtp_error)}"
            raise _for_now("4.7.0", _NO_SIGN_IN.format(host=host, words=words)) from error
        except smtplib.SMTPResponseException as error:
            reply = _refusing(Reply(error.smtp_code, _text(error.smtp_error).encode()), host)
            raise UpstreamError(reply, f"{host} refuses the gate: {_text(reply.wire)}") from error
        except smtplib.SMTPNotSupportedError as error:
            raise _for_now("4.7.0", _NO_SIGN_IN.format(host=host, words=error)) from error
        except ssl.SSLCertVerificationError as error:
            raise _for_now("4.7.5", _UNTRUSTED.format(host=host, words=error.verify_message)) from error
        except (OSError, smtplib.SMTPException) as error:
            words = getattr(error, "strerror", None) or str(error)
            raise _for_now("4.4.1", _UNREACHED.format(host=host, words=words)) from error

    def _signed_in(self) -> smtplib.SMTP:
        settings = self._settings
        server = self._opened()
        try:
            if settings.upstream_tls == "starttls":
                server.starttls(context=_trusting())
            server.ehlo_or_helo_if_needed()
            if settings.upstream_user:
                server.login(settings.upstream_user, settings.upstream_password)
            if server.sock is not None:
                server.sock.settimeout(ANSWERING)
                # The end of a mail would wait for the receipt of what is before it.
                server.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        except BaseException:
            server.close()
            raise
        return server

    def _opened(self) -> smtplib.SMTP:
        host, port = self._settings.upstream, self._settings.upstream_port
        if self._settings.upstream_tls == "implicit":
            return smtplib.SMTP_SSL(
                host, port, local_hostname=_own_name(), timeout=CONNECTING, context=_trusting()
            )
        return smtplib.SMTP(host, port, local_hostname=_own_name(), timeout=CONNECTING)


def try_out(settings: GateSettings) -> str:
    """Connect and sign in; return "" if that works, else one sentence that says why not."""
    upstream = Upstream(settings)
    try:
        upstream.connect()
    except UpstreamError as error:
        return str(error)
    upstream.close()
    return ""


def _refusing(reply: Reply, host: str) -> Reply:
    """Return an answer that is no success; one that should have been none, or is no answer, fails for the moment."""
    return (
        reply
        if 400 <= reply.code < 600
        else said(f"451 4.5.0 {host} answered what SMTP does not allow there")
    )


@cache
def _own_name() -> str:
    # Asking the name server may take seconds.
    name = socket.getfqdn()
    return name if "." in name else "[127.0.0.1]"


def _trusting() -> ssl.SSLContext:
    """Return what the system trusts, as a company's own server needs, and what everybody trusts."""
    context = ssl.create_default_context()
    context.load_verify_locations(certifi.where())
    return context


def _text(text: bytes | str) -> str:
    return text if isinstance(text, str) else text.decode("utf-8", "replace")
