"""Fill a new virtual environment from a lock file. Standard library only.

The packages are those of the lock and no others, whatever the settings of the user's own pip and Python say; where
they come from (an index, a proxy, certificates) stays the user's choice.
"""

import ast
import errno
import os
import re
import subprocess
import sys
from pathlib import Path

# The settings of pip that say where packages are and how they are reached. All others, such as "user", "target",
# "no-binary" or "constraint", would change what is installed or where.
_KEPT = (
    "index-url",
    "extra-index-url",
    "find-links",
    "no-index",
    "trusted-host",
    "proxy",
    "cert",
    "client-cert",
    "keyring-provider",
    "use-feature",
    "timeout",
    "default-timeout",
    "retries",
    "cache-dir",
    "no-cache-dir",
)

_LOOK = "`python3 -m pip config list`"

# What pip and the system say when it fails, and what to do about it; the first row that fits decides. A mirror or a
# proxy that refuses also ends in "no matching distribution", so causes come before that consequence.
_ADVICE = (
    (
        r"No space left on device|not enough space on the disk|quota exceeded",
        "Make room on the disk, then run this again.",
    ),
    (
        r"DO NOT MATCH THE HASHES",
        (
            "What was downloaded is not what was tested with this version. Run this again; if it stays so, an index in "
            f"the settings of pip serves other files: look at {_LOOK}."
        ),
    ),
    (
        r"CERTIFICATE_VERIFY_FAILED|SSLError|TLS CA certificate",
        (
            "Check the clock of this machine; if your network looks into TLS, name its certificates in PIP_CERT. "
            "Then run this again."
        ),
    ),
    (
        r"ProxyError|Cannot connect to proxy|Tunnel connection failed|SOCKS|proxy URL",
        f"Check the proxy in HTTPS_PROXY or in {_LOOK}, then run this again.",
    ),
    (
        r"40[13] Client Error",
        f"The package index refuses you: check its address and password in {_LOOK}, then run this again.",
    ),
    (
        (
            r"Failed to establish a new connection|NameResolutionError|Max retries exceeded|timed out"
            r"|Connection aborted|Connection reset|Connection broken|IncompleteRead|5\d\d Server Error"
        ),
        "Check the internet connection, then run this again.",
    ),
    (
        r"Read-only file system|Permission denied|Access is denied|Operation not permitted",
        "Put the folder of buyerblock where you may write, such as your home folder, and run it from there.",
    ),
    (
        r"No matching distribution|not a supported wheel",
        (
            "There is no such ready-made package for this Python or this kind of machine. Use Python 3.11 to 3.14 from "
            "python.org (64 bit; on Windows the one for x86-64, on ARM too), then run this again."
        ),
    ),
)
_OTHERWISE = f"Run this again; if it stays so, remove the folder .venv and look at {_LOOK}."

# Packages that exist as source only; they are pure Python, so building them needs setuptools alone.
BUILT_HERE = ("authres",)

# The system's own words may be in any language.
_WORDS = {
    errno.EACCES: "Permission denied",
    errno.EPERM: "Operation not permitted",
    errno.EROFS: "Read-only file system",
    errno.ENOSPC: "No space left on device",
}


class SetUpError(Exception):
    """Set-up failed; the text is what a person is told: what was said last, and what to do."""


def explain(said: str) -> SetUpError:
    """Return the error for the words of a program that failed."""
    lines = [line.strip() for line in said.splitlines() if line.strip() and "[notice]" not in line]
    for pattern, advice in _ADVICE:
        if telling := [line for line in lines if re.search(pattern, line, re.IGNORECASE)]:
            return SetUpError(f"Setting up failed: “{_readable(telling[-1])}” {advice}")
    return SetUpError(f"Setting up failed: “{_readable(lines[-1]) if lines else ''}” {_OTHERWISE}")


def explain_refusal(error: OSError) -> SetUpError:
    """Return the error for what the system refused."""
    return explain(f"{_WORDS.get(error.errno or 0, error.strerror)}: {error.filename}")


