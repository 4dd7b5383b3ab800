"""Put a mail together again from the tree of parts that Gmail gives for a thread.

``threads.get`` cannot give mails as they were delivered. In its ``full`` format headers come decoded, and bodies
without their transfer encoding, so both are written as plain UTF-8 and 8-bit bytes. Whether a mail is genuine
can be seen all the same: Gmail's own Authentication-Results are never encoded. Text that named another charset, or
none that fits, went through Gmail's hands twice, and is better read as it was delivered.
"""

import base64
from email.message import Message
from typing import Any

_NOT_DECODED = "\N{REPLACEMENT CHARACTER}".encode()


def rebuilt(payload: dict[str, Any]) -> bytes | None:
    """Return the bytes of a mail with this payload.

    None where a part was left out of the reply, has no place, or may have suffered.
    """
    headers = payload.get("headers", [])
    kept = [it for it in headers if str(it["name"]).lower() != "content-transfer-encoding"]
    head = "".join(f"{it['name']}: {' '.join(str(it['value']).split())}\r\n" for it in kept).encode()
    body = _multipart(payload, headers) if payload.get("parts") else _single(payload, headers)
    return None if body is None else head + b"\r\n" + body


def _single(payload: dict[str, Any], headers: list[dict[str, str]]) -> bytes | None:
    body = payload.get("body", {})
    if body.get("size", 0) and "data" not in body:
        return None  # an attachment, to be fetched by a call of its own
    data = base64.urlsafe_b64decode(body.get("data", "") + "==")
    kind = _content_type(headers)
    if kind.get_content_maintype() != "text" or data.isascii():
        return data
    return data if kind.get_content_charset("utf-8") == "utf-8" and _NOT_DECODED not in data else None


def _multipart(payload: dict[str, Any], headers: list[dict[str, str]]) -> bytes | None:
    boundary = _content_type(headers).get_boundary()
    parts = [rebuilt(part) for part in payload["parts"]]
    if boundary is None or None in parts:
        return None
    line = b"--" + boundary.encode()
    return b"".join(line + b"\r\n" + (part or b"") + b"\r\n" for part in parts) + line + b"--\r\n"


def _content_type(headers: list[dict[str, str]]) -> Message:
    mail: Message = Message()
    for header in headers:
        if header["name"].lower() == "content-type":
            mail["Content-Type"] = header["value"]
            break
    return mail
