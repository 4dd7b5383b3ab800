"""Run set-up, demo, commands, server and tests as a user of Windows would: see ``scripts/windows_tests.py``."""

import argparse
import sys
import time

from environment import LOCKS
from windows import wine
from windows.pieces import CACHE, checkout, python, wheels
from windows.trial import try_commands

_CHECKOUT = CACHE / "checkout"
_PROGRAMS = _CHECKOUT / ".venv" / "Scripts"


def main(arguments: list[str]) -> int:
    """Run everything; return 0 if all went well."""
    parser = argparse.ArgumentParser(prog="windows_tests.py", description=__doc__)
    parser.add_argument("--smoke", action="store_true", help="only set-up, demo, commands and server")
    options, pytest_options = parser.parse_known_args(arguments)
    if sentence := wine.missing():
        print(sentence)
        return 2
    started = time.monotonic()
    wine.prepare()
    checkout(_CHECKOUT)
    lock = LOCKS["run" if options.smoke else "dev"]
    offline = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": wine.file_url(wheels(lock))}
    _print_progress(started, "Python, wheels and Wine are there")
    if not options.smoke:
        wine.run(python() / "python.exe", "-c", _SET_UP, folder=_CHECKOUT, extra=offline)
        _print_progress(started, "set-up done")
    output = wine.run(python() / "python.exe", "scripts/demo.py", "--once", folder=_CHECKOUT, extra=offline)
    assert '"blocks":' in output, output
    _print_progress(started, "demo done")
    try_commands(_PROGRAMS)
    _print_progress(started, "commands and server done")
    if options.smoke:
        return 0
    code = wine.show(_PROGRAMS / "python.exe", "-m", "pytest", *_PYTEST, *pytest_options, folder=_CHECKOUT)
    _print_progress(started, "tests done")
    return code


# Playwright's own program does not start under Wine.
_PYTEST = ("--numprocesses=2", "--ignore=tests/browser")
_SET_UP = "import sys; sys.path.insert(0, 'scripts'); import environment; environment.ensure('dev')"


def _print_progress(started: float, step: str) -> None:
    print(f"== {step}, after {time.monotonic() - started:.0f} s", flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
