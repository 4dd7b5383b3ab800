"""Show the whole program against a stand-in for Google: ``python3 scripts/demo.py [--host] [--once]``."""

import sys

import old_python  # noqa: F401 - before what an older Python cannot read
from environment import become, ensure

if __name__ == "__main__":
    sys.exit(
        become(
            ensure("host" if "--host" in sys.argv else "run"), "-P", "-m", "oauth_web", "demo", *sys.argv[1:]
        )
    )
