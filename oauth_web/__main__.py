"""The ``buyerblock`` program from its first moment; ``python -m oauth_web`` where its script is not on the path."""

import os
import signal
import sys
from types import FrameType


def main() -> int:
    """Run ``buyerblock`` and return its exit code. Ctrl-C ends it with 130 at any time, also while it starts.

    SIGINT that is ignored, as in a script's background job, stays ignored.
    """
    heeded = signal.getsignal(signal.SIGINT) is signal.default_int_handler
    if heeded:
        signal.signal(signal.SIGINT, leave)
    from oauth_web.cli import run_commands  # noqa: PLC0415 - imports take most of the time that a command takes

    if not heeded:
        return run_commands()
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        return run_commands()
    except KeyboardInterrupt:
        return 130
    finally:
        signal.signal(signal.SIGINT, leave)


def leave(_: int, __: FrameType | None) -> None:
    """End at once: nothing is at work yet, or no longer, and an exception in an import may be caught or printed."""
    os._exit(130)


if __name__ == "__main__":
    sys.exit(main())
