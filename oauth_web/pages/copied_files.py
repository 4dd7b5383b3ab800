"""Files on this machine that are rewritten after every change of the list. Only in a single-seller program."""

from pathlib import Path

from flask import Blueprint, request
from flask.typing import ResponseReturnValue

from oauth_web.pages.copies import chosen_format
from oauth_web.pages.forms import FormError, blame, redisplay
from oauth_web.pages.notes import redirect_to
from oauth_web.services import services
from oauth_web.texts.english import text
from worker.block_list.formats.exports import FORMATS
from worker.block_list.listing import FILTERS, query_of
from worker.errors import UsageError
from worker.publish import Copies, Copy, add_copy, page_copy_path

blueprint = Blueprint("copied_files", __name__)


@blueprint.post("/settings/copies")
@redisplay("copies.page")
def add() -> ResponseReturnValue:
    """Write the list to a file in the page's folder, now and after every change."""
    app, chosen = services().app, chosen_format()
    filters = {name: value for name in FILTERS if (value := request.form.get(name, "").strip())}
    with blame("since"):
        query_of(filters)
    with blame("name"):
        place = page_copy_path(_file_name(FORMATS[chosen].extension), app.settings.data_dir)
        copy = Copy(path=place, format=chosen, filters=filters)
        written = add_copy(Copies(app.database), app.block_list, copy, now=app.clock.now())
    return redirect_to("copies.page", text("copies.added", path=written.path, count=written.blocks))


@blueprint.post("/settings/copies/remove")
def remove() -> ResponseReturnValue:
    """Stop writing a copy."""
    path = request.form.get("copy", "")
    if not Copies(services().app.database).remove(path):
        raise UsageError(text("removed_already"))
    return redirect_to("copies.page", text("copies.removed", path=path))


def _file_name(extension: str) -> str:
    """Return the name from the form, with an extension."""
    name = request.form.get("name", "").strip()
    if not name:
        raise FormError(text("copies.no_name"), field="name")
    return name if Path(name).suffix else f"{name}.{extension}"
