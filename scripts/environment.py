"""Create the ``.venv`` of these scripts from the lock files. Standard library only: nothing is installed yet.

A new environment is built under another name and then replaces the old one by renaming. So a failed or killed set-up
leaves the old one usable, and running programs keep their open files.
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
# Each contains all packages of the ones before it, so its environment is sufficient for them, too.
LOCKS = {"run": "requirements.lock", "host": "requirements-host.lock", "dev": "requirements-dev.lock"}
STAMP = "installed-from"

# The names have the same length, because _relocate replaces them inside binary files.
VENV, NEW, OLD = ".venv", ".vnew", ".vold"


def ensure(kind: str = "run") -> str:
    """Return the path of a Python that has everything in the lock file of this kind ("run", "host" or "dev").

    Exits with one sentence on failure. If only the Python has changed and a new ``.venv`` cannot be made, the old one
    is used.
    """
    python = str(installing.python_of(ROOT / VENV))
    if _is_up_to_date(VENV, kind):
        return python
    try:
        import ensurepip  # noqa: F401, PLC0415 - only to check that it exists
        import venv  # noqa: F401, PLC0415
    except ImportError:
        sys.exit(
            "Python's venv module is missing. On Debian or Ubuntu: sudo apt install python3-venv; "
            "on other systems install Python from python.org. Then run this again."
        )
    try:
        with _exclusive_lock():
            _set_up(kind)
    except KeyboardInterrupt:
        sys.exit("Setting up was stopped. Run this again to go on.")
    except (OSError, installing.SetUpError) as error:
        message = installing.explain_os_error(error) if isinstance(error, OSError) else error
        if not _still_works(kind):
            sys.exit(str(message))
        print(f"{message} Until then the .venv made by another Python is used.", file=sys.stderr, flush=True)
    return python


def _set_up(kind: str) -> None:
    _undo_swap()
    if _is_up_to_date(VENV, kind):  # another set-up was faster
        return
    if not _is_up_to_date(NEW, kind):
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
        _relocate()
        (ROOT / NEW / STAMP).write_text(_stamp(kind), encoding="utf-8")
    _swap()


def _relocate() -> None:
    """Replace the path of the new environment by its final path in its programs."""
    built, final = os.fsencode(ROOT / NEW), os.fsencode(ROOT / VENV)
    for file in (ROOT / NEW / "pyvenv.cfg", *installing.python_of(ROOT / NEW).parent.iterdir()):
        if file.is_symlink() or not file.is_file():
            continue
        content = file.read_bytes()
        if built in content:
            file.write_bytes(content.replace(built, final))


def _swap() -> None:
    shutil.rmtree(ROOT / OLD, ignore_errors=True)
    try:
        if (ROOT / VENV).exists():
            (ROOT / VENV).rename(ROOT / OLD)
        (ROOT / NEW).rename(ROOT / VENV)
    except PermissionError as error:  # on Windows: a file in it is open
        _undo_swap()
        raise installing.SetUpError(
            f"The folder {ROOT / VENV} cannot be replaced while another program uses it. "
            "End buyerblock and all that was started from there, then run this again."
        ) from error
    shutil.rmtree(ROOT / OLD, ignore_errors=True)


def _undo_swap() -> None:
    """Undo a swap that stopped between its two renames."""
    if not (ROOT / VENV).exists() and (ROOT / OLD).exists():
        (ROOT / OLD).rename(ROOT / VENV)


@contextlib.contextmanager
def _exclusive_lock() -> Iterator[None]:
    """Hold the lock of set-ups of this folder; wait for other set-ups."""
    with (ROOT / ".venv.lock").open("a", encoding="utf-8") as file:
        os.set_inheritable(file.fileno(), True)
        if not _locked(file, wait=False):
            print("Waiting for another set-up of this folder ...", file=sys.stderr, flush=True)
            while not _locked(file, wait=True):
                pass
        yield


def _locked(file: IO[str], *, wait: bool) -> bool:
    """Lock this file until this process and its children close it; return whether that succeeded."""
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
    """Return a digest of the lock file, this folder and this Python, which an environment depends on."""
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


def _is_up_to_date(name: str, kind: str) -> bool:
    return _stamp_of(name) in map(_stamp, _sufficient_kinds(kind))


def _sufficient_kinds(kind: str) -> list[str]:
    kinds = list(LOCKS)
    return kinds[kinds.index(kind) :]


def _still_works(kind: str) -> bool:
    """Return whether ``.venv`` has the right packages and its Python, which is another one, still runs."""
    made = _stamp_of(VENV).rpartition(" ")[0]
    if made not in {_stamp(it).rpartition(" ")[0] for it in _sufficient_kinds(kind)}:
        return False
    command = [str(installing.python_of(ROOT / VENV)), "-c", "import oauth_web.cli"]
    return subprocess.run(command, env=_clean_environment(), capture_output=True, check=False).returncode == 0


def _clean_environment() -> dict[str, str]:
    """Return the environment variables without those that would add packages of another Python."""
    return {name: value for name, value in os.environ.items() if name not in {"PYTHONHOME", "PYTHONPATH"}}


def replace_process(*command: str) -> int:
    """Replace this process by a command, so that it gets the signals; where that is impossible, run it and wait."""
    if os.name == "posix":
        os.execve(command[0], command, _clean_environment())  # noqa: S606 - our own command
    return run_command(*command)


def run_command(*command: str, folder: Path | None = None) -> int:
    """Run a command and return its exit code; the command handles Ctrl-C."""
    with subprocess.Popen(command, cwd=folder, env=_clean_environment()) as process:
        while True:
            try:
                return process.wait()
            except KeyboardInterrupt:
                continue
