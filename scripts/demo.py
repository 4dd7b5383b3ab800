"""Show the whole program against a stand-in for Google: ``python3 scripts/demo.py [--once]``."""

import sys

import old_python  # noqa: F401 - before what an older Python cannot read
from environment import ROOT, become, ensure

if __name__ == "__main__":
    sys.exit(become(ensure(), str(ROOT / "scripts" / "demonstration.py"), *sys.argv[1:]))
