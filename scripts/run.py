"""Set up and run buyerblock: ``python3 scripts/run.py [options of "buyerblock serve"]``."""

import sys

from environment import become, ensure

if __name__ == "__main__":
    sys.exit(become([ensure(), "-m", "oauth_web", "serve", *sys.argv[1:]]))
