"""Set up and run buyerblock: ``python3 scripts/run.py [options of "buyerblock serve"]``."""

import sys

import old_python  # noqa: F401 - first, because an older Python cannot read the other modules
from environment import ensure, replace_process

if __name__ == "__main__":
    sys.exit(replace_process(ensure(), "-P", "-m", "oauth_web", "serve", *sys.argv[1:]))
