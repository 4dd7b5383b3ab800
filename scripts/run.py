"""Set up and run buyerblock: ``python3 scripts/run.py [options of "buyerblock serve"]``."""

import sys

from environment import ensure, hand_over

if __name__ == "__main__":
    sys.exit(hand_over([ensure(), "-m", "oauth_web", "serve", *sys.argv[1:]]))
