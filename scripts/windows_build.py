"""Build the installer for Windows and the folder that needs none: ``python3 scripts/windows_build.py``."""

import sys

from environment import ROOT, ensure, run_command

if __name__ == "__main__":
    sys.exit(run_command(ensure("dev"), "-m", "windows.build", folder=ROOT / "scripts"))
