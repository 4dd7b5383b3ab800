"""Block many buyers: paste or upload keys, see a preview, then apply or drop it."""

import secrets
import zlib
from base64 import b64decode, b64encode

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from oauth_web.guard import browser, by_owner
from oauth_web.pages.forms import blame, redisplay
from oauth_web.pages.notes import redirect_to
from oauth_web.services import services
from oauth_web.texts.english import text
from worker.errors import UsageError

blueprint = Blueprint("imports", __name__)


@blueprint.get("/import")
def form() -> ResponseReturnValue:
    """Show the form and the latest imports."""
    return render_template("import.html", imports=services().app.block_list.imports()[:20])


@blueprint.post("/import")
@redisplay("imports.form")
def preview() -> ResponseReturnValue:
    """Show the effect of an import; nothing is changed yet."""
    upload = request.files.get("file")
    source = upload.filename if upload is not None else ""
    content = upload.read() if upload is not None and source else request.form.get("text", "").encode()
    with blame("file" if source else "text"):
        if not content.strip():
            raise UsageError(text("import.empty"))
        found = services().app.block_list.preview_import(content)
    name, shown = secrets.token_urlsafe(16), (source or text("import.pasted"))[:200]
    stored = {"content": b64encode(zlib.compress(content, level=1)).decode(), "source": shown}
    services().pending_imports.add(name, stored, session_id=browser().id)
    return render_template("preview.html", preview=found, pending=name)


@blueprint.post("/import/apply")
def apply() -> ResponseReturnValue:
    """Apply a previewed import to the current list."""
    stored = services().pending_imports.take(request.form.get("pending", ""), session_id=browser().id)
    if stored is None:
        raise UsageError(text("import.stale"))
    block_list = services().app.block_list
    found = block_list.preview_import(zlib.decompress(b64decode(stored["content"])))
    made = block_list.apply_import(found, source=stored["source"], by=by_owner())
    done = text("import.done", added=made.added, resolved=made.resolved)
    return redirect_to("blocks.blocks", done, ("imports.undo", {"import": made.id}))


@blueprint.post("/import/undo")
def undo() -> ResponseReturnValue:
    """Undo an import."""
    dropped = services().app.block_list.undo_import(request.form.get("import", ""), by=by_owner())
    return redirect_to("imports.form", text("import.undone", count=dropped))
