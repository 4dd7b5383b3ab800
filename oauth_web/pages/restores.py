"""Restore a backup. Only in a single-seller program, which restarts for it."""

import tempfile
from pathlib import Path

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from oauth_web.pages.forms import FormError, blame, redisplay
from oauth_web.services import services
from oauth_web.texts.english import text
from worker.errors import DamagedFileError, StorageError, UsageError
from worker.operation.restore import prepare_restore

blueprint = Blueprint("restores", __name__)


@blueprint.post("/settings/restore")
@redisplay("backups.page")
def restore() -> ResponseReturnValue:
    """Check and stage a backup; the restarted server activates it, which ends all sessions."""
    upload = request.files.get("file")
    if upload is None or not upload.filename:
        raise FormError(text("restore.no_file"), field="file")
    if "sure" not in request.form:
        raise FormError(text("restore.unsure"), field="sure")
    with tempfile.TemporaryDirectory() as folder, blame("file"):
        path = Path(folder) / "backup"
        upload.save(path)
        try:
            restored = prepare_restore(
                path, services().app.settings.data_dir, request.form.get("passphrase") or None
            )
        except (UsageError, StorageError) as error:
            # The uploaded file is damaged, not our database; and its temporary path would mean nothing to the user.
            kind = UsageError if isinstance(error, DamagedFileError) else type(error)
            fields = {
                it: text("restore.this") if value == path else value for it, value in error.fields.items()
            }
            raise kind(error.template, **fields) from error
    services().restart()
    return render_template("restored.html", restored=restored)
