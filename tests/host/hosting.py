"""A host for tests: sellers with mailboxes at the stand-in for Google, and workers as processes of their own."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes
from pathlib import Path

from sellers import sample

from oauth_web.demo.sandbox import Sandbox
from signing_in import sign_in
from worker.host.tenants import Tenants

ALIAS, ORDER = b"k9p34y6n3wd25rq", b"404-5037655-2521911"


def alias(number: int) -> str:
    """Return the address of a buyer, a number each."""
    return f"b{number:014}@marketplace.amazon.it"


def notice(number: int) -> bytes:
    """Return a notice about this buyer."""
    mail = message_from_bytes(sample("opt_out/it_specimen_shape.eml"))
    (part,) = (it for it in mail.walk() if not it.is_multipart())
    html = part.get_payload(decode=True)
    assert isinstance(html, bytes)
    own = html.replace(ORDER, b"406-%07d-%07d" % (number, number)).replace(ALIAS, b"b%014d" % number)
    part.replace_header("Content-Transfer-Encoding", "8bit")
    part.set_payload(own.decode("ascii", "surrogateescape"))
    mail.replace_header("Message-ID", f"<{number}@eu-west-1.amazonses.com>")
    return mail.as_bytes()


def connect(tenants: Tenants, google: Sandbox, folder: Path, sellers: int, mailboxes: int) -> dict[str, int]:
    """Connect so many mailboxes for each of so many sellers; return each mailbox's tenant."""
    found = {}
    for seller in range(sellers):
        tenant = tenants.add(f"owner{seller}@gmail.com")
        for number in range(mailboxes):
            email = f"seller{seller}.{number}@gmail.com"
            google.add_user(email)
            tenants.app(tenant).connect(sign_in(google, folder, email))
            found[email] = tenant
    return found


def environment(tenants: Tenants, url: str) -> dict[str, str]:
    """Return the environment of a host's processes."""
    settings = tenants.settings
    return {
        **os.environ,
        "BUYERBLOCK_DATABASE_URL": url,
        "BUYERBLOCK_SECRET_KEY": settings.secret_key or "",
        "BUYERBLOCK_GMAIL_URL": settings.gmail_url or "",
        "BUYERBLOCK_REVOKE_URL": settings.revoke_url,
        "BUYERBLOCK_CLIENT_SECRETS": str(settings.client_secrets),
        "BUYERBLOCK_SYNC_INTERVAL": str(settings.sync_interval),
        "BUYERBLOCK_LOG": "json",
    }


@contextmanager
def worker(variables: dict[str, str], log: Path, *options: str) -> Iterator["subprocess.Popen[bytes]"]:
    """Run a worker until the end of the block. log: what it writes to standard error."""
    command = [sys.executable, "-m", "worker", "host", "work", *options]
    with log.open("ab") as file, subprocess.Popen(command, env=variables, stderr=file) as process:
        try:
            yield process
        finally:
            process.kill()
