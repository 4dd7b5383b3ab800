"""Fill a new virtual environment from a lock file. Standard library only.

Installs exactly the packages of the lock file, whatever the user's settings of pip and Python are. Only the source of
the packages (index, proxy, certificates) follows these settings.
"""

import ast
import errno
import os
import re
import subprocess
import sys
from pathlib import Path

# The settings of pip about the source of packages. All others, such as "user", "target", "no-binary" or "constraint",
# would change what is installed or where.
_KEPT_SETTINGS = (
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

_PIP_CONFIG = "`python3 -m pip config list`"

# Patterns of error messages of pip and the system, and the advice; the first matching row is used. A mirror or proxy
# error also ends in "no matching distribution", so causes come first.
_ADVICE = (
    (
        r"No space left on device|not enough space on the disk|quota exceeded",
        "Make room on the disk, then run this again.",
    ),
    (
        r"DO NOT MATCH THE HASHES",
        (
            "What was downloaded is not what was tested with this version. Run this again; if it stays so, an index in "
            f"the settings of pip serves other files: look at {_PIP_CONFIG}."
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
        f"Check the proxy in HTTPS_PROXY or in {_PIP_CONFIG}, then run this again.",
    ),
    (
        r"40[13] Client Error",
        f"The package index refuses you: check its address and password in {_PIP_CONFIG}, then run this again.",
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
_DEFAULT_ADVICE = f"Run this again; if it stays so, remove the folder .venv and look at {_PIP_CONFIG}."

# Packages without wheels. They are pure Python, so building them needs only setuptools.
SOURCE_ONLY = ("authres",)

# English messages, because those of the system may be in any language.
_ENGLISH = {
    errno.EACCES: "Permission denied",
    errno.EPERM: "Operation not permitted",
    errno.EROFS: "Read-only file system",
    errno.ENOSPC: "No space left on device",
}


class SetUpError(Exception):
    """Set-up failed. The text contains the last error message and advice."""


def explain(output: str) -> SetUpError:
    """Return the error for the output of a failed program."""
    lines = [line.strip() for line in output.splitlines() if line.strip() and "[notice]" not in line]
    for pattern, advice in _ADVICE:
        if matching := [line for line in lines if re.search(pattern, line, re.IGNORECASE)]:
            return SetUpError(f"Setting up failed: “{_readable(matching[-1])}” {advice}")
    return SetUpError(f"Setting up failed: “{_readable(lines[-1]) if lines else ''}” {_DEFAULT_ADVICE}")


def explain_os_error(error: OSError) -> SetUpError:
    """Return the error for an OSError."""
    return explain(f"{_ENGLISH.get(error.errno or 0, error.strerror)}: {error.filename}")


def _readable(line: str) -> str:
    """Return a line of pip's output without prefixes and passwords of URLs, at most 300 characters."""
    text = re.sub(r"^(ERROR|WARNING): |Retrying \(.*?\)\) after |<[^<>]* object at 0x\w+>: ", "", line)
    text = re.sub(r"://[^/@\s]*@", "://", text)
    return text if len(text) <= 300 else f"{text[:300]} ..."


def python_of(folder: Path) -> Path:
    return folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def build(folder: Path, lock: Path, project: Path) -> None:
    """Create a virtual environment with the packages of the lock file and the project, editable.

    Raises SetUpError, OSError.
    """
    python, settings = make_environment(folder)
    install_lock(python, lock, settings)
    _pip(python, settings, "--no-deps", "--no-build-isolation", "--editable", str(project))


def make_environment(folder: Path) -> tuple[Path, dict[str, str]]:
    """Create a virtual environment with only pip; return its Python and the environment variables for pip."""
    variables, python = _without_python_settings(), python_of(folder)
    _call(
        [sys.executable, "-m", "venv", "--clear", "--without-pip", "--prompt", "buyerblock", str(folder)],
        variables,
    )
    _call(
        [str(python), "-m", "ensurepip", "--default-pip"], variables
    )  # venv would hide the reason of a failure
    return python, pip_settings(variables, _call([str(python), "-m", "pip", "config", "list"], variables))


def install_lock(python: Path, lock: Path, settings: dict[str, str]) -> None:
    """Install the packages of the lock file; it contains all dependencies, so pip resolves none."""
    # Without setuptools from the lock, a source distribution would download an unpinned build backend.
    backend = python.parent.parent / "setuptools.lock"
    backend.write_text(_lock_entry(lock.read_text(encoding="utf-8"), "setuptools"), encoding="utf-8")
    options = (
        "--no-deps",
        "--no-build-isolation",
        "--require-hashes",
        "--only-binary",
        ":all:",
        "--no-binary",
    )
    for requirements in (backend, lock):
        _pip(python, settings, *options, ",".join(SOURCE_ONLY), "-r", str(requirements))


def _lock_entry(lock: str, name: str) -> str:
    found = re.search(rf"^{name}==.*(?:\n    .*)*\n", lock, re.MULTILINE)
    return found[0] if found else ""


def _pip(python: Path, settings: dict[str, str], *arguments: str) -> None:
    # Lower verbosity hides the response of an index, such as "403 Forbidden".
    _call([str(python), "-m", "pip", "install", "-vv", *arguments], settings)


def pip_settings(environment: dict[str, str], listed: str) -> dict[str, str]:
    """Return the environment variables with only those of pip's settings that are in _KEPT_SETTINGS.

    listed: the output of ``pip config list``, lines such as ``global.index-url='https://...'``.
    """
    found: dict[str, str] = {}
    sections = ("global", "install", ":env:")  # the later one wins, as in pip
    for section in sections:
        for line in listed.splitlines():
            key, _, value = line.partition("=")
            if key.startswith(f"{section}.") and (name := key.removeprefix(f"{section}.")) in _KEPT_SETTINGS:
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
    """Return the environment variables without those that change Python: PYTHONHOME, PYTHONPATH, PYTHONWARNINGS ..."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.upper().startswith(("PYTHON", "__PYVENV"))
    }
    return {**kept, "PYTHONIOENCODING": "utf-8", "PYTHONNOUSERSITE": "1"}


def _call(command: list[str], environment: dict[str, str]) -> str:
    """Run a command and return its standard output. Raises SetUpError if it fails.

    The command inherits open files marked as inheritable, so the lock of a killed set-up is held until its last pip
    ends.
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
