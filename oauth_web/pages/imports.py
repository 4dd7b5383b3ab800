"""Blocking in bulk: paste or upload, look at what would happen, then do it or not."""

import secrets
import zlib
from base64 import b64decode, b64encode

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from oauth_web.guard import browser, by_owner
from oauth_web.pages.forms import reading, shown_again
from oauth_web.pages.notes import go_on
from oauth_web.services import services
from oauth_web.texts.english import text
from worker.errors import UsageError

blueprint = Blueprint("imports", __name__)


@blueprint.get("/import")
def form() -> ResponseReturnValue:
    """Show the box, and the imports that were made."""
    return render_template("import.html", imports=services().app.block_list.imports()[:20])


@blueprint.post("/import")
@shown_again("imports.form")
def preview() -> ResponseReturnValue:
    """Show what an import would do; nothing is changed yet."""
    upload = request.files.get("file")
    source = upload.filename if upload is not None else ""
    content = upload.read() if upload is not None and source else request.form.get("text", "").encode()
    with reading("file" if source else "text"):
        if not content.strip():
            raise UsageError(text("import.empty"))
        found = services().app.block_list.preview_import(content)
    name, shown = secrets.token_urlsafe(16), (source or text("import.pasted"))[:200]
    left = {"content": b64encode(zlib.compress(content, level=1)).decode(), "source": shown}
    services().pending_imports.add(name, left, session_id=browser().id)
    return render_template("preview.html", preview=found, pending=name)


@blueprint.post("/import/apply")
def apply() -> ResponseReturnValue:
    """Do what the preview said, as the list is by now."""
    left = services().pending_imports.take(request.form.get("pending", ""), session_id=browser().id)
    if left is None:
        raise UsageError(text("import.stale"))
    block_list = services().app.block_list
    found = block_list.preview_import(zlib.decompress(b64decode(left["content"])))
    made = block_list.apply_import(found, source=left["source"], by=by_owner())
    done = text("import.done", added=made.added, resolved=made.resolved)
    return go_on("blocks.blocks", done, ("imports.undo", {"import": made.id}))


@blueprint.post("/import/undo")
def undo() -> ResponseReturnValue:
    """Take an import back."""
    dropped = services().app.block_list.undo_import(request.form.get("import", ""), by=by_owner())
    return go_on("imports.form", text("import.undone", count=dropped))
