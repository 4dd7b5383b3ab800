"""Responses with an export: compressed if the client supports it, and 304 if nothing has changed."""

import zlib
from collections.abc import Callable, Iterable, Iterator

from flask import Response, request

from oauth_web.services import services
from worker.block_list.formats.exports import Format
from worker.block_list.listing import Query

_GZIP = 31  # zlib's window size 15, plus 16 for gzip's header and checksum


def unless_unchanged(answer: Callable[[], Response], *, cache: str) -> Response:
    """Return 304 if the client has the current version of the list, else the answer. The ETag is the version.

    cache: the Cache-Control header. ETags are weak: the same content may differ in its compression and its export time.
    """
    # Read before the content: an answer may be newer than its ETag, never older.
    version = services().app.block_list.version
    unchanged = request.if_none_match.contains_weak(version)
    response = Response(status=304) if unchanged else answer()
    response.set_etag(version, weak=True)
    response.headers["Cache-Control"] = cache
    return response


def file_answer(row: Format, query: Query) -> Response:
    """Stream an export."""
    chunks = services().app.block_list.export(row.name, query=query)
    response = Response(content_type=row.content_type)
    response.vary.add("Accept-Encoding")
    if request.accept_encodings.quality("gzip") > 0:
        response.content_encoding = "gzip"
        chunks = _compressed(chunks)
    response.response = chunks
    return response


def _compressed(chunks: Iterable[bytes]) -> Iterator[bytes]:
    compressor = zlib.compressobj(wbits=_GZIP)
    for chunk in chunks:
        yield compressor.compress(chunk)
    yield compressor.flush()
