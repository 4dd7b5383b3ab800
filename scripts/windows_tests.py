"""Run the program and its tests under Wine: ``python3 scripts/windows_tests.py [--smoke] [arguments of pytest]``."""

import sys

from environment import ROOT, ensure, run_command

if __name__ == "__main__":
    sys.exit(run_command(ensure("dev"), "-m", "windows.tests", *sys.argv[1:], folder=ROOT / "scripts"))
