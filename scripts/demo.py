"""Show the whole program against a stand-in for Google: ``python3 scripts/demo.py [--once]``."""

import sys
from pathlib import Path

from environment import ensure, hand_over

if __name__ == "__main__":
    demonstration = Path(__file__).with_name("demonstration.py")
    sys.exit(hand_over([ensure(), str(demonstration), *sys.argv[1:]]))
