"""The gate: a mail server for tools in front of the seller's own, its settings and what it refused lately."""

from typing import cast, get_args

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from oauth_web.pages.forms import FormError, reading, shown_again
from oauth_web.pages.notes import go_on
from oauth_web.services import services
from oauth_web.texts.english import text
from worker import parsing
from worker.errors import StorageError, UsageError
from worker.gate.record import GateRecord
from worker.gate.settings import MARKED_USER, TLS, USER, GateSettings, StoredGate
from worker.gate.upstream import check_connection

MAX_SHOWN = 20

blueprint = Blueprint("gate", __name__)


@blueprint.get("/settings/gate")
def page() -> ResponseReturnValue:
    """Show the gate, or why its settings cannot be read: then they are made again."""
    shown: dict[str, object] = {"user": USER, "marked_user": MARKED_USER}
    try:
        record = GateRecord(services().app.database).read()
        shown |= {"gate": _stored().get(), "record": record, "lately": record.lately[:MAX_SHOWN]}
    except StorageError as error:
        shown["damage"] = str(error)
    return render_template("settings_gate.html", gate=shown)


@blueprint.post("/settings/gate")
@shown_again("gate.page")
def save() -> ResponseReturnValue:
    """Store the settings; show the password of the tools if it was made now, for the only time."""
    with reading("upstream"):
        secret = _stored().save(_wanted())
    _forget_problem()
    if secret:
        return _password(secret)
    return go_on("gate.page", text("gate.saved"))


@blueprint.post("/settings/gate/password")
def new_password() -> ResponseReturnValue:
    """Make another password for the tools and show it, for the only time."""
    return _password(_stored().new_password())


@blueprint.post("/settings/gate/test")
def test() -> ResponseReturnValue:
    """Sign in to the real server, and say what became of it."""
    problem = check_connection(_stored().existing())
    if not problem:
        _forget_problem()
    return go_on("gate.page", text("gate.not_reached", problem=problem) if problem else text("gate.reached"))


def _forget_problem() -> None:
    """What was wrong may be right now; the next mail, or the next start, shows it."""
    record = GateRecord(services().app.database)
    record.problem("")
    record.flush()


def _wanted() -> GateSettings:
    """Return what was sent; host, certificate and a password that was not written again stay."""
    former, form = _former(), request.form
    upstream, user = form.get("upstream", "").strip(), form.get("user", "").strip()
    password, tls = form.get("password", ""), form.get("tls")
    if tls not in get_args(TLS):
        raise UsageError(text("error.other"))
    # Another server must not be sent the password of this one.
    if former and not password and (former.upstream, former.upstream_user) == (upstream, user):
        password = former.upstream_password
    kept = {"host": former.host, "certificate": former.certificate, "key": former.key} if former else {}
    return GateSettings(
        enabled="enabled" in form,
        port=_port("port"),
        upstream=upstream,
        upstream_port=_port("upstream_port"),
        upstream_tls=cast(TLS, tls),
        upstream_user=user,
        upstream_password=password,
        **kept,
    )


def _former() -> GateSettings | None:
    """Return the settings of before; those that cannot be opened are replaced."""
    try:
        return _stored().get()
    except StorageError:
        return None


def _port(name: str) -> int:
    if (number := parsing.whole_number(request.form.get(name, "").strip(), 1, 65535)) is None:
        raise FormError(text("gate.bad_port"), field=name)
    return number


def _stored() -> StoredGate:
    app = services().app
    return StoredGate(app.database, app.sealer)


def _password(secret: str) -> ResponseReturnValue:
    lead = text("gate.made", user=USER, marked=MARKED_USER)
    return render_template("secret.html", title=text("gate.made_title"), lead=lead, secret=secret)
