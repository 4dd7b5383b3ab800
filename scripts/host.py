"""Set up and run the commands of a host: ``python3 scripts/host.py COMMAND``, as of ``buyerblock host``."""

import sys

import old_python  # noqa: F401 - first, because an older Python cannot read the other modules
from environment import ensure, replace_process

if __name__ == "__main__":
    sys.exit(replace_process(ensure("host"), "-P", "-m", "oauth_web", "host", *sys.argv[1:]))
