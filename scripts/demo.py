"""Show the whole program against a stand-in for Google: ``python3 scripts/demo.py [--host] [--once]``."""

import sys

import old_python  # noqa: F401 - first, because an older Python cannot read the other modules
from environment import ensure, replace_process

if __name__ == "__main__":
    sys.exit(
        replace_process(
            ensure("host" if "--host" in sys.argv else "run"), "-P", "-m", "oauth_web", "demo", *sys.argv[1:]
        )
    )
