"""A backup that is put in place of what is there: of the program of one seller, which restarts with it."""

import tempfile
from pathlib import Path

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from oauth_web.pages.forms import FormError, reading, shown_again
from oauth_web.services import services
from oauth_web.texts.english import text
from worker.errors import DamagedFileError, StorageError, UsageError
from worker.operation.restore import prepare_restore

blueprint = Blueprint("restores", __name__)


@blueprint.post("/settings/restore")
@shown_again("backups.page")
def restore() -> ResponseReturnValue:
    """Check a backup and stage it; the server restarts and puts it in place. Sessions end with that."""
    upload = request.files.get("file")
    if upload is None or not upload.filename:
        raise FormError(text("restore.no_file"), field="file")
    if "sure" not in request.form:
        raise FormError(text("restore.unsure"), field="sure")
    with tempfile.TemporaryDirectory() as folder, reading("file"):
        path = Path(folder) / "backup"
        upload.save(path)
        try:
            restored = prepare_restore(
                path, services().app.settings.data_dir, request.form.get("passphrase") or None
            )
        except (UsageError, StorageError) as error:
            # What is damaged is the visitor's file, not ours; and its place for that moment is of no use to anybody.
            kind = UsageError if isinstance(error, DamagedFileError) else type(error)
            fields = {
                it: text("restore.this") if value == path else value for it, value in error.fields.items()
            }
            raise kind(error.template, **fields) from error
    services().restart()
    return render_template("restored.html", restored=restored)
