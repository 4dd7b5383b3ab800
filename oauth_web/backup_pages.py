"""A backup as a download. Bringing one back is a command, since the program must not run meanwhile."""

import tempfile
from pathlib import Path

from flask import Blueprint, Response, request
from flask.typing import ResponseReturnValue

from oauth_web.services import services
from oauth_web.texts import text
from worker.errors import UsageError
from worker.operation.backup import backup

blueprint = Blueprint("backup_pages", __name__)


@blueprint.post("/settings/backup")
def download() -> ResponseReturnValue:
    """Return a backup, encrypted if a passphrase was typed. A POST, since it is work, and secret."""
    passphrase = request.form.get("passphrase", "")
    if passphrase != request.form.get("again", ""):
        raise UsageError(text("backup.differ"))
    app, now = services().app, services().app.clock.now()
    with tempfile.TemporaryDirectory() as folder:  # of mode 0700
        path = Path(folder) / f"buyerblock-{now:%Y-%m-%d}.backup"
        backup(app.settings.data_dir, path, passphrase or None, now=now, block_list=app.block_list)
        content = path.read_bytes()
    return Response(
        content,
        content_type="application/octet-stream",
        headers={"Content-Disposition": f'attachment; filename="{path.name}"'},
    )
