"""Run set-up, demo, commands, server and tests as a user of Windows would: see ``scripts/windows_tests.py``."""

import argparse
import shutil
import subprocess
import sys
import time
from pathlib import Path

from environment import ROOT
from windows import wine
from windows.pieces import CACHE, python, wheels

_CHECKOUT = CACHE / "checkout"
_OFFLINE = {"PIP_NO_INDEX": "1", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
_ALIAS = "k4q8z1x7c3v9b2n@marketplace.amazon.it"


def main(arguments: list[str]) -> int:
    """Run everything; return 0 if all went well."""
    parser = argparse.ArgumentParser(prog="windows_tests.py", description=__doc__)
    parser.add_argument("--smoke", action="store_true", help="only set-up, demo, commands and server")
    chosen, of_pytest = parser.parse_known_args(arguments)
    if sentence := wine.missing():
        print(sentence)
        return 2
    started = time.monotonic()
    wine.prepare()
    _copy_checkout()
    offline = _OFFLINE | {"PIP_FIND_LINKS": wine.file_url(wheels("requirements-dev.lock"))}
    _tell(started, "Python, wheels and Wine are there")
    if not chosen.smoke:
        wine.run(python() / "python.exe", "-c", _SET_UP, folder=_CHECKOUT, extra=offline)
        _tell(started, "set-up done")
    shown = wine.run(python() / "python.exe", "scripts/demo.py", "--once", folder=_CHECKOUT, extra=offline)
    assert '"blocks":' in shown, shown
    _tell(started, "demo done")
    _commands()
    _tell(started, "commands done")
    if chosen.smoke:
        return 0
    return wine.show(_program("python.exe"), "-m", "pytest", *of_pytest, folder=_CHECKOUT)


_SET_UP = "import sys; sys.path.insert(0, 'scripts'); import environment; environment.ensure('dev')"


def _tell(started: float, words: str) -> None:
    print(f"== {words}, after {time.monotonic() - started:.0f} s", flush=True)


def _copy_checkout() -> None:
    """Lay the files of this checkout anew into a folder of their own: ``.venv`` is another one on Windows."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, check=True, capture_output=True, encoding="utf-8",
    ).stdout  # fmt: skip
    _CHECKOUT.mkdir(parents=True, exist_ok=True)
    for it in _CHECKOUT.iterdir():
        if it.is_dir() and it.name != ".venv":
            shutil.rmtree(it)
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file():
            (_CHECKOUT / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, _CHECKOUT / name)


def _program(name: str) -> Path:
    return _CHECKOUT / ".venv" / "Scripts" / name


def _commands() -> None:
    folder = {"BUYERBLOCK_DATA_DIR": "C:\\commands"}
    shutil.rmtree(wine.drive_c() / "commands", ignore_errors=True)
    buyerblock = _program("buyerblock.exe")
    wine.run(buyerblock, "block", _ALIAS, extra=folder)
    assert _ALIAS in wine.run(buyerblock, "export", "--format", "txt", extra=folder)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
