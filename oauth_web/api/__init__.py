"""The HTTP API under ``/api/v1``, for programs that check buyers before they send a message.

Promise: every call needs a token or an owner's session; every error is a problem document (RFC 9457) with the right
status; the description at ``/api/v1/openapi.json`` is exact. ``mount`` adds the API to the page as a separate
application, so that the page's forms and error pages do not apply here, and API tokens do not apply there. Start
reading at ``application.py``; ``guard.py`` controls the access.
"""

from oauth_web.api.application import mount

__all__ = ["mount"]
