"""Set up and run every check: ``python3 scripts/test.py [arguments of pytest]``."""

import sys

import old_python  # noqa: F401 - before what an older Python cannot read
from environment import ROOT, become, ensure

if __name__ == "__main__":
    sys.exit(become(ensure("dev"), str(ROOT / "scripts" / "checks.py"), *sys.argv[1:]))
