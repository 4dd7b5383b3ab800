"""Answers that hold an export: compressed where the caller takes that, and 304 where nothing has changed."""

import zlib
from collections.abc import Callable, Iterable, Iterator

from flask import Response, request

from oauth_web.services import services
from worker.block_list.formats.exports import Format
from worker.block_list.listing import Query

_GZIP = 31  # zlib's window size, plus 16 for the header and the checksum of gzip


def unless_unchanged(answer: Callable[[], Response], *, cache: str) -> Response:
    """Return 304 if the caller has what this version of the list answers, else the answer, with the version as its tag.

    cache: who may keep it. The tags are weak: the same content may differ in its compression, and in the time an
    export says it was made.
    """
    # Read before the content: an answer may be newer than its tag says, never older.
    version = services().app.block_list.version
    unchanged = request.if_none_match.contains_weak(version)
    response = Response(status=304) if unchanged else answer()
    response.set_etag(version, weak=True)
    response.headers["Cache-Control"] = cache
    return response


def file_answer(row: Format, query: Query) -> Response:
    """Return an export, piece by piece."""
    pieces = services().app.block_list.export(row.name, query=query)
    response = Response(content_type=row.content_type)
    response.vary.add("Accept-Encoding")
    if request.accept_encodings.quality("gzip") > 0:
        response.content_encoding = "gzip"
        pieces = _compressed(pieces)
    response.response = pieces
    return response


def _compressed(pieces: Iterable[bytes]) -> Iterator[bytes]:
    packer = zlib.compressobj(wbits=_GZIP)
    for piece in pieces:
        yield packer.compress(piece)
    yield packer.flush()
