"""Run Windows programs under Wine in a separate prefix."""

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
    """Return one sentence about missing programs, or None."""
    if missing_programs := [it for it in ("wine", _COMPILER) if shutil.which(it) is None]:
        return (
            f"Not found: {', '.join(missing_programs)}; on Debian or Ubuntu: "
            "sudo apt install wine wine64 gcc-mingw-w64-x86-64"
        )
    return None


def prepare() -> None:
    """Create a prefix for Windows 10."""
    library = _PREFIX / "drive_c" / "windows" / "system32" / "bcryptprimitives.dll"
    if library.exists():
        return
    _PREFIX.mkdir(parents=True, exist_ok=True)
    run("winecfg", "-v", "win10")
    source = CACHE / "random.c"
    source.write_text(_RANDOM, encoding="utf-8")
    subprocess.run([_COMPILER, "-shared", "-o", str(library), str(source), "-ladvapi32"], check=True)


def environment() -> dict[str, str]:
    """Return the environment variables of a new user."""
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(CACHE),
        "LANG": os.environ.get("LANG", "C.UTF-8"),
        "WINEPREFIX": str(_PREFIX),
        "WINEDEBUG": "-all",
        # They would add shortcuts to this desktop and open its browser.
        "WINEDLLOVERRIDES": "winemenubuilder.exe,winebrowser.exe=d",
    }


def drive_c() -> Path:
    return _PREFIX / "drive_c"


def windows_path(path: Path) -> str:
    """Return the Windows form of a path of this machine."""
    inside = path.is_relative_to(drive_c())
    return (f"C:/{path.relative_to(drive_c())}" if inside else f"Z:{path}").replace("/", "\\")


def file_url(path: Path) -> str:
    """Return the URL of a path for a program under Wine; unlike a path it has no spaces."""
    return path.as_uri().replace("file://", "file:///Z:")


def end_all() -> None:
    """End all programs of this prefix, including an opened browser."""
    subprocess.run(["wineserver", "-k"], env=environment(), check=False)


def start(
    *command: str | Path, folder: Path | None = None, extra: Mapping[str, str] | None = None
) -> "subprocess.Popen[str]":
    """Start a program with its output in a pipe, because Python under Wine cannot write its output to a file."""
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
    """Run a program, show its output at once, and return its exit code."""
    with start(*command, folder=folder, extra=extra) as process:
        assert process.stdout
        for line in process.stdout:
            sys.stdout.write(line)
            sys.stdout.flush()
    return process.returncode


def run(*command: str | Path, folder: Path | None = None, extra: Mapping[str, str] | None = None) -> str:
    """Run a program and return its output. Raises CalledProcessError, TimeoutExpired."""
    with start(*command, folder=folder, extra=extra) as process:
        try:
            output, _ = process.communicate(timeout=_MAX_WAIT)
        except subprocess.TimeoutExpired:
            end_all()
            raise
    if process.returncode:
        sys.stderr.write(output)
        raise subprocess.CalledProcessError(process.returncode, list(map(str, command)))
    return output
