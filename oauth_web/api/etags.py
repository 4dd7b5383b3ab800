"""Answers that a caller may keep for as long as the list does not change.

The tags are weak: the same content may differ in its compression, and in the time an export says it was made.
"""

from flask import Response, request


def not_modified(generation: str) -> Response | None:
    """Return 304 if the caller has what this generation of the list answers, else None."""
    if not request.if_none_match.contains_weak(generation):
        return None
    return tagged(Response(status=304), generation)


def tagged(response: Response, generation: str) -> Response:
    """Return the answer with the tag of the generation it was made from, or of one before."""
    response.set_etag(generation, weak=True)
    return response
