"""The webhook: its address, its state and its actions."""

from functools import partial

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from oauth_web.pages.forms import blame, redisplay
from oauth_web.pages.notes import redirect_to
from oauth_web.services import services
from oauth_web.texts.english import text
from worker.errors import StorageError
from worker.webhook import send_test
from worker.webhook.sending import send

blueprint = Blueprint("webhook", __name__)


@blueprint.get("/settings/webhook")
def page() -> ResponseReturnValue:
    """Show the webhook, or why it cannot be read; then it can only be removed."""
    try:
        shown: dict[str, object] = {"hook": services().webhook.get()}
    except StorageError as error:
        shown = {"damage": error}
    return render_template("settings_webhook.html", webhook=shown)


@blueprint.post("/settings/webhook")
@redisplay("webhook.page")
def save() -> ResponseReturnValue:
    """Set the address of the webhook, and show the secret that signs its messages once."""
    url = request.form.get("url", "").strip()
    with blame("url"):
        secret = services().webhook.set(url, allow_private="allow_private" in request.form)
    return render_template(
        "secret.html", title=text("webhook.made_title"), lead=text("webhook.made"), secret=secret
    )


@blueprint.post("/settings/webhook/test")
def test() -> ResponseReturnValue:
    """Send a test message and report the result."""
    app = services().app
    post = partial(send, internet_only=app.shared)
    problem = send_test(services().webhook, now=app.clock.now(), send=post)
    note = text("webhook.not_taken", problem=problem) if problem else text("webhook.taken")
    return redirect_to("webhook.page", note)


@blueprint.post("/settings/webhook/resume")
def resume() -> ResponseReturnValue:
    """Retry the delivery now, from the last position."""
    services().webhook.resume()
    return redirect_to("webhook.page", text("webhook.resumed"))


@blueprint.post("/settings/webhook/remove")
def remove() -> ResponseReturnValue:
    services().webhook.remove()
    return redirect_to("webhook.page", text("webhook.removed"))
