"""The HTTP API under ``/api/v1``, for programs that ask before they write to a buyer.

Promise: nothing is answered without a token or an owner's session; every error is a problem document (RFC 9457)
with the right status; the description at ``/api/v1/openapi.json`` matches. ``mount`` puts it beside the page, as
an application of its own: nothing of the page's forms and error pages applies here, and nothing
of the API's tokens there. Start reading at ``application.py``; ``guard.py`` says who may do what.
"""

from oauth_web.api.application import mount

__all__ = ["mount"]
