"""Answers that a caller may keep for as long as the list does not change.

The tags are weak: the same content may differ in its compression, and in the time an export says it was made.
"""

from flask import Response, request


def not_modified(version: str) -> Response | None:
    """Return 304 if the caller has what this version of the list answers, else None."""
    if not request.if_none_match.contains_weak(version):
        return None
    return tagged(Response(status=304), version)


def tagged(response: Response, version: str) -> Response:
    """Return the answer with the tag of the version it was made from, or of one before."""
    response.set_etag(version, weak=True)
    return response
