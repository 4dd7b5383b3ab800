"""The whole list as a file, in every format, piece by piece."""

import zlib
from collections.abc import Iterable, Iterator

from flask import Blueprint, Response, request
from flask.typing import ResponseReturnValue

from oauth_web.api.etags import not_modified, tagged
from oauth_web.api.reading import arguments, moment
from oauth_web.services import services
from worker.block_list.formats.exports import export_format

_GZIP = 31  # zlib's window size, plus 16 for the header and the checksum of gzip

blueprint = Blueprint("export", __name__, url_prefix="/v1")


@blueprint.get("/export")
def export() -> ResponseReturnValue:
    """Return the list in the format that ``format`` names."""
    given = arguments(request, "format", "since")
    row = export_format(given.get("format", "json"))
    since = moment("since", given["since"]) if "since" in given else None
    block_list = services().app.block_list
    version = block_list.version
    if (known := not_modified(version)) is not None:
        return known
    pieces = block_list.export(row.name, since=since)
    response = Response(content_type=row.content_type)
    response.vary.add("Accept-Encoding")
    if request.accept_encodings.quality("gzip") > 0:
        response.content_encoding = "gzip"
        pieces = _compressed(pieces)
    response.response = pieces
    return tagged(response, version)


def _compressed(pieces: Iterable[bytes]) -> Iterator[bytes]:
    packer = zlib.compressobj(wbits=_GZIP)
    for piece in pieces:
        yield packer.compress(piece)
    yield packer.flush()
