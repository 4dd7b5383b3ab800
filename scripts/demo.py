"""Show the whole program against a stand-in for Google: ``python3 scripts/demo.py [--once]``."""

import sys

from environment import become, ensure

if __name__ == "__main__":
    sys.exit(become([ensure(), "-m", "oauth_web", "demo", *sys.argv[1:]]))
