"""Set up and run the commands of a host: ``python3 scripts/host.py COMMAND``, as of ``buyerblock host``."""

import sys

import old_python  # noqa: F401 - before what an older Python cannot read
from environment import become, ensure

if __name__ == "__main__":
    sys.exit(become(ensure("host"), "-P", "-m", "oauth_web", "host", *sys.argv[1:]))
