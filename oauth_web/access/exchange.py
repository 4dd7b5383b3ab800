"""Answers in the exchange of a code for a permission: bounded in size and time, and never followed elsewhere."""

import time
from typing import Any

import requests
from requests.adapters import HTTPAdapter

MAX_SIZE = 64_000  # bytes; real answers have about 2,000
MAX_TIME = 30.0  # seconds for all of an answer, however it drips


def bound(session: requests.Session) -> None:
    """Have a session refuse answers that are too large, too slow or lead elsewhere. Raises errors of requests."""
    session.max_redirects = 0
    for scheme in ("https://", "http://"):
        session.mount(scheme, _Bounded())


class _Bounded(HTTPAdapter):
    def send(self, request: requests.PreparedRequest, *arguments: Any, **options: Any) -> requests.Response:
        ends = time.monotonic() + MAX_TIME
        answer = super().send(request, *arguments, **{**options, "stream": True})
        content = bytearray()
        # One byte at a time: a larger piece is waited for until it is full.
        for byte in answer.iter_content(1):
            content += byte
            if len(content) > MAX_SIZE:
                answer.close()
                raise requests.exceptions.InvalidJSONError("too large", request=request)
            if time.monotonic() > ends:
                answer.close()
                raise requests.exceptions.ReadTimeout("too slow", request=request)
        answer._content = bytes(content)  # where requests keeps what was read
        return answer
