"""Set up and run buyerblock: ``python3 scripts/run.py [options of "buyerblock serve"]``."""

import sys

import old_python  # noqa: F401 - before what an older Python cannot read
from environment import become, ensure

if __name__ == "__main__":
    sys.exit(become(ensure(), "-P", "-m", "oauth_web", "serve", *sys.argv[1:]))
