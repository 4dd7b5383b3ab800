"""A backup as a download."""

import tempfile
from contextlib import ExitStack
from functools import partial
from pathlib import Path

from flask import Blueprint, Response, render_template, request
from flask.typing import ResponseReturnValue

from oauth_web.pages.forms import FormError, blame, redisplay
from oauth_web.services import services
from oauth_web.texts.english import text
from worker.operation.backup_file import MIN_PASSPHRASE

blueprint = Blueprint("backups", __name__)


@blueprint.get("/settings/backup")
def page() -> ResponseReturnValue:
    """Offer a backup; a single-seller program also offers a restore."""
    return render_template("settings_backup.html", shortest_passphrase=MIN_PASSPHRASE)


@blueprint.post("/settings/backup")
@redisplay("backups.page")
def download() -> ResponseReturnValue:
    """Return a backup, encrypted if there is a passphrase. It is a POST because it is expensive and secret."""
    passphrase = request.form.get("passphrase", "")
    if passphrase != request.form.get("again", ""):
        raise FormError(text("backup.differ"), field="again")
    name = f"buyerblock-{services().app.clock.now():%Y-%m-%d}.backup"
    with ExitStack() as stack:
        path = Path(stack.enter_context(tempfile.TemporaryDirectory())) / name  # of mode 0700
        with blame("passphrase"):
            services().back_up(path, passphrase or None)
        file = stack.enter_context(path.open("rb"))
        answer = Response(iter(partial(file.read, 1 << 16), b""), content_type="application/octet-stream")
        answer.content_length = path.stat().st_size
        answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
        answer.call_on_close(stack.pop_all().close)
    return answer
