"""Build the program for Windows: a folder to unpack anywhere, and an installer for one user.

``dist/buyerblock-VERSION-windows.zip`` holds Python, the libraries of the lock file, the program and a launcher;
``dist/buyerblock-VERSION-setup.exe`` is the same for whoever wants a shortcut and an entry to uninstall it by.
"""

import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

from environment import LOCKS, ROOT
from windows import wine
from windows.pieces import CACHE, PIP, TARGET, checkout, python, wheels
from windows.trial import try_installer

_DIST = ROOT / "dist"
_TEMPLATE = Path(__file__).with_name("installer.nsi")
# Files of Python for developers and graphical interfaces, and the build backend.
_LEFT_OUT = (
    *(
        "include",
        "libs",
        "Scripts",
        "Tools",
        "tcl",
        "NEWS.txt",
        "concrt140.dll",
        "v[!c]*140.dll",
        "vccorlib140.dll",
    ),
    *("DLLs/*.cat", "DLLs/*.ico", "DLLs/t*86t.dll", "DLLs/_tkinter.pyd", "DLLs/_msi.pyd"),
    *(
        f"Lib/{it}"
        for it in ("ensurepip", "idlelib", "lib2to3", "pydoc_data", "test", "tkinter", "turtledemo", "venv")
    ),
    "Lib/site-packages/*",
)
_LAUNCHER = '@"%~dp0python\\python.exe" -m oauth_web %*\r\n'
# With this file Python imports modules from nowhere else, whatever is installed on that machine.
_PATHS = "Lib\nDLLs\nLib\\site-packages\n"


def main() -> int:
    """Build both, and try the installer if Wine is available."""
    if shutil.which("makensis") is None:
        print("makensis was not found; on Debian or Ubuntu: sudo apt install nsis")
        return 2
    version = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    folder = _portable(CACHE / "portable" / "buyerblock")
    _DIST.mkdir(exist_ok=True)
    portable = shutil.make_archive(
        str(_DIST / f"buyerblock-{version}-windows"), "zip", folder.parent, folder.name
    )
    installer = _DIST / f"buyerblock-{version}-setup.exe"
    size = sum(it.stat().st_size for it in folder.rglob("*") if it.is_file())
    defined = {"FOLDER": folder, "OUTPUT": installer, "VERSION": version, "KILOBYTES": size // 1024}
    options = [f"-D{name}={value}" for name, value in defined.items()]
    subprocess.run(["makensis", "-V2", *options, str(_TEMPLATE)], check=True, stdout=sys.stderr)
    print(f"the folder has {size / 1e6:.0f} MB")
    for it in (Path(portable), installer):
        print(f"{it.relative_to(ROOT)}: {it.stat().st_size / 1e6:.0f} MB")
    if sentence := wine.missing():
        print(f"The installer was not tried: {sentence}")
        return 0
    wine.prepare()
    try_installer(installer)
    print("installed, started, asked and uninstalled under Wine")
    return 0


def _portable(folder: Path) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    inner = folder / "python"
    shutil.copytree(python(), inner, ignore=shutil.ignore_patterns("__pycache__"))
    for it in (path for pattern in _LEFT_OUT for path in inner.glob(pattern)):
        shutil.rmtree(it) if it.is_dir() else it.unlink()
    (inner / "python311._pth").write_text(_PATHS, encoding="utf-8")
    _install(inner / "Lib" / "site-packages")
    (folder / "buyerblock.cmd").write_text(_LAUNCHER, encoding="utf-8", newline="")
    return folder


def _install(site: Path) -> None:
    fetched, own = wheels(LOCKS["run"]), CACHE / "own"
    shutil.rmtree(own, ignore_errors=True)
    sources = [*fetched.glob("*.tar.gz"), checkout(CACHE / "source")]
    subprocess.run(
        [*PIP, "wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", str(own), *map(str, sources)],
        check=True, stdout=sys.stderr,
    )  # fmt: skip
    chosen = [it for it in fetched.glob("*.whl") if not it.name.startswith("setuptools-")]
    subprocess.run(
        [*PIP, "install", "--no-deps", "--no-compile", "--no-index", *TARGET, "--target", str(site),
         *map(str, chosen), *map(str, own.glob("*.whl"))],
        check=True, stdout=sys.stderr,
    )  # fmt: skip
    shutil.rmtree(site / "bin")  # programs for this machine
    # Google's library contains the descriptions of all services, 110 MB.
    for it in (site / "googleapiclient" / "discovery_cache" / "documents").iterdir():
        if it.name != "gmail.v1.json":
            it.unlink()


if __name__ == "__main__":
    sys.exit(main())
