"""The mail gate: its settings and its latest refusals."""

from typing import cast, get_args

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from oauth_web.pages.forms import FormError, blame, redisplay
from oauth_web.pages.notes import redirect_to
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
    """Show the gate, or why its settings cannot be read; then they have to be entered again."""
    values: dict[str, object] = {"user": USER, "marked_user": MARKED_USER}
    try:
        record = GateRecord(services().app.database).read()
        values |= {"gate": _stored().get(), "record": record, "lately": record.lately[:MAX_SHOWN]}
    except StorageError as error:
        values["damage"] = str(error)
    return render_template("settings_gate.html", gate=values)


@blueprint.post("/settings/gate")
@redisplay("gate.page")
def save() -> ResponseReturnValue:
    """Store the settings; show the password of the tools once if it is new."""
    with blame("upstream"):
        secret = _stored().save(_submitted())
    _clear_problem()
    if secret:
        return _show_password(secret)
    return redirect_to("gate.page", text("gate.saved"))


@blueprint.post("/settings/gate/password")
def new_password() -> ResponseReturnValue:
    """Replace the password of the tools and show it once."""
    return _show_password(_stored().new_password())


@blueprint.post("/settings/gate/test")
def test() -> ResponseReturnValue:
    """Sign in to the real server and report the result."""
    problem = check_connection(_stored().existing())
    if not problem:
        _clear_problem()
    return redirect_to(
        "gate.page", text("gate.not_reached", problem=problem) if problem else text("gate.reached")
    )


def _clear_problem() -> None:
    """Clear the recorded problem, which may be solved; if not, the next mail or start records it again."""
    record = GateRecord(services().app.database)
    record.problem("")
    record.flush()


def _submitted() -> GateSettings:
    """Return the settings of the form; host, certificate, and a password that was left empty keep their values."""
    current, form = _current(), request.form
    upstream, user = form.get("upstream", "").strip(), form.get("user", "").strip()
    password, tls = form.get("password", ""), form.get("tls")
    if tls not in get_args(TLS):
        raise UsageError(text("error.other"))
    # Never send the password of the former server to another one.
    if current and not password and (current.upstream, current.upstream_user) == (upstream, user):
        password = current.upstream_password
    kept = {"host": current.host, "certificate": current.certificate, "key": current.key} if current else {}
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


def _current() -> GateSettings | None:
    """Return the stored settings, None if they cannot be read; then they are replaced."""
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


def _show_password(secret: str) -> ResponseReturnValue:
    lead = text("gate.made", user=USER, marked=MARKED_USER)
    return render_template("secret.html", title=text("gate.made_title"), lead=lead, secret=secret)
