"""The block list as files, in every format."""

from flask import Blueprint, Response, request
from flask.typing import ResponseReturnValue

from oauth_web.services import services
from worker.block_list.formats.exports import export_format

blueprint = Blueprint("downloads", __name__)


@blueprint.get("/blocks.json")
def blocks_json() -> ResponseReturnValue:
    """Return the JSON export."""
    return _file("json", "blocks.json")


@blueprint.get("/export")
def export() -> ResponseReturnValue:
    """Return the list in the format that ``format`` names."""
    name = request.args.get("format", "json")
    return _file(name, f"blocks-{name}.{export_format(name).extension}")


def _file(format_name: str, file_name: str) -> Response:
    return Response(
        services().app.block_list.export(format_name),
        content_type=export_format(format_name).content_type,
        headers={"Content-Disposition": f'attachment; filename="{file_name}"'},
    )
