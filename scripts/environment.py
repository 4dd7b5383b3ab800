"""Make ``.venv`` from the lock files. Standard library only: it runs before anything is installed."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
STAMP = VENV / "installed-from"
LOCKS = {"run": "requirements.lock", "dev": "requirements-dev.lock"}


def _fingerprint(kind: str) -> str:
    parts = [(ROOT / name).read_bytes() for name in (LOCKS[kind], "pyproject.toml")]
    return f"{kind} {hashlib.sha256(b'|'.join(parts)).hexdigest()} {_place()}"


def _place() -> str:
    """Return what a ``.venv`` is bound to: this Python, and this folder."""
    return hashlib.sha256(f"{sys.version}|{ROOT}".encode()).hexdigest()


def _python() -> Path:
    return VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def _is_current(kind: str) -> bool:
    # The development lock holds all that the other one holds, so it serves both.
    wanted = {_fingerprint(kind), _fingerprint("dev")}
    return _python().exists() and STAMP.exists() and STAMP.read_text(encoding="utf-8").strip() in wanted


def _call(*arguments: str) -> None:
    # Only the caller's own answer belongs on standard output, so pip's words go to standard error.
    subprocess.run([str(a) for a in arguments], check=True, stdout=sys.stderr)


def _install(kind: str) -> None:
    # What is installed already may be running: it is added to, and only made anew where that cannot work.
    fits = _python().exists() and STAMP.exists() and STAMP.read_text(encoding="utf-8").endswith(_place())
    if not fits:
        _call(sys.executable, "-m", "venv", "--clear", str(VENV))
    pip = [str(_python()), "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
    _call(*pip, "--require-hashes", "-r", str(ROOT / LOCKS[kind]))
    _call(*pip, "--no-deps", "--no-build-isolation", "--editable", str(ROOT))
    STAMP.write_text(_fingerprint(kind), encoding="utf-8")


def ensure(kind: str = "run") -> str:
    """Return the path of a Python that has everything in the lock file of this kind ("run" or "dev").

    Exits with one sentence where Python is too old, its venv module is missing, or an installation fails.
    """
    if sys.version_info < (3, 11):  # noqa: UP036 - this file also runs under the user's own, older Python
        sys.exit(
            f"buyerblock needs Python 3.11 or later; this is {sys.version.split()[0]}. Install it from python.org."
        )
    if _is_current(kind):
        return str(_python())
    try:
        import ensurepip  # noqa: F401, PLC0415 - only asked whether it is there
        import venv  # noqa: F401, PLC0415
    except ImportError:
        sys.exit(
            "Python's venv module is missing. On Debian or Ubuntu: sudo apt install python3-venv; "
            "on other systems install Python from python.org. Then run this again."
        )
    print(f"Setting up {VENV} from {LOCKS[kind]} (once, about a minute) ...", file=sys.stderr, flush=True)
    try:
        _install(kind)
    except subprocess.CalledProcessError as error:
        sys.exit(
            f"Setting up failed at: {' '.join(map(str, error.cmd[1:4]))} (see above). "
            "Check the internet connection and the free disk space, then run this again."
        )
    return str(_python())


def become(arguments: list[str]) -> int:
    """Run a command in place of this process, so that signals reach it; where that cannot be, run it and wait."""
    if os.name == "posix":
        os.execv(arguments[0], arguments)  # noqa: S606 - our own command
    return hand_over(arguments)


def hand_over(arguments: list[str], folder: Path | None = None) -> int:
    """Run a command to its end and return its exit code; Ctrl-C is left to the command."""
    with subprocess.Popen(arguments, cwd=folder) as process:
        while True:
            try:
                return process.wait()
            except KeyboardInterrupt:
                continue
