"""The entry point of ``buyerblock``, also as ``python -m oauth_web``."""

import os
import signal
import sys
from types import FrameType


def main() -> int:
    """Run ``buyerblock`` and return its exit code. Ctrl-C ends it with 130 at any time, also during the start.

    If SIGINT is ignored, as in a script's background job, it stays ignored.
    """
    handles_sigint = signal.getsignal(signal.SIGINT) is signal.default_int_handler
    if handles_sigint:
        signal.signal(signal.SIGINT, leave)
    from oauth_web.cli import run_commands  # noqa: PLC0415 - imports take most of a command's time

    if not handles_sigint:
        return run_commands()
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        return run_commands()
    except KeyboardInterrupt:
        return 130
    finally:
        signal.signal(signal.SIGINT, leave)


def leave(_: int, __: FrameType | None) -> None:
    """Exit at once: nothing runs yet, or any more. An exception during an import could be caught or printed."""
    os._exit(130)


if __name__ == "__main__":
    sys.exit(main())
