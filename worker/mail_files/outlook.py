"""Read mails that Outlook saved as .msg: original header lines, texts and attached mails in separate streams."""

import hashlib
import io
import re
from contextlib import suppress

from olefile import OleFileIO

SIGNATURE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ATTACHED = re.compile(r"__attach_version1\.0_#[0-9A-F]{8}")
# The numbers of MAPI properties.
_HEADERS, _TEXT, _HTML, _CONTENT, _KIND = "007D", "1000", "1013", "3701", "370E"
# Header lines about the original body, which Outlook did not keep; and a line that some versions put above the headers.
_DROPPED_HEADERS = re.compile(
    r"(?im)^(?:(?:content-[a-z-]+|mime-version):.*\n(?:[ \t].*\n)*|Microsoft Mail Internet Headers Version.*\n)"
)


def mail_of(content: bytes) -> bytes | None:
    """Rebuild the mail of a .msg file, with its attached mails.

    None if it is damaged, or has no header lines or no text, such as drafts and items that are no mail.
    """
    # For a damaged file the library raises any exception.
    with suppress(Exception), OleFileIO(io.BytesIO(content)) as file:
        return _mail(file, "")
    return None


def _mail(file: OleFileIO, folder: str) -> bytes | None:
    parts = [
        (kind, body.encode())
        for kind, number in (("text/plain", _TEXT), ("text/html", _HTML))
        if (body := _text(file, folder, number))
    ]
    headers = _text(file, folder, _HEADERS).replace("\r\n", "\n").strip().partition("\n\n")[0] + "\n"
    if headers.isspace() or not parts:
        return None
    if not folder:
        parts += [("message/rfc822", mail) for mail in _attached(file)]
    return _DROPPED_HEADERS.sub("", headers).encode() + _multipart(parts)


def _attached(file: OleFileIO) -> list[bytes]:
    """Return the attached mails, stored by Outlook either as items or as original bytes."""
    names = sorted({entry[0] for entry in file.listdir() if _ATTACHED.fullmatch(entry[0])})
    items = [_mail(file, f"{name}/__substg1.0_{_CONTENT}000D/") for name in names]
    originals = [
        _stream(file, f"{name}/__substg1.0_{_CONTENT}0102")
        for name in names
        if _text(file, f"{name}/", _KIND).lower() == "message/rfc822"
    ]
    return [mail for mail in (*items, *originals) if mail]


def _text(file: OleFileIO, folder: str, number: str) -> str:
    """Return a property as text, "" if missing. It is stored as Unicode, in the sender's code page, or as bytes."""
    if found := _stream(file, f"{folder}__substg1.0_{number}001F"):
        return found.decode("utf-16-le", "replace").strip("\0")
    found = _stream(file, f"{folder}__substg1.0_{number}001E") or _stream(
        file, f"{folder}__substg1.0_{number}0102"
    )
    try:
        return found.decode().strip("\0")
    except UnicodeDecodeError:
        return found.decode("cp1252", "replace").strip("\0")


def _stream(file: OleFileIO, path: str) -> bytes:
    return bytes(file.openstream(path).read()) if file.exists(path) else b""


def _multipart(parts: list[tuple[str, bytes]]) -> bytes:
    # A boundary from the digest of all parts cannot occur in a part.
    boundary = b"=_" + hashlib.sha256(b"".join(body for _, body in parts)).hexdigest().encode()
    head = b'MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary="' + boundary + b'"\n\n'
    return (
        head
        + b"".join(
            b"--" + boundary + b"\nContent-Type: " + kind.encode() + b"; charset=utf-8\n\n" + body + b"\n"
            for kind, body in parts
        )
        + b"--"
        + boundary
        + b"--\n"
    )
