"""Ask the git origin of this copy for a newer version, only when a person wants to know."""

import os
import re
import subprocess
from pathlib import Path

from worker.errors import UsageError

ROOT = Path(__file__).parents[2]
_TIMEOUT = 20  # seconds
_RELEASE = re.compile(r"refs/tags/v?(\d+)\.(\d+)\.(\d+)$", re.MULTILINE)
# Nobody can type a password.
_NO_PROMPTS = {"GIT_TERMINAL_PROMPT": "0", "GIT_SSH_COMMAND": "ssh -o BatchMode=yes"}


def newer_than(version: str, root: Path = ROOT) -> str | None:
    """Return the newest release if it is newer than a version such as ``0.2.0``, else None.

    root: the folder of the program. Raises UsageError if it is no clone, or its origin does not answer.
    """
    if not (root / ".git").exists():
        raise UsageError(
            "This copy was not made by “git clone”, so it does not know where newer ones are; look where you got it."
        )
    command = ("git", "-C", str(root), "ls-remote", "--tags", "--refs", "origin")
    try:
        done = subprocess.run(  # noqa: S603 - no part of the command comes from a stranger
            command,
            env=os.environ | _NO_PROMPTS,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_TIMEOUT,
            check=True,
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise UsageError(
            "Where this copy came from does not answer, or git is missing; look there yourself."
        ) from error
    newest = max((tuple(map(int, it)) for it in _RELEASE.findall(done.stdout)), default=(0, 0, 0))
    current = tuple(map(int, re.findall(r"\d+", version)[:3]))
    return ".".join(map(str, newest)) if newest > current else None
