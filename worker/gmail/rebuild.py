"""Rebuild a mail from the tree of parts in Gmail's reply for a thread.

``threads.get`` cannot return raw mails. In its ``full`` format headers are decoded, and bodies have no transfer
encoding, so both are written as plain UTF-8 and 8-bit bytes. The judge can still check whether a mail is genuine:
Gmail's Authentication-Results are never encoded. Text with another charset, or a wrong one, was converted by Gmail, so
such a mail is read in raw form instead.
"""

import base64
from email.message import Message
from typing import Any

_NOT_DECODED = "\N{REPLACEMENT CHARACTER}".encode()


def rebuild_mail(payload: dict[str, Any]) -> bytes | None:
    """Return the bytes of a mail with this payload.

    None if a part is missing in the reply, has no boundary, or may be damaged.
    """
    headers = payload.get("headers", [])
    kept = [it for it in headers if str(it["name"]).lower() != "content-transfer-encoding"]
    head = "".join(f"{it['name']}: {' '.join(str(it['value']).split())}\r\n" for it in kept).encode()
    body = _multipart(payload, headers) if payload.get("parts") else _single(payload, headers)
    return None if body is None else head + b"\r\n" + body


def _single(payload: dict[str, Any], headers: list[dict[str, str]]) -> bytes | None:
    body = payload.get("body", {})
    if body.get("size", 0) and "data" not in body:
        return None  # an attachment, which needs another call
    data = base64.urlsafe_b64decode(body.get("data", "") + "==")
    kind = _content_type(headers)
    if kind.get_content_maintype() != "text" or data.isascii():
        return data
    return data if kind.get_content_charset("utf-8") == "utf-8" and _NOT_DECODED not in data else None


def _multipart(payload: dict[str, Any], headers: list[dict[str, str]]) -> bytes | None:
    boundary = _content_type(headers).get_boundary()
    parts = [rebuild_mail(part) for part in payload["parts"]]
    if boundary is None or None in parts:
        return None
    line = b"--" + boundary.encode()
    return b"".join(line + b"\r\n" + (part or b"") + b"\r\n" for part in parts) + line + b"--\r\n"


def _content_type(headers: list[dict[str, str]]) -> Message:
    mail: Message = Message()
    for header in headers:
        if header["name"].lower() == "content-type":
            mail["Content-Type"] = header["value"]
            break  # the first one counts
    return mail