def _readable(line: str) -> str:
    """Return a line of pip's without its decoration, and without the password of an index or a proxy."""
    text = re.sub(r"^(ERROR|WARNING): |Retrying \(.*?\)\) after |<[^<>]* object at 0x\w+>: ", "", line)
    text = re.sub(r"://[^/@\s]*@", "://", text)
    return text if len(text) <= 300 else f"{text[:300]} ..."


def python_of(folder: Path) -> Path:
    """Return the Python of a virtual environment."""
    return folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def build(folder: Path, lock: Path, project: Path) -> None:
    """Make a virtual environment with all that the lock file names and, in editable form, the project.

    Raises SetUpError, or OSError where the system refuses.
    """
    python, settings = make_empty(folder)
    install_lock(python, lock, settings)
    _pip(python, settings, "--no-deps", "--no-build-isolation", "--editable", str(project))


def make_empty(folder: Path) -> tuple[Path, dict[str, str]]:
    """Make a virtual environment with pip alone; return its Python and the variables to run that pip with."""
    own, python = _without_python_settings(), python_of(folder)
    _call(
        [sys.executable, "-m", "venv", "--clear", "--without-pip", "--prompt", "buyerblock", str(folder)], own
    )
    _call([str(python), "-m", "ensurepip", "--default-pip"], own)  # venv would not tell why this failed
    return python, pip_settings(own, _call([str(python), "-m", "pip", "config", "list"], own))


def install_lock(python: Path, lock: Path, settings: dict[str, str]) -> None:
    """Install what the lock file names, unchanged. It has every dependency, so pip need not look for any."""
    # A source distribution would fetch an unpinned build backend; with setuptools from the lock it need not.
    backend = python.parent.parent / "setuptools.lock"
    backend.write_text(_block(lock.read_text(encoding="utf-8"), "setuptools"), encoding="utf-8")
    exactly = (
        "--no-deps",
        "--no-build-isolation",
        "--require-hashes",
        "--only-binary",
        ":all:",
        "--no-binary",
    )
    for requirements in (backend, lock):
        _pip(python, settings, *exactly, ",".join(BUILT_HERE), "-r", str(requirements))


def _block(lock: str, name: str) -> str:
    found = re.search(rf"^{name}==.*(?:\n    .*)*\n", lock, re.MULTILINE)
    return found[0] if found else ""


def _pip(python: Path, settings: dict[str, str], *arguments: str) -> None:
    # What an index answered, such as "403 Forbidden", is said only at this verbosity.
    _call([str(python), "-m", "pip", "install", "-vv", *arguments], settings)


def pip_settings(environment: dict[str, str], listed: str) -> dict[str, str]:
    """Return the environment with pip's settings replaced by those that are kept of the ones listed.

    ``listed`` are lines such as ``global.index-url='https://...'``, as ``pip config list`` prints them.
    """
    found: dict[str, str] = {}
    sections = ("global", "install", ":env:")  # the later one wins, as in pip
    for section in sections:
        for line in listed.splitlines():
            key, _, value = line.partition("=")
            if key.startswith(f"{section}.") and (name := key.removeprefix(f"{section}.")) in _KEPT:
                found[f"PIP_{name.upper().replace('-', '_')}"] = str(ast.literal_eval(value))
    others = {name: value for name, value in environment.items() if not name.upper().startswith("PIP_")}
    return {
        **others,
        **found,
        "PIP_CONFIG_FILE": os.devnull,  # tells pip to read none of its files
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "PIP_NO_INPUT": "1",
    }


def _without_python_settings() -> dict[str, str]:
    """Return the environment without what changes a Python: PYTHONHOME, PYTHONPATH, PYTHONWARNINGS=error ..."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.upper().startswith(("PYTHON", "__PYVENV"))
    }
    return {**kept, "PYTHONIOENCODING": "utf-8", "PYTHONNOUSERSITE": "1"}


def _call(command: list[str], environment: dict[str, str]) -> str:
    """Run a command and return what it said on standard output.

    Raises SetUpError if it fails. Open files marked as inheritable go with it: the lock of a set-up stays held until
    its last pip has ended, even if the set-up itself was killed.
    """
    done = subprocess.run(
        command,
        env=environment,
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        close_fds=False,
        check=False,
    )
    if done.returncode != 0:
        raise explain(f"{done.stdout}\n{done.stderr}")
    return done.stdout
