"""``python -m oauth_web``: the ``buyerblock`` program, where its script is not on the path."""

import sys

from oauth_web.cli import main

sys.exit(main())
