"""Make .msg files as Outlook does: a compound file with a stream for each property of the mail."""

import struct

_SECTOR = 512
_FREE, _END, _FAT = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD
_STORAGE, _STREAM, _ROOT = 1, 2, 5
_BY_SECTORS = 4096  # shorter streams would be kept in another way

Tree = dict[str, "bytes | Tree"]


def msg(headers: str, text: str = "", html: bytes = b"", attached: Tree | None = None) -> bytes:
    """Return a .msg file with these header lines and this text; attached: properties of one attachment."""
    tree: Tree = {"__substg1.0_001A001F": "IPM.Note".encode("utf-16-le")}
    tree |= mail_properties(headers, text, html)
    if attached is not None:
        tree["__attach_version1.0_#00000000"] = attached
    return compound_file(tree)


def mail_properties(headers: str, text: str = "", html: bytes = b"") -> Tree:
    """Return the properties of a mail; those that are empty are missing."""
    wanted = {
        "__substg1.0_007D001F": headers.encode("utf-16-le"),
        "__substg1.0_1000001F": text.encode("utf-16-le"),
        "__substg1.0_10130102": html,
    }
    return {name: value for name, value in wanted.items() if value}


def compound_file(tree: Tree) -> bytes:
    """Return a compound file (MS-CFB, version 3) with these storages and streams."""
    entries: list[list[object]] = []
    sectors: list[bytes] = []
    chains: list[int] = []

    def store(data: bytes) -> int:
        data = data.ljust(-(-max(len(data), 1) // _SECTOR) * _SECTOR, b"\0")
        first = len(sectors)
        sectors.extend(data[at : at + _SECTOR] for at in range(0, len(data), _SECTOR))
        chains.extend([*range(first + 1, len(sectors)), _END])
        return first

    def add(name: str, kind: int, content: "bytes | Tree") -> int:
        number = len(entries)
        entry: list[object] = [name, kind, _FREE, _FREE, _END, 0]  # right sibling, child, first sector, size
        entries.append(entry)
        if isinstance(content, bytes):
            content = content.ljust(_BY_SECTORS, b"\0")
            entry[4:] = [store(content), len(content)]
            return number
        before = entry
        for index, (inner, value) in enumerate(content.items()):
            child = add(inner, _STREAM if isinstance(value, bytes) else _STORAGE, value)
            before[3 if index == 0 else 2] = child
            before = entries[child]
        return number

    add("Root Entry", _ROOT, tree)
    directory = store(b"".join(_entry(*entry) for entry in entries))  # type: ignore[arg-type]
    fat_at = len(sectors)
    count = -(-(len(sectors) + 2) // 128) + 1
    chains += [_FAT] * count
    fat = struct.pack(f"<{len(chains)}I", *chains).ljust(count * _SECTOR, b"\xff")
    places = list(range(fat_at, fat_at + count))
    return _header(directory, places) + b"".join(sectors) + fat


def _entry(name: str, kind: int, right: int, child: int, first: int, size: int) -> bytes:
    encoded = (name + "\0").encode("utf-16-le")
    return (
        encoded.ljust(64, b"\0")
        + struct.pack("<HBBIII", len(encoded), kind, 1, _FREE, right, child)
        + bytes(36)
        + struct.pack("<IQ", first, size)
    )


def _header(directory: int, places: list[int]) -> bytes:
    start = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16)
    numbers = struct.pack(
        "<HHHHH6xIIIIIIIIII", 0x3E, 3, 0xFFFE, 9, 6, 0, len(places), directory, 0, 4096, _END, 0, _END, 0, 0
    )
    head = start + numbers[:-4]
    return head + struct.pack("<109I", *places, *[_FREE] * (109 - len(places)))
