"""Build the installer for Windows and the folder that needs none: ``python3 scripts/windows_build.py``."""

import sys

from environment import ROOT, ensure, hand_over

if __name__ == "__main__":
    sys.exit(hand_over(ensure("dev"), "-m", "windows.build", folder=ROOT / "scripts"))
