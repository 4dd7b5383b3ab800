"""Show the whole program against a stand-in for Google: ``python3 scripts/demo.py [--once]``."""

import sys
from pathlib import Path

from environment import become, ensure

if __name__ == "__main__":
    demonstration = Path(__file__).with_name("demonstration.py")
    sys.exit(become([ensure(), str(demonstration), *sys.argv[1:]]))
