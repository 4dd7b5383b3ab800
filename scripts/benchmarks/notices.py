"""Measure how fast mail is judged: notices of 30 KB, unrelated mail, hostile mail.

It is compared with two libraries on the same files: flufl.bounce recognises bounces, mail-parser parses mails into
fields. Both do less than judging.
"""

import time
from collections.abc import Callable, Sequence
from email import message_from_bytes
from pathlib import Path

import mailparser  # type: ignore[import-untyped]  # ships no types
from flufl.bounce import all_failures

from worker.notices.judge import judge
from worker.notices.model import OptOut

SAMPLES = Path(__file__).resolve().parents[2] / "tests" / "samples"
SIZE = 30 * 1024
TARGET_NOTICES = 600
TARGET_UNRELATED = 3_000
ROUNDS = 7


def main() -> None:
    """Print mails per second on one core, the ratios to the libraries, and time by size."""
    notices = [
        _padded(path.read_bytes())
        for path in _samples("opt_out", "*_no_type*.eml", "it_specimen*", "ja_co_jp*")
    ]
    # flufl.bounce fails on mail without a From.
    unrelated = [
        raw for path in _samples("unrelated", "*.eml") if b"\nFrom: " in (raw := _padded(path.read_bytes()))
    ]
    recognised = sum(isinstance(judge(raw), OptOut) for raw in notices)
    print(
        f"Judging mail, one core: {recognised} of {len(notices)} notices of {SIZE // 1024} KB are recognised."
    )
    _compare("notices", notices, TARGET_NOTICES)
    _compare("unrelated mails", unrelated, TARGET_UNRELATED)
    _measure_hostile()


def _compare(what: str, mails: Sequence[bytes], target: int) -> None:
    readers: dict[str, Callable[[bytes], object]] = {
        "ours": judge,
        "flufl.bounce": lambda raw: all_failures(message_from_bytes(raw)),
        "mail-parser": mailparser.parse_from_bytes,
    }
    # The best of some alternating rounds: other work on the machine slows all readers equally.
    rates = dict.fromkeys(readers, 0.0)
    for _ in range(ROUNDS):
        for name, read in readers.items():
            rates[name] = max(rates[name], _rate(read, mails))
    ours = rates.pop("ours")
    print(f"  {what:16} {ours:8,.0f} a second, wanted {target:,} ({ours / target:.1f} times that)")
    for name, peer in rates.items():
        print(f"    {name:14} {peer:8,.0f} a second: we are {ours / peer:.1f} times as fast")


def _rate(read: Callable[[bytes], object], mails: Sequence[bytes]) -> float:
    """Return mails per second of CPU time."""
    repeat = max(1, 60 // len(mails))
    start = time.process_time()
    for _ in range(repeat):
        for raw in mails:
            read(raw)
    return repeat * len(mails) / (time.process_time() - start)


def _measure_hostile() -> None:
    head = b"From: Amazon <auto-communication@amazon.com>\nContent-Type: text/html; charset=utf-8\n\n"
    levels = b"".join(
        b"--%d\nContent-Type: multipart/mixed; boundary=%d\n\n" % (n, n + 1) for n in range(20_000)
    )
    hostile: dict[str, Callable[[int], bytes]] = {
        "open elements": lambda n: head + b"<div>" * (n // 5),
        "attributes": lambda n: head + b"<p " + b"".join(b"a%d " % i for i in range(n // 7)) + b">",
        "nested parts": lambda n: b"Content-Type: multipart/mixed; boundary=0\n\n" + levels[:n],
        "header lines": lambda n: b"a: b\n" * (n // 5),
    }
    print("  hostile mail, milliseconds for 0.1, 1 and 10 MB:")
    for name, build in hostile.items():
        times = []
        for size in (100_000, 1_000_000, 10_000_000):
            raw = build(size)
            start = time.process_time()
            judge(raw)
            times.append((time.process_time() - start) * 1000)
        print(f"    {name:14} {times[0]:8.1f} {times[1]:8.1f} {times[2]:8.1f}")


def _samples(folder: str, *patterns: str) -> list[Path]:
    return sorted({path for pattern in patterns for path in (SAMPLES / folder).glob(pattern)})


def _padded(raw: bytes) -> bytes:
    """Return the mail with as much style and as many rows as real mails of SIZE bytes."""
    if b"</style>" not in raw or len(raw) >= SIZE:
        return raw
    rule = b".cell-%d{padding:4px 8px;font-family:Arial,Helvetica,sans-serif;font-size:14px}\r\n"
    row = b'<tr><td align=3D"left" style=3D"padding:4px 8px;color:#333">&nbsp;</td></tr>=\r\n'
    missing = SIZE - len(raw)
    rules = b"".join(rule % n for n in range(missing * 2 // 3 // len(rule)))
    rows = row * (missing // 3 // len(row))
    return raw.replace(b"</style>", rules + b"</style>", 1).replace(b"</table>", rows + b"</table>", 1)


if __name__ == "__main__":
    main()
