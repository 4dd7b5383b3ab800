"""A seller of a host who has something of every kind, each with the seller's name in it, so that it is known again."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from people import GRANT

from oauth_web.access.owners import Owners, Role
from oauth_web.access.pending import Pending
from oauth_web.access.sessions import OWNER, Sessions
from worker.app import App
from worker.block_list.model import Sighting
from worker.block_list.review import ReviewItem
from worker.database.schema import TABLES
from worker.host.tenants import Tenants
from worker.notices.doubts import Doubt, Reason
from worker.notifications import Destinations
from worker.owner.tokens import Tokens
from worker.sealing import digest_of
from worker.webhook import Webhook

COOKIE = "buyerblock-8000"
STATE = "the-state-of-{name}"


@dataclass(frozen=True)
class Seller:
    """number: stands in their order ID. app: their program. csrf: the token of their forms."""

    name: str
    number: int
    app: App
    browser: FlaskClient
    csrf: str
    token: str
    destinations: tuple[str, ...]
    decision: str

    @property
    def email(self) -> str:
        return f"{self.name}@gmail.com"

    @property
    def colleague(self) -> str:
        return f"colleague-of-{self.name}@example.com"

    @property
    def order(self) -> str:
        return f"406-{self.number:07d}-7654301"

    def key(self, which: int) -> str:
        """Return a buyer: 1 by a notice, 2 by hand, 3 by an import; 4 is unblocked."""
        return f"{self.name}buyer{which}@marketplace.amazon.it"

    def mail(self, which: int) -> str:
        """Return a mail for a person: 1 waits, 2 was dismissed."""
        return f"{self.email}:{which}{self.number}"


def made(tenants: Tenants, page: Flask, name: str, number: int) -> Seller:
    """Return a new seller, signed in, with a token."""
    email = f"{name}@gmail.com"
    tenant = tenants.admit(email)
    assert tenant is not None
    app = tenants.app(tenant)
    Owners(app.database).claim(email)
    session = f"{tenant}.session-of-{name}"
    _keep_session(app, session, email)
    Tokens(app.database).create(f"sheet of {name}", "download", now=app.clock.now())
    destinations = Destinations(app.database, app.sealer)
    browser = page.test_client()
    browser.set_cookie(COOKIE, session, domain="localhost")
    seller = Seller(
        name=name,
        number=number,
        app=app,
        browser=browser,
        csrf="",
        token=Tokens(app.database).create(f"tool of {name}", "write", now=app.clock.now()),
        destinations=(
            destinations.add_mailbox(email).id,
            destinations.add_messenger(f"ntfy://127.0.0.1:9/{name}").id,
        ),
        decision=f"decision-of-{name}",
    )
    _fill(seller, tenants, tenant, digest_of(session))
    return seller


def _keep_session(app: App, session: str, email: str) -> None:
    attempt = {
        "redirect_uri": "http://localhost/oauth2/callback",
        "verifier": "v" * 43,
        "since": app.clock.now().isoformat(),
        "mailbox": True,
        "account": None,
    }
    values = {
        OWNER: email,
        "csrf_token": "raw",
        "at_google": {STATE.format(name=email.partition("@")[0]): attempt},
    }
    Sessions(app.database, app.sealer, app.clock.now).put(session, values, new=True)


def _fill(seller: Seller, tenants: Tenants, tenant: int, session_id: str) -> None:
    app, name, now = seller.app, seller.name, seller.app.clock.now()
    Owners(app.database).add(seller.colleague, Role.READ)
    tenants.claim_mailbox(seller.email, tenant)
    app.accounts.connect(seller.email, GRANT, now=now)
    app.accounts.update(seller.email, trusted=(f"trusted-by-{name}@example.com",))
    notice = Sighting(
        account=seller.email,
        message_id=f"notice-of-{name}@mail.example",
        received_at=now - timedelta(days=1),
        address=seller.key(1),
        order_id=seller.order,
        sent_on=date(2026, 11, 24),
    )
    app.block_list.record([notice])
    app.block_list.block([seller.key(2), seller.key(4)], note=f"note of {name}", by=seller.email)
    app.block_list.unblock(seller.key(4), by=seller.email)
    preview = app.block_list.preview_import(seller.key(3).encode())
    app.block_list.apply_import(preview, source=f"{name}.txt", by=seller.email)
    app.review.add([_suspect(seller, 1), _suspect(seller, 2)])
    app.review.decide([seller.mail(2)], "dismissed", decision=seller.decision)
    Webhook(app.database, app.sealer).set(f"https://127.0.0.1:9/{name}", allow_private=True)
    for kind, value in (
        ("import", {"content": "eJwDAAAAAAE=", "source": f"{name}.txt"}),
        ("grant", {"email": seller.email, "sealed": app.sealer.seal("{}")}),
    ):
        pending = Pending(app.database, app.clock.now, kind=kind, lifetime=timedelta(minutes=10), limit=5)
        pending.add(f"{kind}-of-{name}", value, session_id=session_id)


def _suspect(seller: Seller, which: int) -> ReviewItem:
    return ReviewItem(
        account=seller.email,
        gmail_id=f"{which}{seller.number}",
        message_id=f"suspect{which}-of-{seller.name}@mail.example",
        received_at=seller.app.clock.now(),
        reason=Reason(Doubt.FORWARDED_BY_STRANGER, f"forwarder-of-{seller.name}@example.com"),
        subject=f"A subject that {seller.name} got",
        address=f"{seller.name}buyer5@marketplace.amazon.it",
    )


def kept(tenants: Tenants, seller: Seller) -> list[Any]:
    """Return all that is kept of a seller, each row with its table."""
    tenant = tenants.of_owner(seller.email)
    rows_of = {
        **dict.fromkeys((*TABLES, "events"), f"tenant_id = {tenant}"),
        "looks": f"tenant = {tenant}",
        "tenants": f"id = {tenant}",
        "procrastinate_jobs": f"args->>'tenant' = '{tenant}'",
    }
    each = (
        f"SELECT '{table}', to_jsonb(it)::text FROM \"{table}\" AS it WHERE {where}"
        for table, where in rows_of.items()
    )
    sql = f"{' UNION ALL '.join(each)} ORDER BY 1, 2".encode()
    return tenants.pool.run(lambda connection: connection.execute(sql).fetchall())
