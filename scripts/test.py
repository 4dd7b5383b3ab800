"""Set up and run every check: ``python3 scripts/test.py [arguments of pytest]``."""

import sys

import old_python  # noqa: F401 - first, because an older Python cannot read the other modules
from environment import ROOT, ensure, replace_process

if __name__ == "__main__":
    sys.exit(replace_process(ensure("dev"), str(ROOT / "scripts" / "checks.py"), *sys.argv[1:]))
