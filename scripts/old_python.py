"""End with one sentence under a Python that is too old. Every Python since 2.7 can read this file."""

import sys

if sys.version_info < (3, 11):
    sys.exit(
        "buyerblock needs Python 3.11 or later; this is "
        + sys.version.split()[0]
        + ". Install it from python.org."
    )
