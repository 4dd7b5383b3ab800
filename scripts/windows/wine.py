"""Wine, as far as the program needs Windows: a prefix of its own, and commands whose output is piped."""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from windows.pieces import CACHE

_PREFIX = CACHE / "prefix"
_MAX_WAIT = 600  # seconds for one command; set-up takes one minute
_COMPILER = "x86_64-w64-mingw32-gcc"
# Wine 8 lacks this library, from which Rust's standard library (cryptography, orjson) takes random numbers.
_RANDOM = """\
#include <windows.h>
#include <ntsecapi.h>
__declspec(dllexport) BOOL WINAPI ProcessPrng(PBYTE data, SIZE_T size) { return RtlGenRandom(data, (ULONG)size); }
"""


def missing() -> str | None:
    """Return one sentence about what has to be installed, or None."""
    if gone := [it for it in ("wine", _COMPILER) if shutil.which(it) is None]:
        return (
            f"Not found: {', '.join(gone)}; on Debian or Ubuntu: "
            "sudo apt install wine wine64 gcc-mingw-w64-x86-64"
        )
    return None


def prepare() -> None:
    """Make a prefix that says it is Windows 10."""
    library = _PREFIX / "drive_c" / "windows" / "system32" / "bcryptprimitives.dll"
    if library.exists():
        return
    _PREFIX.mkdir(parents=True, exist_ok=True)
    run("winecfg", "-v", "win10")
    source = CACHE / "random.c"
    source.write_text(_RANDOM, encoding="utf-8")
    subprocess.run([_COMPILER, "-shared", "-o", str(library), str(source), "-ladvapi32"], check=True)


def environment() -> dict[str, str]:
    """Return the environment of a new user: nothing of this terminal's but what finds Wine."""
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(CACHE),
        "LANG": os.environ.get("LANG", "C.UTF-8"),
        "WINEPREFIX": str(_PREFIX),
        "WINEDEBUG": "-all",
        # They would put shortcuts into the menu of this desktop, and open its browser.
        "WINEDLLOVERRIDES": "winemenubuilder.exe,winebrowser.exe=d",
    }


def drive_c() -> Path:
    """Return where drive C is."""
    return _PREFIX / "drive_c"


def windows_path(path: Path) -> str:
    """Return how Windows writes a path of this machine."""
    inside = path.is_relative_to(drive_c())
    return (f"C:/{path.relative_to(drive_c())}" if inside else f"Z:{path}").replace("/", "\\")


def file_url(path: Path) -> str:
    """Return the address of a path for a program under Wine; unlike the path it holds no spaces."""
    return path.as_uri().replace("file://", "file:///Z:")


def end_all() -> None:
    """End what runs in this prefix, the browser too that a page was opened in."""
    subprocess.run(["wineserver", "-k"], env=environment(), check=False)


def start(
    *command: str | Path, folder: Path | None = None, extra: Mapping[str, str] | None = None
) -> "subprocess.Popen[str]":
    """Start a program, its output in a pipe: Python cannot write to a file that Wine was given as its output."""
    return subprocess.Popen(
        ["wine", *map(str, command)],
        cwd=folder,
        env={**environment(), **(extra or {})},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
    )


def show(*command: str | Path, folder: Path | None = None, extra: Mapping[str, str] | None = None) -> int:
    """Run a program, show what it says as it says it, and return its exit code."""
    with start(*command, folder=folder, extra=extra) as process:
        assert process.stdout
        for line in process.stdout:
            sys.stdout.write(line)
            sys.stdout.flush()
    return process.returncode


def run(*command: str | Path, folder: Path | None = None, extra: Mapping[str, str] | None = None) -> str:
    """Run a program and return what it says. Raises CalledProcessError, TimeoutExpired."""
    with start(*command, folder=folder, extra=extra) as process:
        try:
            said, _ = process.communicate(timeout=_MAX_WAIT)
        except subprocess.TimeoutExpired:
            end_all()
            raise
    if process.returncode:
        sys.stderr.write(said)
        raise subprocess.CalledProcessError(process.returncode, list(map(str, command)))
    return said
