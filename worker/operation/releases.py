"""Whether there is a newer version, asked of where this copy was cloned from; and only when somebody wants to know."""

import os
import re
import subprocess
from pathlib import Path

from worker.errors import UsageError

ROOT = Path(__file__).parents[2]
_PATIENCE = 20  # seconds
_RELEASE = re.compile(r"refs/tags/v?(\d+)\.(\d+)\.(\d+)$", re.MULTILINE)
# Nobody is there to type a password.
_ASKS_NOTHING = {"GIT_TERMINAL_PROMPT": "0", "GIT_SSH_COMMAND": "ssh -o BatchMode=yes"}


def newer_than(version: str, root: Path = ROOT) -> str | None:
    """Return the newest release that is newer than a version such as ``0.2.0``, None if there is none.

    root: of the program's files. Raises UsageError where they are no clone, or its origin does not answer.
    """
    if not (root / ".git").exists():
        raise UsageError(
            "This copy was not made by “git clone”, so it does not know where newer ones are; look where you got it."
        )
    command = ("git", "-C", str(root), "ls-remote", "--tags", "--refs", "origin")
    try:
        asked = subprocess.run(  # noqa: S603 - no word of it is a stranger's
            command,
            env=os.environ | _ASKS_NOTHING,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_PATIENCE,
            check=True,
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise UsageError(
            "Where this copy came from does not answer, or git is missing; look there yourself."
        ) from error
    newest = max((tuple(map(int, it)) for it in _RELEASE.findall(asked.stdout)), default=(0, 0, 0))
    here = tuple(map(int, re.findall(r"\d+", version)[:3]))
    return ".".join(map(str, newest)) if newest > here else None
