"""Give the programs here a ``.venv`` made from the lock files. Standard library only: nothing is installed yet.

A new one is built in full under another name and then takes the place of the old one by renaming. So a set-up that
fails, or is killed anywhere, leaves the old one usable, and a program that runs from it keeps what it has open.
"""

import contextlib
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import installing

ROOT = Path(__file__).resolve().parent.parent
# Each holds all that those before it hold, so an environment of it serves for them, too.
LOCKS = {"run": "requirements.lock", "host": "requirements-host.lock", "dev": "requirements-dev.lock"}
STAMP = "installed-from"

# The three names have one length, because a name is replaced inside of the programs in bin/, see _settle.
VENV, NEW, OLD = ".venv", ".vnew", ".vold"


def ensure(kind: str = "run") -> str:
    """Return the path of a Python that has everything in the lock file of this kind ("run", "host" or "dev").

    Exits with one sentence where that cannot be. Where only this Python is another one than before, and a new
    ``.venv`` for it cannot be made, the one that works is used.
    """
    python = str(installing.python_of(ROOT / VENV))
    if _is_made(VENV, kind):
        return python
    try:
        import ensurepip  # noqa: F401, PLC0415 - only asked whether it is there
        import venv  # noqa: F401, PLC0415
    except ImportError:
        sys.exit(
            "Python's venv module is missing. On Debian or Ubuntu: sudo apt install python3-venv; "
            "on other systems install Python from python.org. Then run this again."
        )
    try:
        with _alone():
            _set_up(kind)
    except KeyboardInterrupt:
        sys.exit("Setting up was stopped. Run this again to go on.")
    except (OSError, installing.SetUpError) as error:
        told = installing.explain_refusal(error) if isinstance(error, OSError) else error
        if not _still_works(kind):
            sys.exit(str(told))
        print(f"{told} Until then the .venv made by another Python is used.", file=sys.stderr, flush=True)
    return python


def _set_up(kind: str) -> None:
    _bring_back()
    if _is_made(VENV, kind):  # by another set-up, meanwhile
        return
    if not _is_made(NEW, kind):
        print(
            f"Setting up {ROOT / VENV} from {LOCKS[kind]} (once, about a minute) ...",
            file=sys.stderr,
            flush=True,
        )
        try:
            installing.build(ROOT / NEW, ROOT / LOCKS[kind], ROOT)
        except installing.SetUpError:
            shutil.rmtree(ROOT / NEW, ignore_errors=True)
            raise
        _settle()
        (ROOT / NEW / STAMP).write_text(_stamp(kind), encoding="utf-8")
    _swap()


def _settle() -> None:
    """Let the programs of the new environment name the place where it will be."""
    built, settled = os.fsencode(ROOT / NEW), os.fsencode(ROOT / VENV)
    for file in (ROOT / NEW / "pyvenv.cfg", *installing.python_of(ROOT / NEW).parent.iterdir()):
        if file.is_symlink() or not file.is_file():
            continue
        content = file.read_bytes()
        if built in content:
            file.write_bytes(content.replace(built, settled))


def _swap() -> None:
    shutil.rmtree(ROOT / OLD, ignore_errors=True)
    try:
        if (ROOT / VENV).exists():
            (ROOT / VENV).rename(ROOT / OLD)
        (ROOT / NEW).rename(ROOT / VENV)
    except PermissionError as error:  # so Windows says that a file in there is open
        _bring_back()
        raise installing.SetUpError(
            f"The folder {ROOT / VENV} cannot be replaced while another program uses it. "
            "End buyerblock and all that was started from there, then run this again."
        ) from error
    shutil.rmtree(ROOT / OLD, ignore_errors=True)


def _bring_back() -> None:
    """Undo a swap that was killed or refused between its two renames."""
    if not (ROOT / VENV).exists() and (ROOT / OLD).exists():
        (ROOT / OLD).rename(ROOT / VENV)


@contextlib.contextmanager
def _alone() -> Iterator[None]:
    """Wait until no other set-up is at work in this folder, and keep others waiting."""
    with (ROOT / ".venv.lock").open("a", encoding="utf-8") as file:
        os.set_inheritable(file.fileno(), True)
        if not _locked(file, wait=False):
            print("Waiting for another set-up of this folder ...", file=sys.stderr, flush=True)
            while not _locked(file, wait=True):
                pass
        yield


def _locked(file: IO[str], *, wait: bool) -> bool:
    """Lock this file until it is closed, by this process and those that it started; return whether that succeeded."""
    if sys.platform == "win32":
        import msvcrt  # noqa: PLC0415 - Windows only

        try:
            msvcrt.locking(file.fileno(), msvcrt.LK_LOCK if wait else msvcrt.LK_NBLCK, 1)  # waits ten seconds
        except OSError:
            return False
    else:
        import fcntl  # noqa: PLC0415 - not on Windows

        try:
            fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            return False
    return True


def _stamp(kind: str) -> str:
    """Return what an environment is made of: the lock file, this folder and this Python."""
    parts = [(ROOT / name).read_bytes() for name in (LOCKS[kind], "pyproject.toml")]
    digests = [
        hashlib.sha256(part).hexdigest()
        for part in (b"|".join(parts), os.fsencode(ROOT), sys.version.encode())
    ]
    return " ".join([kind, *digests])


def _stamp_of(name: str) -> str:
    stamp = ROOT / name / STAMP
    return (
        stamp.read_text(encoding="utf-8")
        if stamp.exists() and installing.python_of(ROOT / name).exists()
        else ""
    )


def _is_made(name: str, kind: str) -> bool:
    return _stamp_of(name) in map(_stamp, _serving(kind))


def _serving(kind: str) -> list[str]:
    kinds = list(LOCKS)
    return kinds[kinds.index(kind) :]


def _still_works(kind: str) -> bool:
    """Return whether ``.venv`` has what is wanted, though made by another Python, and that one still runs."""
    made = _stamp_of(VENV).rpartition(" ")[0]
    if made not in {_stamp(it).rpartition(" ")[0] for it in _serving(kind)}:
        return False
    command = [str(installing.python_of(ROOT / VENV)), "-c", "import oauth_web.cli"]
    return subprocess.run(command, env=_own_variables(), capture_output=True, check=False).returncode == 0


def _own_variables() -> dict[str, str]:
    """Return this process's variables without those that would give ``.venv`` the packages of another Python."""
    return {name: value for name, value in os.environ.items() if name not in {"PYTHONHOME", "PYTHONPATH"}}


def become(*command: str) -> int:
    """Run a command in place of this process, so that signals reach it; where that cannot be, run it and wait."""
    if os.name == "posix":
        os.execve(command[0], command, _own_variables())  # noqa: S606 - our own command
    return hand_over(*command)


def hand_over(*command: str, folder: Path | None = None) -> int:
    """Run a command to its end and return its exit code; Ctrl-C is left to the command."""
    with subprocess.Popen(command, cwd=folder, env=_own_variables()) as process:
        while True:
            try:
                return process.wait()
            except KeyboardInterrupt:
                continue
