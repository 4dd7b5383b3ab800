"""The webhook: its address, its state, and what an owner does about it."""

from functools import partial

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from oauth_web.pages.forms import reading, shown_again
from oauth_web.pages.notes import go_on
from oauth_web.services import services
from oauth_web.texts.english import text
from worker.errors import StorageError
from worker.webhook import send_test
from worker.webhook.sending import send

blueprint = Blueprint("webhook", __name__)


@blueprint.get("/settings/webhook")
def page() -> ResponseReturnValue:
    """Show the webhook, or why it cannot be read: then it can only be removed."""
    try:
        shown: dict[str, object] = {"hook": services().webhook.get()}
    except StorageError as error:
        shown = {"damage": error}
    return render_template("settings_webhook.html", webhook=shown)


@blueprint.post("/settings/webhook")
@shown_again("webhook.page")
def save() -> ResponseReturnValue:
    """Send to this address from now on, and show the secret that signs the messages, for the only time."""
    url = request.form.get("url", "").strip()
    with reading("url"):
        secret = services().webhook.set(url, allow_private="allow_private" in request.form)
    return render_template(
        "secret.html", title=text("webhook.made_title"), lead=text("webhook.made"), secret=secret
    )


@blueprint.post("/settings/webhook/test")
def test() -> ResponseReturnValue:
    """Send a test message, and say what became of it."""
    app = services().app
    post = partial(send, internet_only=app.shared)
    problem = send_test(services().webhook, now=app.clock.now(), send=post)
    note = text("webhook.not_taken", problem=problem) if problem else text("webhook.taken")
    return go_on("webhook.page", note)


@blueprint.post("/settings/webhook/resume")
def resume() -> ResponseReturnValue:
    """Try again at once, from where it stopped."""
    services().webhook.resume()
    return go_on("webhook.page", text("webhook.resumed"))


@blueprint.post("/settings/webhook/remove")
def remove() -> ResponseReturnValue:
    """Stop sending."""
    services().webhook.remove()
    return go_on("webhook.page", text("webhook.removed"))
